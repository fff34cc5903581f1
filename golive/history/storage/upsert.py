"""Insert rows, or update those that have the same key."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], key: tuple[str, ...]) -> None:
    """One statement in either database, so that two writers of the same key do not collide."""
    connection.execute(_statement(connection.dialect.name, table, key, tuple(rows[0])), rows)


@functools.cache
def _statement(dialect: str, table: sa.Table, key: tuple[str, ...], columns: tuple[str, ...]) -> sa.Insert:
    """Made once: putting a statement together takes longer than SQLite takes to execute it."""
    statement = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(table)
    rest = {name: statement.excluded[name] for name in columns if name not in key}
    if rest:
        return statement.on_conflict_do_update(index_elements=list(key), set_=rest)
    return statement.on_conflict_do_nothing(index_elements=list(key))
