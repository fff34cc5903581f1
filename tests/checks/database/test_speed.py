"""database/query_time and database/performance."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

import psycopg

from checks.database import performance, query_time
from fixtures.context import RunContext
from golive.environment.sections import DatabaseSection
from golive.model import Status
from golive.targets.postgres import Database
from tests.checks.database.conftest import next_run
from tests.judged import Judged, judged, run_context, written
from tests.servers import PostgresServer, free_port

QUICK = {"orders": "SELECT count(*) FROM orders"}


def timed(database: Database, **keys: object) -> Judged:
    criterion = written(query_time.Params, **{"database": "main", "queries": QUICK, **keys})
    return judged(query_time.test_queries_stay_below_limit, criterion=criterion, database=database)


def test_quick_queries_pass(database: Database) -> None:
    found = timed(database)
    assert found.status is Status.PASS
    assert found.value("orders") < 100
    assert "below 500 ms needed (as the server measured it)" in found.message
    assert found.seen.startswith("orders: ")


def test_a_slow_query_fails_by_name(database: Database) -> None:
    found = timed(database, queries={**QUICK, "sleepy": "SELECT pg_sleep(0.06)"}, critical="50 ms")
    assert found.status is Status.FAIL
    assert found.message.startswith("sleepy: 6")
    assert "below 50 ms needed" in found.message


def test_a_query_that_never_ends_is_slow_if_its_time_was_beyond_the_limit(server: PostgresServer) -> None:
    database = Database("main", server.section("shop", statement_timeout="200 ms"))
    endless = {"endless": "SELECT pg_sleep(60)"}
    found = timed(database, queries=endless, critical="100 ms")
    unclear = timed(database, queries=endless, critical="500 ms")
    database.close()
    assert found.status is Status.FAIL
    assert found.message == "endless: not finished after 200 ms, below 100 ms needed"
    assert unclear.status is Status.UNKNOWN
    assert "endless: database main: cancelled the statement after its time limit" in unclear.message


def test_a_query_that_cannot_run_is_unknown(database: Database) -> None:
    found = timed(database, queries={**QUICK, "lost": "SELECT * FROM lost"})
    assert found.status is Status.UNKNOWN
    assert 'lost: database main: unknown table (relation "lost" does not exist)' in found.message
    found = timed(database, queries={"writing": "DELETE FROM orders"})
    assert "permission denied" in found.message or "refused to write" in found.message


def test_nothing_to_measure_is_refused() -> None:
    assert written(query_time.Params, database="main", queries={}).asserts_nothing() == "'queries' is empty"
    assert written(query_time.Params, database="main", queries=QUICK).asserts_nothing() is None


def performed(database: Database, context: RunContext, **keys: object) -> Judged:
    criterion = written(performance.Params, **{"database": "main", **keys})
    check = performance.test_queries_run_as_fast_as_at_first
    return judged(check, criterion=criterion, database=database, context=context)


def test_a_calm_database_performs(database: Database, context: RunContext) -> None:
    found = performed(database, context)
    assert found.status is Status.PASS
    assert "longest active query: 0 s, below 30 s needed" in found.message
    assert "pg_stat_statements is not installed, so only running queries are judged" in found.message


def test_a_query_that_runs_for_long_fails(server: PostgresServer, database: Database, context: RunContext) -> None:
    session = server.connect("shop", application_name="till")

    def sleep() -> None:
        with suppress(psycopg.Error):
            session.execute("SELECT pg_sleep(30)")

    thread = threading.Thread(target=sleep, daemon=True)
    thread.start()
    time.sleep(0.3)
    found = performed(database, context, limit="200 ms")
    assert performed(database, context, limit="200 ms", except_applications=["till"]).status is Status.PASS
    session.cancel()
    thread.join(5)
    assert found.status is Status.FAIL
    assert "below 0.2 s needed (pid " in found.message
    assert "till: SELECT pg_sleep(30))" in found.message


def test_a_query_twice_as_slow_as_at_first_fails(
    server: PostgresServer, database: Database, context: RunContext
) -> None:
    server.execute(
        "CREATE VIEW slow AS SELECT pg_sleep(0.03)::text AS slept; GRANT SELECT ON slow TO golive", database="shop"
    )
    try:
        queries = {"report": "SELECT * FROM slow"}
        first = performed(database, context, queries=queries)
        assert first.status is Status.PASS
        assert "first look since deployment" in first.message
        second = next_run(context)
        assert performed(database, second, queries=queries).status is Status.PASS
        server.execute("CREATE OR REPLACE VIEW slow AS SELECT pg_sleep(0.1)::text AS slept", database="shop")
        third = next_run(second)
        found = performed(database, third, queries=queries)
        assert found.status is Status.FAIL
        assert "query report: 10" in found.message
        assert "ms at the first look)" in found.message
        absolute = performed(database, run_context(context.directory / "new"), queries=queries, critical="50 ms")
        assert absolute.status is Status.FAIL, "a limit of its own holds at the first look already"
        again = run_context(context.directory, deployment={"deployed_at": datetime.now(UTC)})
        assert performed(database, again, queries=queries).status is Status.PASS, "a new deployment is a new first look"
    finally:
        server.execute("DROP VIEW slow", database="shop")


def test_queries_that_cannot_be_measured_are_told_by_name(database: Database, context: RunContext) -> None:
    found = performed(database, context, queries={"lost": "SELECT * FROM lost", **QUICK})
    assert found.status is Status.UNKNOWN
    assert found.message.startswith('query lost: database main: unknown table (relation "lost" does not exist)')
    assert found.value("query orders") < 100
    endless = {"endless": "SELECT pg_sleep(60)"}
    assert performed(database, context, queries=endless).status is Status.UNKNOWN
    found = performed(database, context, queries=endless, critical="900 ms")
    assert found.status is Status.FAIL
    assert found.message.startswith("query endless: database main: cancelled the statement after its time limit")


def test_fast_is_fast_however_it_compares(database: Database, context: RunContext) -> None:
    context.state.put("database:shop.area.name:first", {"deployed_at": "", "query orders": 0.0001})
    assert performed(database, next_run(context), queries=QUICK).status is Status.PASS


def test_what_cannot_be_seen_is_unknown(blind: Database, context: RunContext) -> None:
    assert performed(blind, context).status is Status.UNKNOWN
    gone = Database("main", DatabaseSection(url=f"postgresql://golive@127.0.0.1:{free_port()}/shop"))
    found = performed(gone, context)
    assert found.status is Status.UNKNOWN
    assert "refused the connection" in found.message
