"""The history: a handle on the store, which is an SQLite file or a PostgreSQL database.

SQLite runs in WAL mode. With `synchronous=NORMAL` a commit is in the hands of the operating system when it returns:
a process that is killed loses nothing. A power cut may lose the outcomes of the last moments, whose run it broke off
anyway; what is not said twice (the end of a run, watches, signatures, attestations, baselines) is synced to the disk
before it returns. PostgreSQL syncs every commit.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from golive.history.storage.trouble import HistoryUnusable, trouble

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["History", "HistoryUnusable", "default_path"]

BUSY_S = 30.0
"""How long a statement waits for what other processes are writing."""
CONNECT_S = 10.0
_POLL_S = 0.02


def default_path(output_dir: Path, environment_name: str) -> Path:
    """Where the history of an environment is, unless told otherwise: beside the folders of its runs."""
    return output_dir / environment_name / "history.sqlite"


class History:
    """An open history. Threads may share it; processes open their own. A context manager that closes itself.

    Every failure of the store is a HistoryUnusable with one line.
    """

    def __init__(self, engine: Engine, where: str, *, timeout_s: float) -> None:
        self.engine = engine
        self.where = where
        self._timeout_s = timeout_s
        self._closers: dict[str, Callable[[], None]] = {}
        # SQLite gives a reader one picture of the store by itself.
        one_picture = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._readers = engine.execution_options(**one_picture)

    @classmethod
    def open(
        cls, where: str | Path, *, password: str | None = None, create: bool = True, timeout_s: float = BUSY_S
    ) -> Self:
        """Open the store at a path or at an `sqlite:` or `postgresql:` URL and bring its tables up to date.

        Runs whose process has died are marked as aborted. Without `create` a store that does not exist yet
        is HistoryUnusable, as is one that a newer golive has written.
        """
        from golive.history import runs
        from golive.history.storage import engines, migrations

        engine, shown = engines.engine(where, password=password, create=create, timeout_s=timeout_s)
        history = cls(engine, shown, timeout_s=timeout_s)
        try:
            migrations.prepare(history, create=create)
            runs.mark_dead(history)
        except BaseException:
            history.close()
            raise
        return history

    def close(self) -> None:
        """Close every connection; a run that was begun through this handle is not heard of any more."""
        for stop in [*self._closers.values()]:
            stop()
        self._closers.clear()
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<History {self.where}>"

    @property
    def is_sqlite(self) -> bool:
        """Whether it is one file on this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees the store as it is now, whatever is written meanwhile.

        What is read is to be understood inside of it: rows that nobody of ours has written are HistoryUnusable.
        """
        try:
            with self._in_words(), self._readers.connect() as connection:
                yield connection
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise HistoryUnusable(
                f"history {self.where}: holds something that golive has not written so ({error!r}); "
                "restore it from a backup"
            ) from error

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[Connection]:
        """One transaction: committed at the end, undone on any error. `durable`: a power cut does not undo it."""
        chosen = self.engine.execution_options(golive_writes=True, golive_durable=durable)
        with self._in_words(), chosen.begin() as connection:
            yield connection

    @contextmanager
    def directly(self) -> Iterator[Any]:
        """A cursor of the driver outside of any transaction, for the upkeep of an SQLite file."""
        with self._in_words():
            connection = self.engine.raw_connection()
            cursor = connection.cursor()
            try:
                yield cursor
            except sqlite3.Error as error:
                # No layer in between puts it into words.
                raise trouble(self.where, error, timeout_s=self._timeout_s, connect_s=CONNECT_S) from None
            finally:
                cursor.close()
                connection.close()

    def patiently(self, action: Callable[[], None]) -> None:
        """Repeat what SQLite refuses to wait for itself while others hold the file, up to the time limit."""
        until = time.monotonic() + self._timeout_s
        while True:
            try:
                return action()
            except HistoryUnusable as error:
                if "was locked" not in str(error) or time.monotonic() > until:
                    raise
            time.sleep(_POLL_S)

    def on_close(self, name: str, stop: Callable[[], None]) -> None:
        """Call `stop` when this handle is closed, unless `forget` was called before."""
        self._closers[name] = stop

    def forget(self, name: str) -> None:
        """Call what was given to `on_close` now."""
        with suppress(KeyError):
            self._closers.pop(name)()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        from sqlalchemy.exc import DBAPIError
        from sqlalchemy.exc import TimeoutError as PoolTimeout

        try:
            yield
        except (DBAPIError, PoolTimeout) as error:
            # The chain is cut: it repeats statements with all their values.
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise trouble(self.where, cause, timeout_s=self._timeout_s, connect_s=CONNECT_S) from None
