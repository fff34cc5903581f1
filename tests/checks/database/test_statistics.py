"""database/statistics and database/activity."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from checks.database import activity, statistics
from fixtures.context import RunContext
from golive.environment.sections import DatabaseSection
from golive.model import Status, utc_text
from golive.targets.postgres import Database
from tests.checks.database.conftest import next_run
from tests.judged import Judged, judged, written
from tests.servers import PostgresServer, free_port

KEY = "database:shop.area.name:transactions"


def counted(database: Database, context: RunContext, **keys: object) -> Judged:
    criterion = written(statistics.Params, **{"database": "main", **keys})
    return judged(statistics.test_statistics_are_recorded, criterion=criterion, database=database, context=context)


def test_statistics_are_measured(database: Database, context: RunContext) -> None:
    found = counted(database, context)
    assert found.status is Status.PASS
    assert found.value("backends") >= 1
    assert found.value("commits") > 0
    assert "first look at these counters" in found.message


def test_many_rollbacks_fail(server: PostgresServer, database: Database, context: RunContext) -> None:
    counted(database, context)
    before = database.number("SELECT xact_rollback FROM pg_stat_database WHERE datname = 'shop'")
    with server.connect("shop") as session:
        for _ in range(300):
            session.execute("BEGIN")
            session.execute("ROLLBACK")
    deadline = time.monotonic() + 5
    while database.number("SELECT xact_rollback FROM pg_stat_database WHERE datname = 'shop'") < before + 300:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    second = next_run(context)
    found = counted(database, second, rollback_share=20)
    assert found.status is Status.FAIL
    assert "rollback share: " in found.message
    assert "below 20 % needed (300 of 3" in found.message
    assert counted(database, second).status is Status.PASS
    assert counted(database, second, rollback_share=20, at_least_transactions=100_000).status is Status.PASS


def test_a_database_that_commits_nothing_fails(database: Database, context: RunContext) -> None:
    earlier = utc_text(datetime.now(UTC) - timedelta(minutes=5))
    for _ in range(20):
        # A session's own commits reach the counters at most once a second, and rarely just between these two looks.
        commits, reset_at = database.row(
            "SELECT xact_commit, greatest(stats_reset, pg_postmaster_start_time())"
            " FROM pg_stat_database WHERE datname = current_database()"
        )
        reset = utc_text(reset_at)
        context.state.put(KEY, {"commits": commits, "rollbacks": 0, "reset": reset, "at": earlier})
        context.state.commit()
        found = counted(database, context)
        if found.status is Status.FAIL:
            break
    assert found.status is Status.FAIL
    assert found.message.startswith("database main: not one commit in the 300 s since the last look")


def test_counters_of_another_server_are_a_new_beginning(database: Database, context: RunContext) -> None:
    (commits,) = database.row("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
    earlier = utc_text(datetime.now(UTC) - timedelta(minutes=5))
    context.state.put(KEY, {"commits": commits, "rollbacks": 0, "reset": "2026-01-01T00:00:00.000Z", "at": earlier})
    context.state.commit()
    found = counted(database, context)
    assert found.status is Status.PASS
    assert "first look at these counters" in found.message


def test_counters_that_went_back_are_a_new_beginning(database: Database, context: RunContext) -> None:
    past = utc_text(datetime.now(UTC) - timedelta(minutes=5))
    context.state.put(KEY, {"commits": 10**9, "rollbacks": 0, "reset": None, "at": past})
    found = counted(database, next_run(context))
    assert found.status is Status.PASS
    assert "first look" in found.message


def test_no_server_is_unknown(context: RunContext) -> None:
    gone = Database("main", DatabaseSection(url=f"postgresql://golive@127.0.0.1:{free_port()}/shop"))
    assert counted(gone, context).status is Status.UNKNOWN
    assert active(gone, context, orders="SELECT 1").status is Status.UNKNOWN


def active(database: Database, context: RunContext, *, keys: dict[str, object] | None = None, **metrics: str) -> Judged:
    criterion = written(activity.Params, database="main", metrics=metrics, **(keys or {}))
    return judged(activity.test_activity_is_usual, criterion=criterion, database=database, context=context)


def test_activity_is_recorded(database: Database, context: RunContext) -> None:
    found = active(database, context, orders="SELECT count(*) FROM orders", users="SELECT count(*) FROM users")
    assert found.status is Status.PASS
    assert (found.value("orders"), found.value("users")) == (1000, 400)


def test_no_activity_warns_or_fails(database: Database, context: RunContext) -> None:
    none = "SELECT count(*) FROM orders WHERE id < 0"
    assert active(database, context, orders=none).status is Status.WARN
    found = active(database, context, keys={"zero": "fail"}, orders=none)
    assert found.status is Status.FAIL
    assert found.message == "orders: none at all"
    assert active(database, context, keys={"zero": "pass"}, orders=none).status is Status.PASS


def test_a_jump_warns_or_fails(database: Database, context: RunContext) -> None:
    active(database, context, orders="SELECT 100")
    second = next_run(context)
    assert active(database, second, orders="SELECT 299").status is Status.PASS
    found = active(database, second, orders="SELECT 301")
    assert found.status is Status.WARN
    assert found.message == "orders: 301, more than 3 times the 100 of the last look"
    assert active(database, second, keys={"jump": "fail"}, orders="SELECT 301").status is Status.FAIL
    assert active(database, second, keys={"jump_from": 500}, orders="SELECT 301").status is Status.PASS


def test_a_metric_that_cannot_be_read_is_unknown(database: Database, context: RunContext) -> None:
    found = active(database, context, orders="SELECT count(*) FROM orders", lost="SELECT count(*) FROM lost")
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("lost: database main: unknown table")
    assert written(activity.Params, database="main", metrics={}).asserts_nothing()
