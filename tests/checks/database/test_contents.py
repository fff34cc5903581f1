"""database/rows, admins, roles, invariants and corruption."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from checks.database import admins, corruption, invariants, roles, rows
from fixtures.context import RunContext
from golive.environment.sections import DatabaseSection
from golive.model import Status
from golive.targets.postgres import Database
from tests.checks.database.conftest import next_run
from tests.judged import Judged, judged, written
from tests.servers import PostgresServer, free_port, running_postgres


def gone() -> Database:
    return Database("main", DatabaseSection(url=f"postgresql://golive@127.0.0.1:{free_port()}/shop"))


def found_rows(database: Database, context: RunContext, **keys: object) -> Judged:
    criterion = written(rows.Params, **{"database": "main", "query": "SELECT count(*) FROM users", **keys})
    return judged(rows.test_query_finds_enough_rows, criterion=criterion, database=database, context=context)


def test_enough_rows_pass(database: Database, context: RunContext) -> None:
    found = found_rows(database, context)
    assert found.status is Status.PASS
    assert found.message == "rows: 400 rows, at least 1 rows needed"


def test_too_few_or_too_many_rows_fail(database: Database, context: RunContext) -> None:
    found = found_rows(database, context, query="SELECT count(*) FROM users WHERE id < 0")
    assert found.status is Status.FAIL
    assert found.message == "rows: 0 rows, at least 1 rows needed"
    found = found_rows(database, context, at_most=399)
    assert found.message == "rows at most: 400 rows, at most 399 rows needed"


def test_rows_lost_since_the_first_look_fail(database: Database, context: RunContext) -> None:
    found_rows(database, context, query="SELECT 1000", keep=90)
    second = next_run(context)
    assert found_rows(database, second, query="SELECT 900", keep=90).status is Status.PASS
    found = found_rows(database, next_run(second), query="SELECT 899", keep=90)
    assert found.status is Status.FAIL
    assert found.message == "rows kept: 899 rows, at least 900 rows needed (1000 at the first look)"


def test_rows_that_cannot_be_counted_are_unknown(database: Database, blind: Database, context: RunContext) -> None:
    assert "unknown table" in found_rows(database, context, query="SELECT count(*) FROM lost").message
    found = found_rows(blind, context)
    assert found.status is Status.UNKNOWN
    assert "permission denied for table users" in found.message
    assert found_rows(gone(), context).status is Status.UNKNOWN


def test_a_count_that_nothing_can_break_is_refused() -> None:
    assert written(rows.Params, database="main", query="SELECT 1", at_least=0).asserts_nothing()
    assert not written(rows.Params, database="main", query="SELECT 1", at_least=0, at_most=3).asserts_nothing()


def privileged(database: Database, query: str, *expected: str) -> Judged:
    criterion = written(admins.Params, database="main", query=query, expected=expected)
    return judged(admins.test_only_expected_users_are_administrators, criterion=criterion, database=database)


def test_expected_administrators_pass(database: Database) -> None:
    found = privileged(database, "SELECT unnest(ARRAY['admin', 'boss'])", "boss", "admin", "on leave")
    assert found.status is Status.PASS
    assert found.seen == "admin\nboss"


def test_an_unexpected_administrator_fails_by_name(database: Database) -> None:
    found = privileged(database, "SELECT unnest(ARRAY['admin', E'ev\\x1bil'])", "admin")
    assert found.status is Status.FAIL
    assert found.message == "unexpected administrators: 1 users, at most 0 users needed (ev?il)"


def test_a_query_that_finds_nobody_is_not_trusted(database: Database) -> None:
    assert privileged(database, "SELECT 'x' WHERE false").status is Status.PASS
    found = privileged(database, "SELECT 'x' WHERE false", "admin")
    assert found.status is Status.UNKNOWN
    assert "finds none of the expected administrators" in found.message
    assert privileged(gone(), "SELECT 1", "admin").status is Status.UNKNOWN


def powerful(database: Database, *expected: str) -> Judged:
    criterion = written(roles.Params, database="main", expected=expected)
    return judged(roles.test_only_expected_roles_are_powerful, criterion=criterion, database=database)


@pytest.fixture
def intruder(server: PostgresServer) -> Iterator[str]:
    yield "intruder"
    for name in ("intruder", "middle"):
        with suppress(psycopg.Error):
            server.execute(f"DROP ROLE {name}")


def test_expected_powerful_roles_pass(database: Database) -> None:
    assert powerful(database, "postgres").status is Status.PASS
    found = powerful(database)
    assert found.message == "unexpected powerful roles: 1 roles, at most 0 roles needed (postgres (superuser))"


@pytest.mark.parametrize(
    ("grant", "why"),
    [
        ("CREATE ROLE intruder LOGIN SUPERUSER", "superuser"),
        ("CREATE ROLE intruder LOGIN CREATEROLE", "may create roles"),
        ("CREATE ROLE intruder LOGIN BYPASSRLS", "bypasses row security"),
        (
            "CREATE ROLE middle; GRANT postgres TO middle; CREATE ROLE intruder LOGIN IN ROLE middle",
            "member of postgres",
        ),
        (
            "CREATE ROLE intruder LOGIN IN ROLE pg_execute_server_program",
            "member of pg_execute_server_program",
        ),
    ],
)
def test_a_powerful_role_fails_by_name(
    server: PostgresServer, database: Database, intruder: str, grant: str, why: str
) -> None:
    server.execute(grant)
    found = powerful(database, "postgres")
    assert found.status is Status.FAIL
    assert f"({intruder} ({why}))" in found.message
    server.execute("ALTER ROLE intruder NOLOGIN")
    assert powerful(database, "postgres").status is Status.PASS


def held(database: Database, **named: str) -> Judged:
    criterion = written(invariants.Params, database="main", invariants=named)
    return judged(invariants.test_invariants_hold, criterion=criterion, database=database)


def test_invariants_that_hold_pass(database: Database) -> None:
    found = held(
        database, rows="SELECT id FROM orders WHERE total < 0", count="SELECT count(*) FROM orders WHERE total < 0"
    )
    assert found.status is Status.PASS
    assert "rows: 0 violations" in found.message


def test_broken_invariants_fail_with_their_first_rows(server: PostgresServer, database: Database) -> None:
    server.execute("INSERT INTO orders SELECT g, -g FROM generate_series(2001, 2300) g", database="shop")
    try:
        found = held(
            database,
            rows="SELECT id, total FROM orders WHERE total < 0 ORDER BY id",
            count="SELECT count(*) FROM orders WHERE total < 0",
        )
    finally:
        server.execute("DELETE FROM orders WHERE total < 0", database="shop")
    assert found.status is Status.FAIL
    assert (
        "rows: 200 violations, at most 0 violations needed (or more, first: (2001, -2001); (2002, -2002)"
        in found.message
    )
    assert "count: 300 violations" in found.message
    assert found.seen == "(2001, -2001)\n(2002, -2002)\n(2003, -2003)"


def test_invariants_that_cannot_be_judged_are_unknown(database: Database) -> None:
    found = held(database, fine="SELECT 0", null="SELECT sum(total) FROM orders WHERE false", lost="SELECT * FROM lost")
    assert found.status is Status.UNKNOWN
    assert "null: the query gives NULL" in found.message
    assert "lost: database main: unknown table" in found.message
    assert held(gone(), fine="SELECT 0").status is Status.UNKNOWN
    assert written(invariants.Params, database="main", invariants={}).asserts_nothing()


def damaged(database: Database, **keys: object) -> Judged:
    criterion = written(corruption.Params, database="main", **keys)
    return judged(corruption.test_no_data_is_damaged, criterion=criterion, database=database)


def test_sound_data_passes(database: Database) -> None:
    found = damaged(database)
    assert found.status is Status.PASS
    assert "checksum failures: 0 failures" in found.message
    assert "indexes were not verified by amcheck, as it is not installed" in found.message


def test_an_invalid_index_fails_by_name(server: PostgresServer, database: Database) -> None:
    session = server.connect("shop")
    session.execute("CREATE TABLE twice AS SELECT 1 AS id UNION ALL SELECT 1")
    try:
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.execute("CREATE UNIQUE INDEX CONCURRENTLY twice_once ON twice (id)")
        found = damaged(database)
    finally:
        session.execute("DROP TABLE twice")
    assert found.status is Status.FAIL
    assert "invalid indexes: 1 indexes, at most 0 indexes needed (twice_once: REINDEX or drop)" in found.message


def test_a_damaged_page_fails(server: PostgresServer, database: Database) -> None:
    server.create_database("wreck", "CREATE TABLE hull AS SELECT g FROM generate_series(1, 100) g")
    server.execute("CHECKPOINT")
    # A copy by files is not in the server's memory, so that its damage is met at the first reading.
    server.execute("CREATE DATABASE sunk TEMPLATE wreck STRATEGY file_copy")
    try:
        with server.connect("sunk") as session:
            where = session.execute("SELECT pg_relation_filepath('hull')").fetchone()
            assert where is not None
            with (server.data / where[0]).open("r+b") as file:
                file.seek(4000)
                file.write(os.urandom(64))
            with pytest.raises(psycopg.errors.DataCorrupted):
                session.execute("SELECT count(*) FROM hull")
        found = damaged(database)
    finally:
        server.drop_database("sunk")
        server.drop_database("wreck")
    assert found.status is Status.FAIL
    assert "checksum failures: 1 failures, at most 0 failures needed (sunk: 1)" in found.message
    assert damaged(database).status is Status.PASS


def test_without_checksums_nothing_is_known(context: RunContext) -> None:
    with running_postgres(checksums=False) as plain:
        database = Database("main", plain.section())
        unknown, failed = damaged(database), damaged(database, require_checksums=True)
        database.close()
    assert unknown.status is Status.UNKNOWN
    assert "data checksums are off, so damaged pages go unnoticed" in unknown.message
    assert failed.status is Status.FAIL


def test_no_server_is_unknown() -> None:
    assert damaged(gone()).status is Status.UNKNOWN
    assert powerful(gone()).status is Status.UNKNOWN
