"""From the place of a history to an SQLAlchemy engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.util import immutabledict

from golive.history.storage.trouble import HistoryUnusable, trouble
from golive.history.store import CONNECT_S

_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
_MAGIC = b"SQLite format 3\0"
_HINT = "give the path of an SQLite file, or postgresql://user@host:port/database"


def engine(where: str | Path, *, password: str | None, create: bool, timeout_s: float) -> tuple[sa.Engine, str]:
    """The engine for a path or URL, and how the store is called in messages. HistoryUnusable if there can be none."""
    if isinstance(where, Path) or "://" not in where:
        return _sqlite(Path(where), create=create, timeout_s=timeout_s)
    url = _parsed(where)
    kind = url.drivername
    if kind == "sqlite":
        if not url.database or url.database == ":memory:" or url.query or url.host:
            raise HistoryUnusable(f"history {where}: an SQLite URL is sqlite:///path, with four slashes for /path")
        return _sqlite(Path(url.database), create=create, timeout_s=timeout_s)
    if kind in _POSTGRESQL:
        return _postgresql(url, password, timeout_s)
    raise HistoryUnusable(f"history {url}: a history cannot be kept in '{kind}'; {_HINT}")


def _parsed(where: str) -> URL:
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        # What was given is not repeated: a password may be what could not be understood.
        raise HistoryUnusable(f"the address of the history is no URL; {_HINT}") from None
    if url.password is not None or "password" in url.query:
        raise HistoryUnusable(
            f"history {url._replace(password=None, query=immutabledict())}: no password in a URL: "
            "set 'password' under 'history' in the environment, PGPASSWORD or ~/.pgpass"
        )
    return url


def _sqlite(file: Path, *, create: bool, timeout_s: float) -> tuple[sa.Engine, str]:
    shown, file = str(file), file.absolute()
    if "\0" in shown:
        raise HistoryUnusable(f"history {shown!r}: no path holds a NUL character")
    try:
        _check_file(file, shown, create=create)
    except OSError as error:
        raise HistoryUnusable(f"history {shown}: cannot be opened: {error.strerror or error}") from None
    # `rw` never makes a file: one that vanished in mid-run is an error and not a new, empty store.
    url = URL.create("sqlite", database=f"file:{quote(str(file))}", query={"mode": "rw", "uri": "true"})
    made = sa.create_engine(url, connect_args={"timeout": timeout_s})
    event.listen(made, "connect", _on_sqlite_connect)
    event.listen(made, "begin", _on_sqlite_begin)
    return made, shown


def _check_file(file: Path, shown: str, *, create: bool) -> None:
    if file.is_dir():
        raise HistoryUnusable(f"history {shown}: is a folder; give the path of a file in it")
    if file.exists() and not file.is_file():
        raise HistoryUnusable(f"history {shown}: is no regular file")
    if not create and (not file.exists() or not file.stat().st_size):
        raise no_history(shown)
    if not file.parent.is_dir():
        raise HistoryUnusable(f"history {shown}: there is no folder {Path(shown).parent}; create it first")
    if not file.exists():
        file.touch()
    with file.open("rb") as content:
        # SQLite takes a file of a few bytes for an empty database, and would overwrite it.
        if content.read(len(_MAGIC)) not in (b"", _MAGIC):
            raise trouble(shown, "file is not a database", timeout_s=0, connect_s=0)


def no_history(where: str) -> HistoryUnusable:
    """What to say to somebody who wants to read what nobody has written yet."""
    return HistoryUnusable(f"there is no history yet at {where}: it begins with the first run")


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    # Transactions are begun below and not by the driver, which would begin them too late.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")


def _on_sqlite_begin(connection: sa.Connection) -> None:
    """A writer takes its turn at once: one that first reads and then writes could not wait for another."""
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if options.get('golive_durable') else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("golive_writes") else "BEGIN")


def _postgresql(url: URL, password: str | None, timeout_s: float) -> tuple[sa.Engine, str]:
    shown = str(url.set(drivername="postgresql"))
    arguments: dict[str, Any] = {
        "connect_timeout": round(CONNECT_S),
        "application_name": "golive history",
        # A server that vanished without a word is noticed.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": round(timeout_s * 1000),
        # Statements that are prepared in the server do not survive a pooler.
        "prepare_threshold": None,
    }
    if password is not None:
        arguments["password"] = password
    chosen = url.set(drivername="postgresql+psycopg")
    made = sa.create_engine(chosen, connect_args=arguments, pool_pre_ping=True, hide_parameters=True)
    limit_ms = round(timeout_s * 1000)

    def on_connect(connection: Any, _record: Any) -> None:
        connection.execute(f"SET lock_timeout = {limit_ms}")
        connection.execute(f"SET statement_timeout = {2 * limit_ms}")
        connection.commit()

    event.listen(made, "connect", on_connect)
    return made, shown
