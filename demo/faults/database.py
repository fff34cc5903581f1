"""PostgreSQL is up, but not well."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from functools import partial

from demo.faults._model import Demo, Fault, wait_for

_DEADLOCK_WITHIN_S = 10.0
_FORGOTTEN_S = 2.0


def _start_helper(demo: Demo, *, kind: str, fault: str) -> None:
    demo.start_helper(kind, fault)


def _lock(demo: Demo) -> None:
    """Until it has been held for so long that it counts as forgotten as well."""
    demo.start_helper("lock", "blocked-lock")
    time.sleep(_FORGOTTEN_S)


def _wait_for_helper(demo: Demo, *, fault: str) -> None:
    demo.wait_for_helper(fault)


def _deadlock(demo: Demo) -> None:
    """Two sessions lock two rows in opposite order; PostgreSQL ends one of them."""
    barrier = threading.Barrier(2, timeout=_DEADLOCK_WITHIN_S)
    threads = [threading.Thread(target=_cross, args=(demo, barrier, rows)) for rows in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_DEADLOCK_WITHIN_S)
    wait_for(lambda: _deadlocks(demo) > 0, "PostgreSQL to count the deadlock")


def _cross(demo: Demo, barrier: threading.Barrier, rows: tuple[int, int]) -> None:
    import psycopg

    statement = "UPDATE stores SET name = name WHERE id = %s"
    with contextlib.suppress(psycopg.errors.DeadlockDetected), demo.database("warungin") as session:
        session.autocommit = False
        session.execute(statement, [rows[0]])
        barrier.wait()
        session.execute(statement, [rows[1]])


def _deadlocks(demo: Demo) -> int:
    with demo.database() as database:
        row = database.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = 'warungin'").fetchone()
    return int(row["deadlocks"]) if row else 0


def _forget_deadlocks(demo: Demo) -> None:
    with demo.database() as database:
        database.execute("SELECT pg_stat_reset()")


def _change_password(demo: Demo) -> None:
    _set_password(demo, secrets.token_urlsafe())
    with demo.database() as database:
        database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'api'")
    wait_for(lambda: demo.request("GET", "/health")[0] == 503, "the API to lose its database")


def _restore_password(demo: Demo) -> None:
    _set_password(demo, demo.settings.secrets["application_password"])
    wait_for(lambda: demo.request("GET", "/health")[0] == 200, "the API to find its database again")


def _set_password(demo: Demo, password: str) -> None:
    """Sent as a verifier, so that it appears in no log."""
    from psycopg import sql

    with demo.database() as database:
        verifier = database.pgconn.encrypt_password(password.encode(), b"warungin", b"scram-sha-256").decode()
        database.execute(sql.SQL("ALTER ROLE warungin PASSWORD {}").format(sql.Literal(verifier)))


LOCK = Fault(
    name="blocked-lock",
    says="a session waits for a row that another one keeps locked",
    incident="a till crashed in the middle of a change, and its connection stayed open",
    break_=_lock,
    heal=partial(_wait_for_helper, fault="blocked-lock"),
    needs_new_deployment=True,
)

TRANSACTION = Fault(
    name="long-transaction",
    says="a session is idle in a transaction, and has been for more than two seconds",
    incident="the script of the month-end closing waits for somebody to press a key",
    break_=partial(_start_helper, kind="transaction", fault="long-transaction"),
    heal=partial(_wait_for_helper, fault="long-transaction"),
)

DEADLOCK = Fault(
    name="deadlock",
    says="PostgreSQL had to resolve a deadlock",
    incident="two jobs that move stock between stores took the rows in different order",
    break_=_deadlock,
    heal=_forget_deadlocks,
    needs_new_deployment=True,
)

EXHAUSTED = Fault(
    name="connections-exhausted",
    says="nine of ten connections that PostgreSQL allows are taken",
    incident="an import opens a connection for each file and closes none",
    break_=partial(_start_helper, kind="connections", fault="connections-exhausted"),
    heal=partial(_wait_for_helper, fault="connections-exhausted"),
    needs_new_deployment=True,
    grows=True,
)

API_LOST = Fault(
    name="api-lost-database",
    says="the API cannot log in to PostgreSQL, which is up",
    incident="the password of the application's role was changed, and the API not told",
    break_=_change_password,
    heal=_restore_password,
    needs_new_deployment=True,
)
