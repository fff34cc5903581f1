"""A process that is killed loses nothing that it was told is kept, and several that write at once lose nothing."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from golive.history.runs import DIED, run_record, run_records
from golive.history.series import series
from golive.history.store import History
from golive.model import RunRecord
from tests.history.writers import Writer, writing

SEED = 20260501
KILLS = 30
FRESH = 10
"""So many of them die in a store of their own, some while its tables are made."""
LONGEST_S = 0.12


def wait_for(writer: Writer, word: str) -> None:
    deadline = time.monotonic() + 30
    while word not in writer.lines():
        assert time.monotonic() < deadline, writer.lines()
        assert writer.process.is_alive() or word in writer.lines()
        time.sleep(0.001)


def assert_whole(history: History, record: RunRecord | None, told: list[str]) -> None:
    """Every outcome that was told is there, with its values."""
    found = {} if record is None else {o.criterion: o for o in record.outcomes}
    for criterion in told:
        assert len(found[criterion].measurements) == 2
        (one,) = series(history, "prod", criterion)
        assert len(one.points) == 2
        assert found[criterion].evidence


def test_nothing_is_lost_to_kill_9(tmp_path: Path) -> None:
    """Thirty processes die at instants of a fixed seed; the store opens clean each time and knows that they died."""
    chance = random.Random(SEED)
    kept = begun = made = 0
    for number in range(KILLS):
        store = tmp_path / (f"fresh{number}.sqlite" if number < FRESH else "shared.sqlite")
        name = f"r{number}"
        with writing(str(store), name, tmp_path / name, outcomes=100_000) as writer:
            wait_for(writer, "begins" if number % 2 else "begun")
            time.sleep(chance.random() * LONGEST_S)
            writer.process.kill()
            writer.process.join()
            told = writer.lines()
        with History.open(store) as history:
            with history.directly() as cursor:
                assert cursor.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                assert cursor.execute("PRAGMA foreign_key_check").fetchall() == []
            record = run_record(history, name)
            assert "begun" not in told or record is not None
            outcomes = told[2:]
            assert_whole(history, record, outcomes)
            if record is not None:
                assert (record.aborted, record.finished_at) == (DIED, None)
                assert len(record.outcomes) - len(outcomes) in (0, 1), "only what was under way may be there besides"
            kept, begun = kept + len(outcomes), begun + (record is not None)
            made += 1
    assert made == KILLS
    assert begun > KILLS / 2, "most of them died while they wrote outcomes"
    assert kept > 10 * KILLS


def test_nothing_is_lost_to_kill_9_in_postgresql(database: str, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    for number in range(6):
        name = f"r{number}"
        with writing(database, name, tmp_path / name, outcomes=100_000) as writer:
            wait_for(writer, "begun")
            time.sleep(chance.random() * LONGEST_S)
            writer.process.kill()
            writer.process.join()
            told = writer.lines()
        with History.open(database) as history:
            record = run_record(history, name)
            assert record is not None
            assert record.aborted == DIED
            assert_whole(history, record, told[2:])


@pytest.mark.parametrize("own_run", [True, False], ids=["runs", "workers of one run"])
def test_four_processes_write_at_once(place: str, tmp_path: Path, own_run: bool) -> None:
    names = [f"r{n}" if own_run else "r" for n in range(4)]
    count = 40
    if not own_run:
        with writing(place, "r", tmp_path / "main", outcomes=0) as main:
            wait_for(main, "finished")
    with ExitStack() as stack:
        writers = [
            stack.enter_context(writing(place, name, tmp_path / f"w{n}", outcomes=count, own_run=own_run))
            for n, name in enumerate(names)
        ]
        for writer in writers:
            writer.process.join(60)
            assert writer.process.exitcode == 0
    with History.open(place) as history:
        for record in run_records(history, "prod"):
            assert record.complete
            assert len(record.outcomes) == (count if own_run else 4 * count)
            assert_whole(history, record, [o.criterion for o in record.outcomes])


def test_a_run_that_others_still_see_alive_is_not_marked(tmp_path: Path) -> None:
    store = tmp_path / "h.sqlite"
    with writing(str(store), "r", tmp_path / "told", outcomes=100_000) as writer:
        wait_for(writer, "begun")
        with History.open(store) as history:
            record = run_record(history, "r")
    assert record is not None
    assert record.aborted is None
    with closing(sqlite3.connect(store)) as plain:
        assert plain.execute("SELECT aborted FROM runs").fetchone() == (None,)
    with History.open(store) as history:
        record = run_record(history, "r")
    assert record is not None
    assert record.aborted == DIED
