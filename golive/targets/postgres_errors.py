"""What went wrong with PostgreSQL, in one line of words.

The server tells most failures of a running session by SQLSTATE
(https://www.postgresql.org/docs/current/errcodes-appendix.html). What fails before a
session exists reaches us as text only, so that text is searched for what libpq and
the server are known to say.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from golive.model import CouldNotLook
from golive.targets.said import gist

if TYPE_CHECKING:
    import psycopg

_PREFIX = re.compile(r"^(connection failed: )?connection to server .*? failed: |^connection failed: ")


class Cause(StrEnum):
    """Why a database could not be read."""

    REFUSED = "refused"
    UNRESOLVED = "unresolved"
    TIMEOUT = "timeout"
    AUTHENTICATION = "authentication"
    EXHAUSTED = "exhausted"
    ROLE_LIMIT = "role limit"
    NO_DATABASE = "no database"
    STARTING = "starting"
    PROTOCOL = "protocol"
    TLS = "tls"
    LOST = "lost"
    PERMISSION = "permission"
    READ_ONLY = "read only"
    UNKNOWN_NAME = "unknown name"
    SYNTAX = "syntax"
    CORRUPT = "corrupt"
    OTHER = "other"


class DatabaseTrouble(CouldNotLook):
    """A database could not be read; `cause` is for checks whose claim is just that it can."""

    def __init__(self, database: str, cause: Cause, words: str) -> None:
        super().__init__(f"database {database}: {words}")
        self.cause = cause
        self.words = words


_SAID: tuple[tuple[str, Cause, str], ...] = (
    (r"Connection refused|No such file or directory", Cause.REFUSED, "refused the connection"),
    (r"failed to resolve host|could not translate host name", Cause.UNRESOLVED, "its host name cannot be resolved"),
    (r"No route to host|Network is unreachable", Cause.UNRESOLVED, "its host cannot be reached from here"),
    (r"timeout expired|timed out", Cause.TIMEOUT, "did not answer the connection in time"),
    (r"no password supplied", Cause.AUTHENTICATION, "asks for a password and none is configured"),
    (r"authentication failed|role .* does not exist|no pg_hba\.conf entry|not permitted to log in",
     Cause.AUTHENTICATION, "refused the login"),
    (r"too many connections for role", Cause.ROLE_LIMIT, "the verifying role has used up its own connection limit"),
    (r"too many (clients|connections)|connection slots are reserved", Cause.EXHAUSTED, "has no connection left"),
    (r"database .* does not exist", Cause.NO_DATABASE, "does not exist on its server"),
    (r"starting up|shutting down|in recovery mode|not yet accepting", Cause.STARTING, "accepts no connections yet"),
    (r"unsupported startup parameter", Cause.PROTOCOL,
     "a pooler in front of it refuses session settings; give the server's own address"),
    (r"certificate|does not support SSL|SSL error|TLS", Cause.TLS, "the encrypted connection failed"),
    (r"invalid response|(invalid|expected) authentication|lost synchronization|message contents|unexpected message",
     Cause.PROTOCOL, "what answers there does not speak PostgreSQL's protocol"),
    (r"closed the connection|connection is closed|connection reset|connection is lost|terminating connection",
     Cause.LOST, "closed the connection"),
)  # fmt: skip

_BY_STATE: tuple[tuple[str, Cause, str], ...] = (
    ("57014", Cause.TIMEOUT, "cancelled the statement after its time limit"),
    ("55P03", Cause.TIMEOUT, "a lock was not free in time"),
    ("25006", Cause.READ_ONLY, "refused to write in a read-only session"),
    ("42501", Cause.PERMISSION, "permission denied"),
    ("42P01", Cause.UNKNOWN_NAME, "unknown table"),
    ("42703", Cause.UNKNOWN_NAME, "unknown column"),
    ("42883", Cause.UNKNOWN_NAME, "unknown function"),
    ("3F000", Cause.UNKNOWN_NAME, "unknown schema"),
    ("53300", Cause.EXHAUSTED, "has no connection left"),
    ("XX001", Cause.CORRUPT, "reports damaged data"),
    ("XX002", Cause.CORRUPT, "reports a damaged index"),
    ("57P", Cause.LOST, "ended the session"),
    ("08", Cause.LOST, "closed the connection"),
    ("28", Cause.AUTHENTICATION, "refused the login"),
    ("42", Cause.SYNTAX, "does not understand the statement"),
)


def trouble(database: str, error: psycopg.Error) -> DatabaseTrouble:
    """The error of a client or server as one line that names the database, the cause and what was said."""
    said = gist(_PREFIX.sub("", error.diag.message_primary or str(error)))
    if error.sqlstate:
        found = next(((c, w) for state, c, w in _BY_STATE if error.sqlstate.startswith(state)), None)
    else:
        found = next(((c, w) for text, c, w in _SAID if re.search(text, str(error), re.IGNORECASE)), None)
    cause, words = found or (Cause.OTHER, "cannot be read")
    return DatabaseTrouble(database, cause, f"{words} ({said})" if said else words)
