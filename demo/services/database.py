"""A small pool of PostgreSQL connections that survives restarts of the server.

psycopg's own pool is a package of its own, and eight connections need no more than this.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row

from demo.services.errors import UnreachableError
from demo.settings import DatabaseRole, Settings

Connection = psycopg.Connection[DictRow]
SIZE = 8
WAIT_S = 3.0
STATEMENT_TIMEOUT_MS = 10_000


def connect(settings: Settings, role: DatabaseRole = "warungin", *, service: str) -> Connection:
    """A connection in autocommit mode whose rows are dicts. Raises psycopg.OperationalError."""
    arguments: dict[str, Any] = {
        **settings.database(role),
        "application_name": service,
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC",
    }
    return psycopg.connect(autocommit=True, row_factory=dict_row, **arguments)


def is_usable(connection: Connection) -> bool:
    """Whether the server has not hung up; asks the socket, not the server.

    An idle server says nothing. So if there is something to read, it is a farewell.
    """
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return not poll.poll(0)


def one_row(connection: Connection, statement: LiteralString, values: Sequence[object]) -> DictRow:
    """The row of a statement that always gives one, such as an aggregate or an INSERT ... RETURNING."""
    row = connection.execute(statement, values).fetchone()
    if row is None:
        raise LookupError(f"no row from: {statement}")
    return row


def _is_full(error: psycopg.OperationalError) -> bool:
    """Whether the server is there but has no slot for one more connection."""
    return "connection slots" in str(error) or "too many" in str(error)


class Pool:
    """At most eight connections, made when they are needed and kept."""

    def __init__(self, settings: Settings, service: str) -> None:
        self._settings = settings
        self._service = service
        self._idle: list[Connection] = []
        self._open = 0
        self._changed = threading.Condition()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection. Raises UnreachableError, also when the connection breaks while it is lent."""
        lent = self._take()
        try:
            yield lent
        except psycopg.OperationalError as error:
            if lent.closed:
                raise UnreachableError("database", type(error).__name__) from error
            raise
        finally:
            self._give_back(lent)

    def _take(self) -> Connection:
        deadline = time.monotonic() + WAIT_S
        with self._changed:
            while True:
                while self._idle:
                    candidate = self._idle.pop()
                    if is_usable(candidate):
                        return candidate
                    candidate.close()
                    self._open -= 1
                if self._open < SIZE:
                    self._open += 1
                    break
                self._wait(deadline)
        return self._make(deadline)

    def _make(self, deadline: float) -> Connection:
        """Connect, outside the lock. A server that has no slot left makes us wait for a connection we already have."""
        while True:
            try:
                return connect(self._settings, service=self._service)
            except psycopg.OperationalError as error:
                with self._changed:
                    self._open -= 1
                    if self._open == 0 or not _is_full(error):
                        self._changed.notify_all()
                        raise UnreachableError("database", type(error).__name__) from error
                    while not self._idle:
                        self._wait(deadline)
                    candidate = self._idle.pop()
                    if is_usable(candidate):
                        return candidate
                    candidate.close()

    def _wait(self, deadline: float) -> None:
        if not self._changed.wait(max(0.0, deadline - time.monotonic())):
            raise UnreachableError("database", "no connection came free")

    def _give_back(self, lent: Connection) -> None:
        with self._changed:
            if lent.closed or lent.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                lent.close()
                self._open -= 1
            else:
                self._idle.append(lent)
            self._changed.notify()
