"""A keeper and the runs that it starts, as processes to be killed: `python -m tests.watch.kept FOLDER LABEL`.

`begun.log` and `ended.log` in the folder say, apart from the history, which runs there were.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from golive.history.runs import add_outcome, begin_run, finish_run
from golive.history.store import History
from golive.history.watches import current_watch
from golive.model import Watch
from golive.watch.clock import RealClock
from golive.watch.keeper import Ending, Keeper
from golive.watch.spawn import Spawner
from tests.watch.made import REQUIRED, held, run_at

ROOT = Path(__file__).resolve().parents[2]
OUTCOMES = 3


def keep(folder: Path) -> None:
    """Keep the open watch of the history in `folder` to its end; exit code 0 once it is over."""
    with History.open(folder / "history.sqlite") as history:
        clock, watch = RealClock(), the_watch(history)
        spawner = Spawner(
            lambda slot: [sys.executable, "-m", "tests.watch.kept", str(folder), slot.label],
            cwd=ROOT,
            log=folder / "watch.log",
            lock=folder / "run.lock",
            now=clock.now,
        )
        ending = Keeper(
            history,
            watch,
            begin=spawner.begin,
            stands=lambda: watch.id,
            required=REQUIRED,
            clock=clock,
            tell=lambda text: note(folder / "said.log", text),
            stop=threading.Event(),
            hurry=threading.Event(),
            look_every_s=0.2,
            poll_s=0.02,
        ).keep()
    sys.exit(0 if ending is Ending.OVER else 1)


def run(folder: Path, label: str) -> None:
    """A checkpoint: its outcomes are written one after the other."""
    name = f"{label}-{os.getpid()}"
    note(folder / "begun.log", name)
    with History.open(folder / "history.sqlite") as history:
        watch = the_watch(history)
        record = replace(run_at(watch, datetime.now(UTC), label, run=name), finished_at=None)
        begin_run(history, record)
        for number in range(OUTCOMES):
            time.sleep(0.02)
            add_outcome(history, name, held(datetime.now(UTC), f"shop.health.c{number}"), environment="shop")
        finish_run(history, name, finished_at=datetime.now(UTC), aborted=None)
    note(folder / "ended.log", name)


def the_watch(history: History) -> Watch:
    found = current_watch(history, "shop")
    assert found is not None
    return found


def note(file: Path, text: str) -> None:
    """One line, in one write."""
    with file.open("ab", buffering=0) as log:
        log.write(f"{text}\n".encode())


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2])
