"""Insert rows, or update those that have the same key."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], key: tuple[str, ...]) -> None:
    """One statement in either database, so that two writers of the same key do not collide."""
    connection.execute(_statement(connection.dialect.name, table, key, tuple(rows[0])), rows)


@functools.cache
def _statement(dialect: str, table: sa.Table, key: tuple[str, ...], columns: tuple[str, ...]) -> sa.Insert:
    """Made once: putting a statement together takes longer than SQLite takes to execute it.

    Of the dialects only the one that is used is loaded.
    """
    statement: Any = importlib.import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    rest = {name: statement.excluded[name] for name in columns if name not in key}
    conflict = {"index_elements": list(key)}
    done: sa.Insert = (
        statement.on_conflict_do_update(**conflict, set_=rest) if rest else statement.on_conflict_do_nothing(**conflict)
    )
    return done
