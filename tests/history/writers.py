"""Processes that write a history and may be killed while they do. Imported anew in each of them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from golive.history.probes import record_probe
from golive.history.runs import add_outcome, begin_run, finish_run
from golive.history.store import History
from golive.model import Evidence, ProbeState
from tests.history.made import AT, outcome, run
from tests.servers import PASSWORD

EVIDENCE = Evidence(title="log", text="a line that was seen\n" * 40)


@dataclass
class Writer:
    """A process that tells line by line what it has done."""

    process: ForkServerProcess
    told: Path

    def lines(self) -> list[str]:
        """What it has told so far, whole lines only."""
        return self.told.read_text(encoding="ascii").split("\n")[:-1] if self.told.exists() else []


def context() -> ForkServerContext:
    """New processes are forked from one that has imported everything: they begin to write at once."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload([__name__, "golive.history.storage.migrations", "golive.history.storage.engines"])
    return made


@contextmanager
def writing(where: str, name: str, told: Path, *, outcomes: int, own_run: bool = True) -> Iterator[Writer]:
    """A process that enters `outcomes` outcomes, each with two values; killed at the end if it still runs."""
    process = context().Process(target=_write, args=(where, name, str(told), outcomes, own_run))
    process.start()
    try:
        yield Writer(process, told)
    finally:
        process.kill()
        process.join()
        process.close()


def _write(where: str, name: str, told: str, outcomes: int, own_run: bool) -> None:
    tells = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def tell(text: str) -> None:
        os.write(tells, f"{text}\n".encode("ascii"))

    tell("begins")
    with History.open(where, password=PASSWORD) as history:
        if own_run:
            begin_run(history, run(name))
            tell("begun")
        for number in range(outcomes):
            criterion = f"shop.{told.rpartition('/')[2]}.n{number}"
            found = outcome(criterion, float(number), number / 2, evidence=(EVIDENCE,))
            add_outcome(history, name, found, environment="prod")
            tell(criterion)
            record_probe(history, name, "api", ProbeState.UP, AT, longest_gap_s=10)
        if own_run:
            finish_run(history, name, finished_at=AT, aborted=None)
            tell("finished")
