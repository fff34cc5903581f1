"""The version of a store and the way from older ones to this one.

A new store is made from `schema.py`. Each migration brings a store from the version before to its own number, in one
transaction with all others that are due, so that a store is never seen half way.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from golive.history.storage.engines import no_history
from golive.history.storage.schema import METADATA, NOTES, POLICIES, STORE
from golive.history.storage.trouble import HistoryUnusable

if TYPE_CHECKING:
    from golive.history.store import History

_LOCK = 0x676F6C697665
"""The key of PostgreSQL's advisory lock, `golive` in ASCII: one process at a time makes or migrates the tables."""


class Migration(NamedTuple):
    """One step: the version that it leads to, what it does, and how."""

    version: int
    says: str
    apply: Callable[[sa.Connection], None]


def _notes(connection: sa.Connection) -> None:
    NOTES.create(connection)


def _policies(connection: sa.Connection) -> None:
    POLICIES.create(connection)


FIRST = 1
MIGRATIONS: tuple[Migration, ...] = (
    Migration(2, "what people wrote down during a watch", _notes),
    Migration(3, "what was asked of a watch at its start", _policies),
)


def latest() -> int:
    """The version that this code reads and writes."""
    return MIGRATIONS[-1].version if MIGRATIONS else FIRST


def prepare(history: History, *, create: bool) -> None:
    """Make the tables where there are none, or bring older ones up to date.

    HistoryUnusable without `create` where there are none, for a newer version, and for somebody else's database.
    """
    with history.reading() as connection:
        found = _version(connection)
    _refuse_newer(history, found)
    if found == latest():
        return
    if found is None and not create:
        raise no_history(history.where)
    if found is None and history.is_sqlite:
        history.patiently(lambda: _begin_file(history))
    with history.writing(durable=True) as connection:
        if not history.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        # Another process may have been faster.
        found = _version(connection)
        _refuse_newer(history, found)
        if found is None:
            _make(history, connection)
        else:
            _migrate(connection, found)


def _begin_file(history: History) -> None:
    """Properties that a file has to get before its first table."""
    with history.directly() as cursor:
        tables = cursor.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not tables:
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        if not tables and mode != "wal":
            mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            if mode != "wal":
                raise HistoryUnusable(
                    f"history {history.where}: this file system does not let processes share an SQLite file; "
                    "keep it on a local disk, or use PostgreSQL"
                )


def _version(connection: sa.Connection) -> int | None:
    """None where there is no history."""
    if not sa.inspect(connection).has_table(STORE.name):
        return None
    found: int | None = connection.execute(sa.select(STORE.c.version)).scalar()
    return found


def _refuse_newer(history: History, found: int | None) -> None:
    if found is not None and found > latest():
        raise HistoryUnusable(
            f"history {history.where}: was written by a newer golive (version {found} of its tables, this one knows "
            f"{latest()}); upgrade golive, or give another history"
        )


def _make(history: History, connection: sa.Connection) -> None:
    taken = sorted(set(sa.inspect(connection).get_table_names()) & set(METADATA.tables))
    if taken or (history.is_sqlite and sa.inspect(connection).get_table_names()):
        named = f" (it has tables such as {taken[0]})" if taken else ""
        raise HistoryUnusable(f"history {history.where}: is the database of something else{named}; give one of its own")
    METADATA.create_all(connection, checkfirst=False)
    connection.execute(sa.insert(STORE).values(version=latest(), made_at=datetime.now(UTC)))


def _migrate(connection: sa.Connection, found: int) -> None:
    for migration in MIGRATIONS:
        if migration.version > found:
            migration.apply(connection)
    connection.execute(sa.update(STORE).values(version=latest()))
