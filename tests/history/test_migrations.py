"""Older stores are brought up to date in one step or not at all, newer ones are refused."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from golive.history.notes import add_note, notes
from golive.history.runs import add_outcome, begin_run, finish_run, run_record
from golive.history.series import series
from golive.history.storage import migrations
from golive.history.storage.migrations import Migration, latest
from golive.history.storage.schema import RUNS, STORE
from golive.history.store import History, HistoryUnusable
from golive.model import Note
from tests.history.made import AT, HOUR, outcome, run

STORES = Path(__file__).parent / "stores"


def add_weather(connection: sa.Connection) -> None:
    connection.execute(sa.text("ALTER TABLE runs ADD COLUMN weather TEXT"))


def fill_weather(connection: sa.Connection) -> None:
    connection.execute(sa.text("UPDATE runs SET weather = 'fair: ' || run"))


PRESENT = migrations.MIGRATIONS
NOW = latest()
NEXT = (Migration(NOW + 1, "the weather", add_weather), Migration(NOW + 2, "of every run", fill_weather))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes golive a later one, which has these further migrations."""

    def become(*more: Migration) -> None:
        monkeypatch.setattr(migrations, "MIGRATIONS", (*PRESENT, *more))

    return become


def version(history: History) -> int:
    with history.reading() as connection:
        found: int = connection.execute(sa.select(STORE.c.version)).scalar_one()
    return found


def weather(history: History) -> list[str | None]:
    with history.reading() as connection:
        return [*connection.execute(sa.text("SELECT weather FROM runs ORDER BY run")).scalars()]


def filled(place: str) -> None:
    with History.open(place) as history:
        for name in ("a", "b"):
            begin_run(history, run(name))
            add_outcome(history, name, outcome("shop.a.b", 1.0), environment="prod")
            finish_run(history, name, finished_at=AT + HOUR, aborted=None)


def test_a_store_goes_through_every_version_that_it_lacks(place: str, later: Callable[..., None]) -> None:
    filled(place)
    later(NEXT[0])
    with History.open(place) as history:
        assert (version(history), weather(history)) == (NOW + 1, [None, None])
    later(*NEXT)
    with History.open(place, create=False) as history:
        assert (version(history), weather(history)) == (NOW + 2, ["fair: a", "fair: b"])
        record = run_record(history, "a")
        assert record is not None
        assert record.outcomes == (outcome("shop.a.b", 1.0),)


def test_both_steps_are_gone_at_once(place: str, later: Callable[..., None]) -> None:
    filled(place)
    later(*NEXT)
    with History.open(place) as history:
        assert (version(history), weather(history)) == (NOW + 2, ["fair: a", "fair: b"])


def test_a_step_that_fails_leaves_the_store_as_it_was(place: str, later: Callable[..., None]) -> None:
    filled(place)

    def breaks(connection: sa.Connection) -> None:
        fill_weather(connection)
        raise RuntimeError("the power went")

    later(NEXT[0], Migration(NOW + 2, "breaks", breaks))
    with pytest.raises(RuntimeError, match="the power went"):
        History.open(place)
    later()
    with History.open(place) as history:
        assert version(history) == NOW
        with history.reading() as connection:
            columns = {column["name"] for column in sa.inspect(connection).get_columns("runs")}
    assert columns == {column.name for column in RUNS.columns}


def test_a_newer_store_is_refused_and_left_alone(place: str, later: Callable[..., None]) -> None:
    filled(place)
    later(*NEXT)
    History.open(place).close()
    later()
    for create in (True, False):
        with pytest.raises(HistoryUnusable) as caught:
            History.open(place, create=create)
        assert str(caught.value) == (
            f"history {place}: was written by a newer golive (version {NOW + 2} of its tables, this one knows {NOW}); "
            "upgrade golive, or give another history"
        )
    later(*NEXT)
    with History.open(place) as history:
        assert version(history) == NOW + 2


@pytest.mark.parametrize("existing", [True, False])
def test_processes_that_open_a_store_at_once_agree(place: str, later: Callable[..., None], existing: bool) -> None:
    """A step that was done twice would fail: the column exists."""
    if existing:
        filled(place)
    later(*NEXT)
    problems: list[Exception] = []

    def open_it() -> None:
        try:
            with History.open(place) as history:
                assert version(history) == NOW + 2
        except (HistoryUnusable, AssertionError) as error:
            problems.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems


def test_a_store_without_notes_gets_them(place: str) -> None:
    """Version 1 as PostgreSQL would hold it, where no file can be kept beside this test."""
    filled(place)
    with History.open(place) as history, history.writing() as connection:
        connection.execute(sa.text("DROP TABLE notes"))
        connection.execute(sa.text("DROP TABLE policies"))
        connection.execute(sa.update(STORE).values(version=1))
    with History.open(place) as history:
        assert version(history) == latest()
        add_note(history, "w1", Note(at=AT, by="Ratna", text="seen"))
        assert [note.text for note in notes(history, "w1")] == ["seen"]
        record = run_record(history, "a")
        assert record is not None
        assert record.complete


def shape(file: Path) -> dict[str, str]:
    """The tables and indexes of an SQLite store, each as it is declared."""
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: " ".join(sql.split()) for name, sql in rows}


@pytest.mark.parametrize("stored", sorted(STORES.glob("v*.sql")), ids=lambda f: f.stem)
def test_every_store_that_was_ever_written_becomes_a_present_one(stored: Path, tmp_path: Path) -> None:
    """Whoever changes a table without a migration is told so here: `stores/` holds a store of each version."""
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript(stored.read_text(encoding="utf-8"))
    with History.open(old) as history:
        assert version(history) == latest()
        record = run_record(history, "a")
        assert record is not None
        assert record.complete
        assert record.outcomes == (outcome("shop.a.b", 1.0),)
        assert [p.value for s in series(history, "prod", "shop.a.b") for p in s.points] == [1.0, 1.0]
        begin_run(history, run("c"))
    History.open(new).close()
    assert shape(old) == shape(new)


def test_a_store_of_each_version_is_kept() -> None:
    assert sorted(file.stem for file in STORES.iterdir()) == [f"v{n}" for n in range(1, latest() + 1)]
