"""database/locks and database/long_transactions."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from checks.database import locks, long_transactions
from fixtures.context import RunContext
from golive.model import Status
from golive.targets.postgres import Database
from tests.checks.database.conftest import next_run
from tests.judged import Judged, judged, run_context, written
from tests.servers import PostgresServer

LOCKS = written(locks.Params, database="main", waiting="100 ms", between="50 ms")
OPEN = written(long_transactions.Params, database="main", limit="200 ms", idle_limit="100 ms")


def looked(database: Database, context: RunContext, criterion: locks.Params = LOCKS) -> Judged:
    return judged(locks.test_no_session_waits_for_a_lock, criterion=criterion, database=database, context=context)


@contextmanager
def background(action: Callable[[], Any]) -> Iterator[None]:
    def run() -> None:
        with suppress(psycopg.Error):
            action()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(5)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@contextmanager
def blocked(server: PostgresServer, database: Database) -> Iterator[None]:
    """A till that waits for what a forgotten session holds."""
    holder, waiter = (
        server.connect("shop", application_name="forgotten"),
        server.connect("shop", application_name="till"),
    )
    holder.execute("BEGIN")
    holder.execute("UPDATE orders SET total = 0 WHERE id = 1 /* " + "x" * 500 + " */")
    with background(lambda: waiter.execute("UPDATE orders SET total = 1 WHERE id = 1")):
        until(lambda: bool(database.number("SELECT count(*) FROM pg_locks WHERE NOT granted")))
        yield
        holder.execute("ROLLBACK")


def test_a_calm_database_passes(database: Database, context: RunContext) -> None:
    found = looked(database, context)
    assert found.status is Status.PASS
    assert found.value("blocked sessions") == 0
    assert "deadlocks: 0 deadlocks, at most 0 deadlocks needed" in found.message


def test_a_blocked_session_fails_and_the_blocker_is_named(
    server: PostgresServer, database: Database, context: RunContext
) -> None:
    with blocked(server, database):
        time.sleep(0.1)
        found = looked(database, context)
    assert found.status is Status.FAIL
    assert found.value("blocked sessions") == 1
    assert "longest wait for a lock: 0." in found.message
    assert "below 0.1 s needed" in found.message
    assert "(till: UPDATE orders SET total = 1 WHERE id = 1) has waited" in found.message
    assert "(forgotten, idle in transaction, query of 20" in found.message
    assert "x" * 121 not in found.message


def test_a_short_wait_is_only_measured(server: PostgresServer, database: Database, context: RunContext) -> None:
    patient = written(locks.Params, database="main", waiting="20 s", between="10 ms")
    with blocked(server, database):
        found = looked(database, context, patient)
    assert found.status is Status.PASS
    assert found.value("blocked sessions") == 1


def test_an_idle_transaction_can_be_called_a_lock_problem(
    server: PostgresServer, database: Database, context: RunContext
) -> None:
    server.connect("shop", application_name="till").execute("BEGIN")
    time.sleep(0.15)
    assert looked(database, context).status is Status.PASS
    found = looked(database, context, written(locks.Params, database="main", idle_limit="100 ms"))
    assert found.status is Status.FAIL
    assert re.search(r"longest idle in transaction: 0\.\d+ s, below 0\.1 s needed", found.message)


def test_a_prepared_transaction_can_be_the_blocker(
    server: PostgresServer, database: Database, context: RunContext
) -> None:
    holder, waiter = server.connect("shop"), server.connect("shop", application_name="till")
    holder.execute("BEGIN")
    holder.execute("LOCK TABLE users")
    holder.execute("PREPARE TRANSACTION 'forgotten'")
    try:
        with background(lambda: waiter.execute("SELECT count(*) FROM users")):
            until(lambda: bool(database.number("SELECT count(*) FROM pg_locks WHERE NOT granted")))
            time.sleep(0.1)
            found = looked(database, context)
            old = judged(long_transactions.test_no_transaction_stays_open_for_long, criterion=OPEN, database=database)
            holder.execute("ROLLBACK PREPARED 'forgotten'")
    finally:
        with suppress(psycopg.Error):
            holder.execute("ROLLBACK PREPARED 'forgotten'")
    assert "for a prepared transaction or a session that has ended" in found.message
    assert old.status in (Status.FAIL, Status.PASS)
    assert "prepared transaction of postgres (forgotten)" in old.seen


def deadlock(server: PostgresServer, database: Database) -> None:
    before = database.number("SELECT deadlocks FROM pg_stat_database WHERE datname = 'shop'")
    first, second = server.connect("shop"), server.connect("shop")
    for session, row in ((first, 1), (second, 2)):
        session.execute("BEGIN")
        session.execute(f"UPDATE users SET name = 'x' WHERE id = {row}")
    with background(lambda: first.execute("UPDATE users SET name = 'x' WHERE id = 2")):
        until(lambda: bool(database.number("SELECT count(*) FROM pg_locks WHERE NOT granted")))
        with suppress(psycopg.errors.DeadlockDetected):
            second.execute("UPDATE users SET name = 'x' WHERE id = 1")
        second.execute("ROLLBACK")
    with suppress(psycopg.Error):
        first.execute("ROLLBACK")
    server.forget_sessions()
    until(lambda: database.number("SELECT deadlocks FROM pg_stat_database WHERE datname = 'shop'") > before)


def test_a_deadlock_since_the_last_look_fails_once(
    server: PostgresServer, database: Database, context: RunContext
) -> None:
    looked(database, context)
    deadlock(server, database)
    second = next_run(context)
    found = looked(database, second)
    assert found.status is Status.FAIL
    assert found.message.endswith("deadlocks: 1 deadlocks, at most 0 deadlocks needed (since the last look)")
    assert looked(database, next_run(second)).status is Status.PASS


def test_earlier_deadlocks_of_unknown_age_are_only_the_base(
    server: PostgresServer, database: Database, context: RunContext
) -> None:
    server.execute("SELECT pg_stat_reset()", database="shop")
    deadlock(server, database)
    found = looked(database, context)
    assert found.status is Status.PASS
    assert "1 deadlocks so far, of unknown age: counted from now on" in found.message
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    deployed = run_context(context.directory, deployment={"deployed_at": long_ago})
    found = looked(database, deployed)
    assert found.status is Status.FAIL
    assert "since its reset, which was after deployment" in found.message


def test_counters_that_began_anew_count_as_new(server: PostgresServer, database: Database, context: RunContext) -> None:
    context.state.put("database:shop.area.name:deadlocks", {"count": 99, "reset": None})
    server.execute("SELECT pg_stat_reset()", database="shop")
    deadlock(server, database)
    found = looked(database, next_run(context))
    assert found.status is Status.FAIL
    assert "1 deadlocks, at most 0 deadlocks needed (since its reset)" in found.message


def test_locks_that_may_not_be_seen_are_unknown(blind: Database, context: RunContext) -> None:
    for found in (
        looked(blind, context),
        judged(long_transactions.test_no_transaction_stays_open_for_long, criterion=OPEN, database=blind),
    ):
        assert found.status is Status.UNKNOWN
        assert "may not see other sessions" in found.message


def opened(database: Database, criterion: long_transactions.Params = OPEN) -> Judged:
    return judged(long_transactions.test_no_transaction_stays_open_for_long, criterion=criterion, database=database)


def test_an_idle_transaction_fails(server: PostgresServer, database: Database) -> None:
    assert opened(database).status is Status.PASS
    session = server.connect("shop", application_name="till")
    session.execute("BEGIN")
    session.execute("SELECT 'forgotten'")
    time.sleep(0.25)
    found = opened(database)
    assert found.status is Status.FAIL
    assert "longest transaction: 0.2" in found.message
    assert "s, below 0.2 s needed (pid " in found.message
    assert re.search(r"longest idle in transaction: 0\.[2-9]", found.message)
    assert "(postgres, till, idle in transaction: SELECT 'forgotten')" in found.message


def test_a_backup_may_take_its_time(server: PostgresServer, database: Database) -> None:
    server.connect("shop", application_name="pg_dump").execute("BEGIN")
    time.sleep(0.25)
    assert opened(database).status is Status.PASS
    strict = written(long_transactions.Params, database="main", idle_limit="100 ms", except_applications=())
    assert opened(database, strict).status is Status.FAIL


@pytest.mark.parametrize("limit", ["5 min", "1 h"])
def test_a_busy_transaction_within_its_limit_passes(server: PostgresServer, database: Database, limit: str) -> None:
    server.connect("shop").execute("BEGIN")
    found = opened(database, written(long_transactions.Params, database="main", limit=limit))
    assert found.status is Status.PASS
