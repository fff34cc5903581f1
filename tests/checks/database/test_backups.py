"""database/backup_recent, backup_size, backup_readable and backup_restores."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checks.database import backup_readable, backup_recent, backup_restores, backup_size
from golive.model import Status
from golive.targets.backups import Backups
from golive.targets.postgres import Database
from golive.targets.scratch import PREFIX, Scratch
from tests import dumps
from tests.dumps import SCHEMA, Shelf
from tests.judged import Judged, judged, written
from tests.servers import PostgresServer


@pytest.fixture
def shelf(server: PostgresServer, tmp_path: Path) -> Shelf:
    return Shelf(tmp_path, server)


def recent(backups: Backups, **keys: object) -> Judged:
    criterion = written(backup_recent.Params, backup="nightly", **keys)
    return judged(backup_recent.test_newest_backup_is_recent, criterion=criterion, backup=backups)


def sized(backups: Backups, **keys: object) -> Judged:
    criterion = written(backup_size.Params, backup="nightly", **keys)
    return judged(backup_size.test_newest_backup_has_not_shrunk, criterion=criterion, backup=backups)


def readable(backups: Backups, **keys: object) -> Judged:
    criterion = written(backup_readable.Params, backup="nightly", **keys)
    return judged(backup_readable.test_newest_backup_is_readable, criterion=criterion, backup=backups)


def test_a_recent_backup_passes(shelf: Shelf) -> None:
    shelf.put("a.dump", b"1", age_s=7000)
    shelf.put("b.dump", b"1", age_s=90)
    found = recent(shelf.backups())
    assert found.status is Status.PASS
    assert found.message.startswith("age of the newest backup: 1.5")
    assert "min, below 120 min needed (b.dump of 20" in found.message
    assert "a.dump: 1 B" in found.seen


def test_an_old_backup_fails(shelf: Shelf) -> None:
    shelf.put("a.dump", b"1", age_s=7300)
    found = recent(shelf.backups())
    assert found.status is Status.FAIL
    assert "age of the newest backup: 122 min, below 120 min needed (a.dump" in found.message
    assert recent(shelf.backups(), limit="3 h").status is Status.PASS


def test_no_backup_at_all_fails(shelf: Shelf) -> None:
    shelf.put("unrelated.txt", b"1")
    for found in (recent(shelf.backups()), sized(shelf.backups()), readable(shelf.backups())):
        assert found.status is Status.FAIL
        assert found.message == f"there is no backup: no file matches app:{shelf.folder}/*.dump"


def test_a_backup_from_the_future_is_unknown(shelf: Shelf) -> None:
    shelf.put("a.dump", b"1", age_s=-600)
    found = recent(shelf.backups())
    assert found.status is Status.UNKNOWN
    assert "s in the future: the clocks of host and verifier differ" in found.message


def test_a_folder_that_is_gone_is_unknown(shelf: Shelf) -> None:
    gone = Shelf(shelf.folder / "gone", shelf.server)
    for found in (recent(gone.backups()), sized(gone.backups()), readable(gone.backups())):
        assert found.status is Status.UNKNOWN
        assert "cannot be listed" in found.message


def test_sizes_are_compared_with_the_ones_before(shelf: Shelf) -> None:
    for age, size in ((400, 900), (300, 1000), (200, 1100), (100, 0)):
        shelf.put(f"{age}.dump", b"x" * size, age_s=age)
    newest = shelf.put("new.dump", b"x" * 600)
    found = sized(shelf.backups())
    assert found.status is Status.PASS
    assert found.value("size against the ones before") == 60
    newest.write_bytes(b"x" * 499)
    found = sized(shelf.backups())
    assert found.status is Status.FAIL
    assert "size against the ones before: 49.9 %, at least 50 % needed (new.dump: 499 B, median of 3" in found.message


def test_an_empty_backup_fails(shelf: Shelf) -> None:
    shelf.put("new.dump", b"")
    for found in (sized(shelf.backups()), readable(shelf.backups())):
        assert found.status is Status.FAIL
        assert found.message == "new.dump is empty"


def test_an_only_backup_needs_a_least_size(shelf: Shelf) -> None:
    shelf.put("new.dump", b"x" * 5000)
    found = sized(shelf.backups())
    assert found.status is Status.UNKNOWN
    assert "new.dump is the only backup" in found.message
    assert sized(shelf.backups(), at_least="5 kB").status is Status.PASS
    found = sized(shelf.backups(), at_least="6 kB")
    assert found.message == "size of the newest backup: 5 kB, at least 6 kB needed (new.dump)"


def test_a_good_backup_is_readable(shelf: Shelf) -> None:
    shelf.dump()
    found = readable(shelf.backups(), expected_database="shop", tables=["users", "public.orders", "my table"])
    assert found.status is Status.PASS
    assert "shop.dump: archive of database shop, read to its end" in found.message
    assert found.value("tables in the backup") == 3


def test_damaged_backups_fail_with_their_cause(shelf: Shelf) -> None:
    dumps.cut_off(shelf.dump())
    found = readable(shelf.backups())
    assert found.status is Status.FAIL
    assert found.message == "shop.dump is not readable to its end (could not read from input file: end of file)"
    dumps.flip_a_byte(shelf.dump())
    assert "could not uncompress data" in readable(shelf.backups()).message
    shelf.put("shop.dump", os.urandom(5000))
    assert readable(shelf.backups()).message == "shop.dump is neither an archive of pg_dump nor its SQL"


def test_a_backup_of_another_database_fails(shelf: Shelf, server: PostgresServer) -> None:
    server.create_database("other", "CREATE TABLE things (id int)")
    shelf.dump(database="other")
    server.drop_database("other")
    found = readable(shelf.backups(), expected_database="shop", tables=["users", "orders"])
    assert found.status is Status.FAIL
    assert "shop.dump: taken from the database other, not from shop" in found.message
    assert "shop.dump: no data of users, orders in it" in found.message


def test_sql_does_not_say_where_it_is_from(shelf: Shelf) -> None:
    shelf.dump("shop.dump", form="-Fp")
    assert readable(shelf.backups(), expected_database="shop").status is Status.UNKNOWN
    assert readable(shelf.backups(), expected_database="shop", tables=["users"]).status is Status.PASS
    assert "no data of lost in it" in readable(shelf.backups(), tables=["lost"]).message


def test_a_tool_that_is_too_old_is_unknown(shelf: Shelf) -> None:
    dumps.from_the_future(shelf.dump())
    found = readable(shelf.backups())
    assert found.status is Status.UNKNOWN
    assert "its pg_restore is too old for shop.dump" in found.message


@pytest.fixture
def scratch(server: PostgresServer) -> Scratch:
    return Scratch("scratch", server.section(user="golive_scratch"))


def restored(backups: Backups, database: Database, scratch: Scratch, **keys: object) -> Judged:
    given = {"backup": "nightly", "database": "main", "scratch": "scratch", **keys}
    check = backup_restores.test_newest_backup_restores
    criterion = written(backup_restores.Params, **given)
    return judged(check, criterion=criterion, backup=backups, database=database, scratch=scratch)


def leftovers(server: PostgresServer) -> int:
    with server.connect() as session:
        found = session.execute(f"SELECT count(*) FROM pg_database WHERE datname LIKE '{PREFIX}%'").fetchone()
    return found[0] if found else 0


def test_a_good_backup_restores(shelf: Shelf, database: Database, scratch: Scratch) -> None:
    shelf.dump()
    found = restored(shelf.backups(), database, scratch)
    assert found.status is Status.PASS
    assert found.value("public.orders restored") == 1000
    assert "public.users: 400 restored, 400 live" in found.seen
    assert leftovers(shelf.server) == 0


def test_a_backup_that_lost_rows_fails(shelf: Shelf, server: PostgresServer, scratch: Scratch) -> None:
    server.create_database(
        "smaller", f'{SCHEMA}; DELETE FROM orders WHERE id > 900; DELETE FROM users; DROP TABLE "my table"'
    )
    shelf.dump(database="smaller")
    server.drop_database("smaller")
    database = Database("main", server.section("shop"))
    found = restored(shelf.backups(), database, scratch)
    assert found.status is Status.FAIL
    assert "public.orders: 900 rows in shop.dump, 1000 live, which differs by more than 50" in found.message
    assert "public.users: 0 rows in shop.dump, 400 live" in found.message
    named = restored(shelf.backups(), database, scratch, tables=["my table", "users"], tolerance=20, slack=1000)
    database.close()
    assert "shop.dump: the table public.my table is not in it" in named.message
    assert "public.users: empty in shop.dump, 400 rows live" in named.message
    assert "orders" not in named.message


def test_a_backup_that_cannot_be_restored_fails(shelf: Shelf, database: Database, scratch: Scratch) -> None:
    dumps.flip_a_byte(shelf.dump())
    found = restored(shelf.backups(), database, scratch)
    assert found.status is Status.FAIL
    assert found.message.startswith("shop.dump cannot be restored (could not uncompress data")
    assert leftovers(shelf.server) == 0


def test_a_backup_without_tables_fails(
    shelf: Shelf, server: PostgresServer, database: Database, scratch: Scratch
) -> None:
    server.create_database("hollow")
    shelf.dump(database="hollow")
    server.drop_database("hollow")
    found = restored(shelf.backups(), database, scratch)
    assert found.message == "shop.dump: no table in it"


def test_restoring_where_one_cannot_look_is_unknown(
    shelf: Shelf, server: PostgresServer, database: Database, blind: Database, scratch: Scratch
) -> None:
    shelf.dump()
    powerless = Scratch("scratch", server.section(user="blind"))
    found = restored(shelf.backups(), database, powerless)
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("database scratch: permission denied")
    found = restored(shelf.backups(), blind, scratch)
    assert found.status is Status.UNKNOWN
    assert "permission denied for table users" in found.message
    assert leftovers(server) == 0


def test_a_tolerance_of_everything_is_refused() -> None:
    given = {"backup": "nightly", "database": "main", "scratch": "scratch"}
    assert written(backup_restores.Params, **given, tolerance=100).asserts_nothing()
    assert not written(backup_restores.Params, **given).asserts_nothing()


def test_age_is_measured_against_the_given_time(shelf: Shelf) -> None:
    shelf.put("a.dump", b"1")
    criterion = written(backup_recent.Params, backup="nightly")
    later = datetime.now(UTC) + timedelta(hours=3)
    check = backup_recent.test_newest_backup_is_recent
    assert judged(check, criterion=criterion, backup=shelf.backups(), now=later).status is Status.FAIL
