"""Opening a history, and everything that may be wrong with the place: one line each, never a password."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from golive.history.runs import add_outcome, begin_run, run_record, run_records
from golive.history.storage import engines
from golive.history.storage.schema import OUTCOMES, RUNS
from golive.history.store import History, HistoryUnusable, default_path
from tests import rogues
from tests.history.made import outcome, run
from tests.servers import PASSWORD, UNPRIVILEGED, PostgresServer, free_port


def refusal(where: str | Path, **how: object) -> str:
    """What is said when this place is opened."""
    with pytest.raises(HistoryUnusable) as caught, History.open(where, **how):  # type: ignore[arg-type]
        raise AssertionError("it was opened")
    told = str(caught.value)
    assert "\n" not in told
    return told


def test_default_place_is_beside_the_runs() -> None:
    assert default_path(Path("reports/output"), "prod") == Path("reports/output/prod/history.sqlite")


@pytest.mark.parametrize("write", ["{}/a b%20?c#d.sqlite", "sqlite:///{}/a b#c.sqlite"])
def test_a_store_is_opened_again(tmp_path: Path, write: str) -> None:
    where = write.format(tmp_path)
    with History.open(where) as history:
        begin_run(history, run())
        assert str(tmp_path) in history.where
    with History.open(where, create=False) as history:
        assert run_record(history, "r1") == run()
    assert len(list(tmp_path.iterdir())) == 1, "no journal is left beside a store that was closed"


def test_relative_paths_are_meant_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for where in ("one.sqlite", "sqlite:///two.sqlite"):
        History.open(where).close()
    assert sorted(f.name for f in tmp_path.iterdir()) == ["one.sqlite", "two.sqlite"]


def test_reading_makes_no_store(tmp_path: Path) -> None:
    where = tmp_path / "h.sqlite"
    assert refusal(where, create=False) == f"there is no history yet at {where}: it begins with the first run"
    assert refusal(f"sqlite:///{where}", create=False).startswith("there is no history yet")
    assert refusal(tmp_path / "none" / "h.sqlite", create=False).startswith("there is no history yet")
    assert not list(tmp_path.iterdir())
    where.touch()
    assert refusal(where, create=False).startswith("there is no history yet"), "a process may have died right there"


def test_reading_makes_no_tables(database: str) -> None:
    assert refusal(database, create=False).startswith(f"there is no history yet at {database}")
    with closing(psycopg.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    for name, content in (("text", b"just a text, and long enough to be no empty database" * 9), ("short", b"x")):
        file = tmp_path / name
        file.write_bytes(content)
        told = refusal(file)
        assert told.startswith(f"history {file}: is not a history but some other file; give another path")
        assert file.read_bytes() == content


@pytest.mark.parametrize("tables", ["CREATE TABLE customers (id)", "CREATE TABLE runs (id)"])
def test_a_database_of_something_else_is_left_alone(tmp_path: Path, tables: str) -> None:
    file = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(tables)
    assert f"history {file}: is the database of something else" in refusal(file)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


def test_tables_of_something_else_in_postgresql_are_left_alone(database: str, postgres: PostgresServer) -> None:
    name = database.rpartition("/")[2]
    postgres.execute("CREATE TABLE customers (id int)", database=name)
    History.open(database).close()
    postgres.execute("DROP TABLE golive_history", database=name)
    assert "is the database of something else (it has tables such as attestations)" in refusal(database)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "h.sqlite"
    with History.open(file) as history:
        begin_run(history, run())
        for number in range(200):
            add_outcome(history, "r1", outcome(f"shop.a.n{number}", 1.0), environment="prod")
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(HistoryUnusable) as caught, History.open(file) as history:
        run_records(history, "prod")
    assert str(caught.value).startswith(f"history {file}: is damaged; restore it from a backup")


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("outcomes", "data = '{half'"),
        ("outcomes", 'data = \'{"criterion": "x"}\''),
        ("outcomes", "data = 'null'"),
        ("runs", "started_at = 'noon'"),
        ("runs", "started_at = 9e18"),
        ("runs", "selected = 'x'"),
    ],
)
def test_rows_that_are_not_ours_are_named(tmp_path: Path, table: str, values: str) -> None:
    file = tmp_path / "h.sqlite"
    with History.open(file) as history:
        begin_run(history, run())
        add_outcome(history, "r1", outcome(), environment="prod")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"UPDATE {table} SET {values}")
        connection.commit()
    with History.open(file) as history:
        with pytest.raises(HistoryUnusable, match="holds something that golive has not written so") as caught:
            run_records(history, "prod")
        assert str(caught.value).startswith(f"history {file}: ")


def test_places_that_cannot_hold_a_file_are_named(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"history {tmp_path}: is a folder; give the path of a file in it"
    none = tmp_path / "none" / "h.sqlite"
    assert refusal(none) == f"history {none}: there is no folder {none.parent}; create it first"
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").endswith("is no regular file")
    assert refusal("/proc/h.sqlite").startswith("history /proc/h.sqlite: cannot be opened: ")
    assert refusal(tmp_path / ("x" * 300)).endswith("cannot be opened: File name too long")
    assert "no path holds a NUL character" in refusal("a\0b")
    (tmp_path / "file").touch()
    assert f"there is no folder {tmp_path}/file" in refusal(tmp_path / "file" / "h.sqlite")


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("mysql://me@db/h", "a history cannot be kept in 'mysql'; give the path of an SQLite file, or postgresql://"),
        ("http://x/y", "a history cannot be kept in 'http'"),
        ("sqlite://", "an SQLite URL is sqlite:///path"),
        ("sqlite:///:memory:", "an SQLite URL is sqlite:///path"),
        ("sqlite://host/path", "an SQLite URL is sqlite:///path"),
        ("sqlite:///x?mode=ro", "an SQLite URL is sqlite:///path"),
        ("://", "the address of the history is no URL"),
        (f"postgresql://me:{PASSWORD}@db:port/h", "the address of the history is no URL"),
        (f"postgresql://me:{PASSWORD}@db/h", "postgresql://me@db/h: no password in a URL: set 'password' under"),
        (f"postgresql://me@db/h?password={PASSWORD}", "postgresql://me@db/h: no password in a URL"),
    ],
)
def test_addresses_that_are_none_are_named(where: str, told: str) -> None:
    said = refusal(where)
    assert told in said
    assert PASSWORD not in said


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A folder that an unprivileged user may read and not write, with a history in it."""
    folder = Path(tempfile.mkdtemp(prefix="golive-test-"))
    History.open(folder / "h.sqlite").close()
    (folder / "h.sqlite").chmod(0o444)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("file", ["h.sqlite", "new.sqlite"])
