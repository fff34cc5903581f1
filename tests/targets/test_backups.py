"""`Backups` and `Scratch` on real dumps, whole and spoilt."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from golive.model import CouldNotLook
from golive.targets.backups import Backups, Damaged, Format
from golive.targets.dumps import contents_of_archive
from golive.targets.scratch import PREFIX, Scratch
from tests import dumps
from tests.dumps import Shelf
from tests.judged import written
from tests.servers import PostgresServer, running_postgres


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres() as running:
        running.create_database("shop", dumps.SCHEMA)
        yield running


@pytest.fixture
def shelf(server: PostgresServer, tmp_path: Path) -> Shelf:
    return Shelf(tmp_path, server)


@pytest.fixture
def scratch(server: PostgresServer) -> Scratch:
    return Scratch("scratch", server.section(user="golive_scratch"))


def leftovers(server: PostgresServer) -> list[str]:
    with server.connect() as session:
        return [row[0] for row in session.execute(f"SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'")]


def test_files_are_listed_newest_first(shelf: Shelf) -> None:
    shelf.put("old it's.dump", b"123", age_s=100)
    shelf.put("new $(touch x).dump", b"1", age_s=10)
    shelf.put("other.txt", b"1")
    (shelf.folder / "folder.dump").mkdir()
    backups = shelf.backups()
    assert [(f.name, f.size_bytes) for f in backups.files] == [("new $(touch x).dump", 1), ("old it's.dump", 3)]
    assert backups.newest == backups.files[0]
    assert not (shelf.folder / "x").exists()
    assert shelf.backups("*.none").newest is None


def test_a_folder_that_is_not_there(shelf: Shelf) -> None:
    gone = Shelf(shelf.folder / "gone", shelf.server)
    with pytest.raises(CouldNotLook, match=r"backups nightly: app:.*/gone/\*\.dump cannot be listed"):
        _ = gone.backups().files


def test_rubbish_from_a_listing(shelf: Shelf) -> None:
    shelf.put("a\nb.dump", b"1")
    with pytest.raises(CouldNotLook, match="the host listed its files oddly"):
        _ = shelf.backups().files


@pytest.mark.parametrize("form", ["-Fc", "-Ft", "-Fp"])
@pytest.mark.parametrize("zipped", [False, True])
def test_every_form_is_understood_and_restored(shelf: Shelf, scratch: Scratch, form: str, zipped: bool) -> None:
    file = shelf.dump("shop.out", form=form)
    if zipped:
        dumps.zip_it(file)
    backups = shelf.backups("*.gz" if zipped else "*.out")
    newest = backups.files[0]
    contents = backups.contents(newest)
    assert contents.format is (Format.SQL if form == "-Fp" else Format.ARCHIVE)
    assert contents.database == (None if form == "-Fp" else "shop")
    assert contents.tables == {"public.users", "public.orders", "public.my table"}
    backups.read_to_the_end(newest)
    with scratch.empty_database() as made:
        backups.restore(newest, made.variables)
        assert made.database.number("SELECT count(*) FROM orders") == 1000
    assert not leftovers(shelf.server)


def _damage(backups: Backups) -> str:
    with pytest.raises(Damaged) as raised:
        backups.read_to_the_end(backups.files[0])
    return str(raised.value)


def test_damage_is_found(shelf: Shelf) -> None:
    dumps.cut_off(shelf.dump("a.dump"))
    assert "could not read from input file: end of file" in _damage(shelf.backups("a.dump"))
    dumps.flip_a_byte(shelf.dump("b.dump"))
    assert "could not uncompress data" in _damage(shelf.backups("b.dump"))
    shelf.put("c.dump", b"")
    assert _damage(shelf.backups("c.dump")) == "is empty"
    shelf.put("d.dump", os.urandom(20_000))
    assert _damage(shelf.backups("d.dump")) == "is neither an archive of pg_dump nor its SQL"
    dumps.cut_off(shelf.dump("e.sql", form="-Fp"))
    assert "is cut off: its last lines do not say" in _damage(shelf.backups("e.sql"))
    dumps.cut_off(dumps.zip_it(shelf.dump("f.sql", form="-Fp")))
    assert "unexpected end of file" in _damage(shelf.backups("f.sql.gz"))
    shelf.put("g.dump.gz", b"\x1f\x8b not really")
    assert "is not readable to its end" in _damage(shelf.backups("g.dump.gz"))


def test_what_is_no_damage_is_not_called_so(shelf: Shelf) -> None:
    dumps.from_the_future(shelf.dump("a.dump"))
    newer = shelf.backups()
    with pytest.raises(CouldNotLook, match=r"its pg_restore is too old for a\.dump"):
        newer.contents(newer.files[0])
    empty = shelf.folder / "bin"
    empty.mkdir()
    shim = empty / "pg_restore"
    shim.write_text("#!/bin/sh\necho 'sh: 1: pg_restore: not found' >&2; exit 127\n")
    shim.chmod(0o755)
    without = shelf.backups(path=(str(empty),))
    with pytest.raises(CouldNotLook, match="pg_restore is not installed there"):
        without.contents(without.files[0])
    gone = shelf.backups()
    newest = gone.files[0]
    Path(newest.path).unlink()
    with pytest.raises(CouldNotLook, match="a backup cannot be opened there"):
        gone.contents(newest)


def test_sql_that_would_leave_the_scratch_database_is_not_run(shelf: Shelf, scratch: Scratch) -> None:
    shelf.server.tool("pg_dump", "--create", "--file", str(shelf.folder / "c.sql"), "shop")
    backups = shelf.backups("c.sql")
    assert backups.contents(backups.files[0]).database == "shop"
    with scratch.empty_database() as made, pytest.raises(CouldNotLook, match="switches to another database"):
        backups.restore(backups.files[0], made.variables)


def test_a_restore_that_fails_says_why_and_leaves_nothing(shelf: Shelf, scratch: Scratch) -> None:
    dumps.flip_a_byte(shelf.dump())
    backups = shelf.backups()
    with (
        pytest.raises(Damaged, match=r"cannot be restored \(could not uncompress data"),
        scratch.empty_database() as made,
    ):
        backups.restore(backups.files[0], made.variables)
    assert not leftovers(shelf.server)


def test_a_restore_that_takes_too_long_leaves_nothing(shelf: Shelf, scratch: Scratch) -> None:
    shelf.dump()
    slow = shelf.folder / "bin"
    slow.mkdir()
    shim = slow / "pg_restore"
    real = shelf.server.bin / "pg_restore"
    shim.write_text(f'#!/bin/sh\ncase "$*" in *--list*) exec {real} "$@" ;; esac\n{real} "$@"; sleep 20\n')
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    backups = shelf.backups(path=(str(slow),))
    with pytest.raises(CouldNotLook, match=r"did not finish within|no answer within"), scratch.empty_database() as made:
        backups.restore(backups.files[0], made.variables, timeout_s=0.5)
    assert not leftovers(shelf.server)


def test_no_password_is_in_a_process_list(shelf: Shelf, scratch: Scratch) -> None:
    spy = shelf.folder / "bin"
    spy.mkdir()
    (spy / "pg_restore").write_text(
        f'#!/bin/sh\nps -ww -eo args >> {shelf.folder}/processes\nexec {shelf.server.bin}/pg_restore "$@"\n'
    )
    (spy / "pg_restore").chmod(0o755)
    shelf.dump()
    backups = shelf.backups(path=(str(spy),))
    with scratch.empty_database() as made:
        backups.restore(backups.files[0], made.variables)
    seen = (shelf.folder / "processes").read_text()
    assert "pg_restore" in seen
    assert scratch.section.password is not None
    assert scratch.section.password.reveal() not in seen


def test_databases_of_killed_runs_are_dropped_later(server: PostgresServer, scratch: Scratch) -> None:
    old, young, foreign = f"{PREFIX}0000000112345678", f"{PREFIX}ffffffff12345678", f"{PREFIX}0000000187654321"
    for name, owner in ((old, "golive_scratch"), (young, "golive_scratch"), (foreign, "postgres")):
        server.execute(f"CREATE DATABASE {name} OWNER {owner}")
    with scratch.empty_database():
        assert set(leftovers(server)) >= {young, foreign}
        assert old not in leftovers(server)
    for name in (young, foreign):
        server.drop_database(name)


def test_a_role_that_may_not_create_databases(server: PostgresServer) -> None:
    powerless = Scratch("scratch", server.section(user="blind"))
    with pytest.raises(CouldNotLook, match="database scratch: permission denied"), powerless.empty_database():
        pytest.fail("there is no such database")


def test_a_database_that_cannot_be_dropped_is_named(server: PostgresServer, scratch: Scratch) -> None:
    names = []

    def give_away() -> None:
        with scratch.empty_database() as made:
            names.append(made.variables["PGDATABASE"])
            server.execute(f"ALTER DATABASE {names[0]} OWNER TO postgres")

    with pytest.raises(CouldNotLook, match=rf"{PREFIX}\w+ could not be dropped, drop it by hand"):
        give_away()
    server.drop_database(names[0])


def test_a_listing_is_parsed_and_rubbish_is_not() -> None:
    text = ";\n;     dbname: shop\n;     Format: CUSTOM\n;\n"
    text += "7; 0 16389 TABLE DATA public my table postgres\n9; 1 2 INDEX a b c\n"
    contents = contents_of_archive(text)
    assert contents.tables == {"public.my table"}
    assert (contents.database, contents.entries) == ("shop", 2)
    for rubbish in ("", "\x00\x1b[31m", "<html>", ";\n;\n"):
        with pytest.raises(Damaged, match="has no table of contents"):
            contents_of_archive(rubbish)


def test_the_server_is_not_there() -> None:
    from golive.environment.sections import DatabaseSection
    from tests.servers import free_port

    scratch = Scratch("scratch", written(DatabaseSection, url=f"postgresql://x@127.0.0.1:{free_port()}/postgres"))
    with pytest.raises(CouldNotLook, match="refused the connection"), scratch.empty_database():
        pytest.fail("there is no such database")
