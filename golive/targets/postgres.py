"""A PostgreSQL database, read through one read-only session.

The session is opened by the first statement, refuses to write
(`default_transaction_read_only`), and every statement has a time limit: the server
cancels it, and if the server does not even do that, the connection is cut from here.
One statement is sent at a time, so text from a criterion cannot carry a second one.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from golive.environment.sections import DatabaseSection
from golive.targets.postgres_errors import Cause, DatabaseTrouble, trouble
from golive.targets.said import gist

if TYPE_CHECKING:
    import psycopg

APPLICATION = "golive"
_GRACE_S = 1.0
_SERVER = """
SELECT current_setting('server_version_num')::int, current_database(), current_user::text, pg_postmaster_start_time(),
       pg_is_in_recovery(), current_setting('data_checksums') = 'on', current_setting('max_connections')::int,
       current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true), '0')::int,
       pg_has_role(current_user, 'pg_read_all_stats', 'usage')
"""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What the server says of itself. `reserved_connections` are kept back for administrators.

    Without `sees_activity` the server hides what other roles' sessions do.
    """

    version_number: int
    database: str
    role: str
    started_at: datetime
    in_recovery: bool
    data_checksums: bool
    max_connections: int
    reserved_connections: int
    sees_activity: bool


class Database:
    """Read access to one database. Every failure is a DatabaseTrouble, which is a CouldNotLook."""

    def __init__(self, name: str, section: DatabaseSection) -> None:
        self.name = name
        self.section = section
        self._session: psycopg.Connection[Row] | None = None

    def __repr__(self) -> str:
        return f"<Database {self.name} at {self.section.url}>"

    def rows(self, sql: str, params: Sequence[Any] | None = None, *, at_most: int = 1000) -> list[Row]:
        """The first `at_most` rows of one statement (`%s` stands for a parameter when there are any)."""
        known = self._session is not None and not self._session.closed
        try:
            return self._ask(sql, params, at_most)
        except DatabaseTrouble as problem:
            # A session that was idle since an earlier check may have been closed meanwhile; reading twice is harmless.
            if not (known and problem.cause is Cause.LOST):
                raise
        return self._ask(sql, params, at_most)

    def row(self, sql: str, params: Sequence[Any] | None = None) -> Row:
        """The only row of a statement that always has one."""
        found = self.rows(sql, params, at_most=1)
        if not found:
            raise DatabaseTrouble(self.name, Cause.OTHER, "gave no row where there is always one")
        return found[0]

    def number(self, sql: str) -> float:
        """The only value of a statement that gives one number."""
        found = self.rows(sql, at_most=2)
        value = found[0][0] if len(found) == 1 and len(found[0]) == 1 else None
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise DatabaseTrouble(self.name, Cause.OTHER, "the query does not give one row with one number")
        return float(value)

    def answer_ms(self) -> float:
        """How long a new connection and `SELECT 1` take together, in milliseconds."""
        import psycopg  # noqa: F401 - importing the client is not the server's time

        fresh = type(self)(self.name, self.section)
        began = time.perf_counter()
        try:
            fresh.row("SELECT 1")
            return (time.perf_counter() - began) * 1000
        finally:
            fresh.close()

    def explain_ms(self, sql: str) -> float:
        """How long the server itself took to execute a reading statement, in milliseconds (it is really executed)."""
        plan = self.row(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")[0]
        try:
            return float(plan[0]["Execution Time"])
        except (TypeError, LookupError, ValueError):
            raise DatabaseTrouble(self.name, Cause.OTHER, "gave a plan without an execution time") from None

    @cached_property
    def server(self) -> ServerInfo:
        """Version, settings and what this role may see; read once."""
        return ServerInfo(*self.row(_SERVER))

    def require_activity(self) -> None:
        """Raise unless this role sees what other sessions do: for one that does not, all is always quiet."""
        if not self.server.sees_activity:
            role = self.server.role
            words = f"the role {role} may not see other sessions; GRANT pg_monitor TO {role}"
            raise DatabaseTrouble(self.name, Cause.PERMISSION, words)

    def close(self) -> None:
        """End the session; a later statement opens a new one."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _ask(self, sql: str, params: Sequence[Any] | None, at_most: int) -> list[Row]:
        import psycopg

        session = self._connected()
        with _cut_off(session, self.section.statement_timeout + _GRACE_S) as was_cut:
            try:
                # Streaming bounds what is kept in memory and lets the server refuse a second statement.
                with session.cursor() as cursor, closing(_generator(cursor.stream(sql, params))) as stream:
                    return list(islice(stream, at_most))
            except psycopg.Error as error:
                if was_cut.is_set():
                    words = f"did not answer within {self.section.statement_timeout + _GRACE_S:g} s"
                    raise DatabaseTrouble(self.name, Cause.TIMEOUT, words) from None
                raise trouble(self.name, error) from None
            except (ValueError, OverflowError) as error:
                words = f"gave a value that cannot be read ({gist(str(error))})"
                raise DatabaseTrouble(self.name, Cause.PROTOCOL, words) from None
            finally:
                self._stay_read_only(session)

    def _stay_read_only(self, session: psycopg.Connection[Row]) -> None:
        """End a session that is not as it was: made writable, in a transaction, or still busy."""
        from psycopg.pq import TransactionStatus

        if session.closed:
            return
        # The server reports this setting by itself since version 14.
        writable = session.pgconn.parameter_status(b"default_transaction_read_only") == b"off"
        status = session.info.transaction_status
        if writable or status is not TransactionStatus.IDLE:
            self.close()
        if writable or status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            words = "a statement tried to change the read-only session"
            raise DatabaseTrouble(self.name, Cause.READ_ONLY, words) from None

    def _connected(self) -> psycopg.Connection[Row]:
        if self._session is None or self._session.closed:
            self.close()
            self._session = self._connect()
        return self._session

    def _connect(self) -> psycopg.Connection[Row]:
        import psycopg

        limit_ms = max(1, round(self.section.statement_timeout * 1000))
        try:
            return connect(self.section, f"-c default_transaction_read_only=on -c statement_timeout={limit_ms}")
        except psycopg.Error as error:
            raise trouble(self.name, error) from None


def connect(section: DatabaseSection, settings: str = "", **more: Any) -> psycopg.Connection[Row]:
    """A plain session in autocommit mode; `settings` are server options (`-c name=value`). Raises psycopg.Error."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    wanted: dict[str, Any] = {"application_name": APPLICATION, **conninfo_to_dict(section.url)}
    wanted["connect_timeout"] = max(2, round(section.connect_timeout))
    wanted["options"] = " ".join(filter(None, [str(wanted.get("options") or ""), settings]))
    if section.password is not None:
        wanted["password"] = section.password.reveal()
    return psycopg.connect(autocommit=True, **{**wanted, **more})


@contextmanager
def _cut_off(session: psycopg.Connection[Row], after_s: float) -> Iterator[threading.Event]:
    """Cut the connection if it lasts longer, as a server that hangs does not cancel anything."""
    was_cut = threading.Event()

    def cut() -> None:
        was_cut.set()
        with suppress(OSError, ValueError), socket.socket(fileno=os.dup(session.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(after_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield was_cut
    finally:
        timer.cancel()


def _generator(rows: Iterator[Row]) -> Any:
    """psycopg declares an iterator, but gives a generator, which must be closed to end the statement."""
    return rows