def test_what_may_not_be_written_is_named(foreign: Path, file: str) -> None:
    told = _as_somebody(lambda: refusal(foreign / file))
    assert told.startswith(f"history {foreign / file}: cannot be ")
    assert "read-only" in told or "readable and writable" in told or "Permission denied" in told


def _as_somebody(question: Callable[[], str]) -> str:
    """The answer to a question that a process without privileges asks."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(UNPRIVILEGED)
                os.setuid(UNPRIVILEGED)
            os.write(writing, question().encode())
        except BaseException:  # noqa: BLE001 - the child has to end here, whatever it met
            os.write(writing, traceback.format_exc().encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        return answer.read()


def test_a_full_disk_is_named_and_nothing_is_half_written(local: History) -> None:
    begin_run(local, run())
    with local.directly() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        # SQLite takes this limit for the end of the disk.
        cursor.execute(f"PRAGMA max_page_count={pages + 5}")

    def fill() -> None:
        for number in range(100):
            add_outcome(local, "r1", outcome(f"shop.a.n{number}", message="x" * 2000), environment="prod")

    with pytest.raises(HistoryUnusable) as caught:
        fill()
    assert str(caught.value).startswith(f"history {local.where}: cannot be written: the disk is full")
    record = run_record(local, "r1")
    assert record is not None
    assert 0 < len(record.outcomes) < 100


def test_a_store_that_others_hold_is_waited_for(local: History) -> None:
    begin_run(local, run())
    holder = sqlite3.connect(local.where, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, holder.rollback).start()
    add_outcome(local, "r1", outcome(), environment="prod")
    holder.close()


def test_a_store_that_others_keep_is_named(tmp_path: Path) -> None:
    with History.open(tmp_path / "h.sqlite", timeout_s=0.2) as history:
        begin_run(history, run())
        with closing(sqlite3.connect(tmp_path / "h.sqlite", isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(HistoryUnusable, match=r"was locked by other processes for longer than 0\.2 s"):
                add_outcome(history, "r1", outcome(), environment="prod")
            assert run_record(history, "r1") == run(), "reading goes on meanwhile"
            holder.rollback()
        add_outcome(history, "r1", outcome(), environment="prod")


def test_a_table_that_others_keep_is_named(database: str, postgres: PostgresServer) -> None:
    with History.open(database, timeout_s=0.2) as history:
        begin_run(history, run())
        with postgres.connect(database.rpartition("/")[2], autocommit=False) as holder:
            holder.execute("LOCK TABLE outcomes IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(HistoryUnusable, match=r"the server did not get it done within 0\.2 s"):
                add_outcome(history, "r1", outcome(), environment="prod")


def test_a_store_that_vanishes_is_named(tmp_path: Path) -> None:
    history = History.open(tmp_path / "h.sqlite")
    history.engine.dispose()
    (tmp_path / "h.sqlite").unlink()
    with pytest.raises(HistoryUnusable, match="cannot be opened: its file and folder have to be"):
        begin_run(history, run())
    assert not (tmp_path / "h.sqlite").exists(), "an empty store would look like a history without a past"
    history.close()


# PostgreSQL


def test_a_server_that_is_restarted_is_found_again(database: str, postgres: PostgresServer) -> None:
    with History.open(database) as history:
        begin_run(history, run())
        name = database.rpartition("/")[2]
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        add_outcome(history, "r1", outcome(), environment="prod")
        record = run_record(history, "r1")
        assert record is not None
        assert [kept.criterion for kept in record.outcomes] == [outcome().criterion]


def test_trouble_with_a_server_is_named(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    server = f"127.0.0.1:{postgres.port}"
    for where, password, told in (
        (f"postgresql://postgres@{server}/none", PASSWORD, "the database does not exist: create it first"),
        (f"postgresql://postgres@{server}/postgres", "wrong-password", "the server refused the login"),
        (f"postgresql://nobody@{server}/postgres", PASSWORD, "the server refused the login"),
        (f"postgresql://postgres@{server}/postgres", None, "asks for a password: set 'password' under 'history'"),
        (f"postgresql://blind@{server}/postgres", PASSWORD, "the role may not do this"),
        (f"postgresql://me@127.0.0.1:{free_port()}/h", PASSWORD, "the server refused the connection: is it up?"),
        ("postgresql://me@no-such-host.invalid/h", PASSWORD, "the name of the server cannot be resolved"),
    ):
        said = refusal(where, password=password)
        assert said.startswith(f"history {where}: ")
        assert told in said
        assert PASSWORD not in said
        assert "wrong-password" not in said


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (rogues.silent, "the server did not answer within 2 s"),
        (rogues.closing, "the server closed the connection"),
        (rogues.web_page, "does not speak PostgreSQL's protocol"),
        (rogues.always(b"N"), "closed|does not speak|did not answer"),
    ],
)
def test_servers_that_misbehave_are_named(
    behaviour: rogues.Behaviour, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "CONNECT_S", 2.0)
    monkeypatch.setattr("golive.history.store.CONNECT_S", 2.0)
    with rogues.rogue(behaviour) as port:
        said = refusal(f"postgresql://me@127.0.0.1:{port}/h", password=PASSWORD)
    assert any(part in said for part in told.split("|")), said


def test_the_password_is_nowhere(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD")
    with History.open(database, password=PASSWORD) as history:
        begin_run(history, run())
        shown = [repr(history), history.where, repr(history.engine), str(history.engine.url), repr(history.engine.pool)]
        with history.writing() as connection:
            connection.execute(sa.text("DROP TABLE outcomes CASCADE"))
        try:
            add_outcome(history, "r1", outcome(message=PASSWORD), environment="prod")
        except HistoryUnusable:
            shown.append(traceback.format_exc())
        assert len(shown) == 6
        assert "its tables have gone" in shown[-1]
        assert not [text for text in shown if PASSWORD in text]


def test_a_handle_shares_nothing_with_its_transaction_when_it_fails(history: History) -> None:
    """What was written in a block that failed is undone."""
    begin_run(history, run())

    def break_off() -> None:
        with history.writing() as connection:
            connection.execute(sa.delete(RUNS))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        break_off()
    assert run_record(history, "r1") == run()
    with history.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(OUTCOMES)).scalar() == 0


def test_a_power_cut_undoes_nothing_that_is_said_once(local: History) -> None:
    """SQLite is told to sync before such a commit returns, and not for each outcome."""
    with local.writing(durable=True) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    with local.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_sqlalchemy_is_imported_only_where_a_history_is_opened() -> None:
    """It takes a fifth of a second, which a listing of criteria or `--help` would pay for nothing."""
    code = (
        "import sys, golive.history.store, golive.history.records, golive.history.criteria_sets, fixtures.session, "
        "fixtures.past, commands.watching.history, commands.main; print('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
