"""A database of our own for the time of one check: made empty, filled with a backup, and always dropped again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from golive.environment.sections import DatabaseSection
from golive.model import CouldNotLook
from golive.targets.postgres import Database, Row, connect
from golive.targets.postgres_errors import trouble

if TYPE_CHECKING:
    import psycopg

PREFIX = "golive_scratch_"
_AUTOVACUUM_S = 10.0
_POLL_S = 0.2
_ABANDONED_AFTER_S = 3600
_LIMITS = "-c statement_timeout=60000 -c lock_timeout=10000"
_VARIABLES = {"host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER", "sslmode": "PGSSLMODE"}


@dataclass(frozen=True, kw_only=True)
class EmptyDatabase:
    """The database that was made: how to read it from here, and how a client program reaches it (PG… variables)."""

    database: Database
    variables: Mapping[str, str]


class Scratch:
    """A server on which databases of our own may be made, by a role that owns nothing else."""

    def __init__(self, name: str, section: DatabaseSection) -> None:
        self.name = name
        self.section = section

    @contextmanager
    def empty_database(self, encoding: str = "UTF8") -> Iterator[EmptyDatabase]:
        """A new, empty database, dropped at the end whatever happens. Failures to make or drop it are CouldNotLook."""
        import psycopg

        # The time of birth is in the name, so that one whose maker was killed can be told and dropped later.
        made = f"{PREFIX}{int(time.time()):08x}{secrets.token_hex(4)}"
        try:
            with connect(self.section, _LIMITS) as session:
                _drop_abandoned(session)
                _create(session, made, encoding)
        except psycopg.Error as error:
            raise trouble(self.name, error) from None
        reading = Database(self.name, self._section_of(made))
        try:
            yield EmptyDatabase(database=reading, variables=self._variables(made))
        finally:
            reading.close()
            self._drop(made)

    def _drop(self, made: str) -> None:
        import psycopg

        try:
            with connect(self.section, _LIMITS) as session:
                _drop(session, made)
        except psycopg.Error as error:
            said = trouble(self.name, error).words
            raise CouldNotLook(f"database {self.name}: {made} could not be dropped, drop it by hand: {said}") from None

    def _section_of(self, made: str) -> DatabaseSection:
        url = urlsplit(self.section.url)._replace(path=f"/{made}").geturl()
        return self.section.model_copy(update={"url": url})

    def _variables(self, made: str) -> Mapping[str, str]:
        from psycopg.conninfo import conninfo_to_dict

        given = conninfo_to_dict(self.section.url)
        found = {_VARIABLES[key]: str(value) for key, value in given.items() if key in _VARIABLES}
        if self.section.password is not None:
            found["PGPASSWORD"] = self.section.password.reveal()
        return {**found, "PGDATABASE": made, "PGCONNECT_TIMEOUT": "10", "PGAPPNAME": "golive"}


def _create(session: psycopg.Connection[Row], name: str, encoding: str) -> None:
    from psycopg import sql

    # The collation C goes with every encoding, and a comparison of rows needs no other.
    statement = "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'"
    session.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Literal(encoding)))


def _drop(session: psycopg.Connection[Row], name: str) -> None:
    from psycopg import errors, sql

    force = session.info.server_version >= 130000
    if not force:
        session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    statement = "DROP DATABASE IF EXISTS {} WITH (FORCE)" if force else "DROP DATABASE IF EXISTS {}"
    until = time.monotonic() + _AUTOVACUUM_S
    while True:
        try:
            session.execute(sql.SQL(statement).format(sql.Identifier(name)))
        except errors.InsufficientPrivilege:
            # The server's own autovacuum may just be looking at it, which nobody but a superuser may end.
            if time.monotonic() > until:
                raise
            time.sleep(_POLL_S)
        else:
            return


def _drop_abandoned(session: psycopg.Connection[Row]) -> None:
    """Drop what earlier runs of this role left behind when they were killed."""
    mine = "SELECT datname FROM pg_database WHERE datname ~ %s AND pg_get_userbyid(datdba) = current_user"
    for (name,) in session.execute(mine, [f"^{PREFIX}[0-9a-f]{{16}}$"]).fetchall():
        if time.time() - int(name.removeprefix(PREFIX)[:8], 16) > _ABANDONED_AFTER_S:
            _drop(session, name)
