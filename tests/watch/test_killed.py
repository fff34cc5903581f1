"""A keeper that is killed again and again: no checkpoint is run twice, none is forgotten, nothing recorded is lost."""

from __future__ import annotations

import multiprocessing
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from golive.environment.schedule import slots_of
from golive.history.runs import run_records
from golive.history.store import History
from golive.history.watches import open_watch
from golive.watch.lock import AlreadyKept, Lock, holder
from golive.watch.schedule import new_watch
from golive.watch.spawn import Spawned, Spawner
from tests.watch.kept import OUTCOMES, ROOT, keep
from tests.watch.made import START, shop

SEED = 20260501
KILLS = 30
SLOTS = 14
SLOT = slots_of(["4 h"])[0]
_PROCESSES = multiprocessing.get_context("forkserver")


def test_thirty_kills_double_nothing_and_lose_nothing(tmp_path: Path) -> None:
    _PROCESSES.set_forkserver_preload(["tests.watch.kept"])
    schedule = [f"{minute} min" for minute in range(1, SLOTS + 1)]
    environment = shop(watch={"schedule": schedule, "tolerance": "60 min"})
    with History.open(tmp_path / "history.sqlite") as history:
        watch = open_watch(history, new_watch(environment, deployed_at=START, now=datetime.now(UTC), time_scale=60))
    chance = random.Random(SEED)
    for _ in range(KILLS):
        process = _PROCESSES.Process(target=keep, args=(tmp_path,))
        process.start()
        process.join(chance.uniform(0.01, 0.8))
        process.kill()
        process.join()
    last = _PROCESSES.Process(target=keep, args=(tmp_path,))
    last.start()
    last.join(60)
    assert last.exitcode == 0

    begun = (tmp_path / "begun.log").read_text().split()
    labels = [slot.label for slot in watch.schedule]
    assert sorted(name.partition("-")[0] for name in begun) == sorted(labels)
    assert (tmp_path / "ended.log").read_text().split() == begun
    with History.open(tmp_path / "history.sqlite") as history:
        runs = run_records(history, "shop", watch=watch.id)
    assert [run.run for run in runs] == begun
    assert all(run.complete and len(run.outcomes) == OUTCOMES for run in runs)
    with sqlite3.connect(tmp_path / "history.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# The locks that make it so


def test_one_process_keeps_a_watch_and_the_other_is_told_which(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "watch.lock"
    assert holder(file) is None
    with Lock.take(file, now=START, what="the watch is kept") as lock:
        told = r"the watch is kept by process \d+ of \S+ on \S+, since 2026-05-01T09:00:00.000Z"
        with pytest.raises(AlreadyKept, match=f"^{told}$"):
            Lock.take(file, now=START, what="another")
        assert (holder(file) or "").startswith("the watch is kept by process ")
        lock.release()
        lock.release()
    assert holder(file) is None
    Lock.take(file, now=START, what="another").release()


def test_a_lock_file_with_rubbish_in_it_can_be_taken(tmp_path: Path) -> None:
    file = tmp_path / "watch.lock"
    file.write_text("{" * 500)
    with Lock.take(file, now=START, what="the watch is kept"):
        assert "the watch is kept by process" in (holder(file) or "")


def spawner(folder: Path, script: str) -> Spawner:
    return Spawner(
        lambda slot: [sys.executable, "-c", script, slot.label],
        cwd=ROOT, log=folder / "out" / "watch.log", lock=folder / "run.lock", now=lambda: START,
    )  # fmt: skip


def ended(run: Spawned | None, *, within_s: float = 10) -> int:
    assert run is not None
    until = time.monotonic() + within_s
    while (code := run.poll()) is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    return code


def test_a_run_writes_into_the_log_and_its_end_can_be_shown(tmp_path: Path) -> None:
    one = spawner(
        tmp_path, "import sys; print('judging', sys.argv[1]); print('x' * 20_000); print('the end'); sys.exit(3)"
    )
    for _ in range(2):
        run = one.begin(SLOT)
        assert ended(run) == 3
        assert run is not None
        assert run.tail().endswith("the end")
        assert len(run.tail()) <= 8_000
    log = (tmp_path / "out" / "watch.log").read_text()
    assert log.count("=== 2026-05-01T09:00:00.000Z checkpoint 4h\njudging 4h\n") == 2


def test_the_run_of_a_keeper_that_is_gone_still_holds_its_lock(tmp_path: Path) -> None:
    first = spawner(tmp_path, "import time; time.sleep(60)")
    run = first.begin(SLOT)
    assert run is not None
    assert spawner(tmp_path, "pass").begin(SLOT) is None
    assert (holder(tmp_path / "run.lock") or "").startswith("checkpoint 4h is run by process")
    run.kill()
    assert run.poll() == -signal.SIGKILL
    assert ended(spawner(tmp_path, "pass").begin(SLOT)) == 0


def test_what_a_run_starts_does_not_hold_the_lock(tmp_path: Path) -> None:
    script = "import subprocess as s; print(s.Popen(['sleep', '30'], start_new_session=True).pid)"
    run = spawner(tmp_path, script).begin(SLOT)
    assert ended(run) == 0
    assert run is not None
    left = int(run.tail())
    try:
        assert holder(tmp_path / "run.lock") is None
    finally:
        subprocess.run(["kill", str(left)], check=True)


def test_a_run_that_is_told_to_stop_can_end_in_order(tmp_path: Path) -> None:
    script = """
import time
print("ready", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("in order", flush=True)
    raise SystemExit(2)
"""
    run = spawner(tmp_path, script).begin(SLOT)
    assert run is not None
    wait_until(lambda: "ready" in run.tail())
    run.interrupt()
    assert ended(run) == 2
    assert run.tail().endswith("in order")
    run.interrupt()


def test_a_program_that_cannot_be_started_leaves_the_lock_free(tmp_path: Path) -> None:
    broken = Spawner(
        lambda slot: ["/nowhere/python"], cwd=ROOT, log=tmp_path / "log", lock=tmp_path / "lock", now=lambda: START
    )
    with pytest.raises(FileNotFoundError):
        broken.begin(SLOT)
    assert holder(tmp_path / "lock") is None


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)
