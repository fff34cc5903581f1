"""What `pg_dump` writes and `pg_restore` says of it: the text in between, without running anything.

Understood are its custom and tar formats (an archive with a table of contents) and plain SQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from golive.targets.said import gist

START_OF_SQL = re.compile(r"^-- PostgreSQL database (cluster )?dump$", re.MULTILINE)
END_OF_SQL = "-- PostgreSQL database dump complete"

# In the data of a COPY a backslash that begins a line is doubled, or part of \N or \., so these are psql's commands.
SWITCHES_OR_RUNS = r"^\\(connect|c |!|i |ir |copy|o )"

NO_ARCHIVE = re.compile(r"text format dump|not appear to be a valid (tar )?archive|input file is too short")
TOO_NEW = re.compile(r"unsupported version \([\d.]+\) in file header|server version mismatch")
NOT_ITS_FAULT = re.compile(
    r"permission denied|must be (owner|superuser)|could not connect|connection to server|role \".*\" does not exist"
    r"|extension \".*\" is not available|extension control file|unrecognized configuration parameter"
)
# SQL cannot be told to leave owners and grants out, so what fails of these alone is overlooked.
_OVERLOOKED = re.compile(r"must be (owner|able to SET ROLE)|role \".*\" does not exist|must be member of role")
_ENTRY = re.compile(r"^\d+; \d+ \d+ TABLE DATA (?P<schema>\S+) (?P<name>.+) \S+$", re.MULTILINE)
_COPY = re.compile(r'^COPY ((?:"[^"]+"|\w+)\.(?:"[^"]+"|\w+)) \(', re.MULTILINE)
_CONNECT = re.compile(r'^\\connect (?:-reuse-previous=on )?"?(?:dbname=\')?([^"\'\s]+)', re.MULTILINE)
_SPEAKER = re.compile(r"^(?:(?:pg_restore|psql)[^ ]*: )?(?:(?:error|fatal): +)?", re.MULTILINE | re.IGNORECASE)


class Format(StrEnum):
    """How a backup is written."""

    ARCHIVE = "archive"
    SQL = "SQL"


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What a backup says of itself: database it was taken from (None: it does not say), tables with data.

    Tables are written `schema.name`; `entries` counts the objects in it.
    """

    format: Format
    database: str | None
    tables: frozenset[str]
    entries: int


class Damaged(Exception):
    """The backup cannot be used; the message says why. This is a finding, not a failure to look."""


def contents_of_archive(listing: str) -> Contents:
    """The table of contents as `pg_restore --list` prints it. Damaged if it is none."""
    header = dict(re.findall(r"^;\s+([A-Za-z ]+): (.*)$", listing, re.MULTILINE))
    if "Format" not in header:
        raise Damaged("has no table of contents")
    entries = sum(1 for line in listing.splitlines() if line and not line.startswith(";"))
    tables = frozenset(f"{m['schema']}.{m['name']}" for m in _ENTRY.finditer(listing))
    return Contents(format=Format.ARCHIVE, database=header.get("dbname") or None, tables=tables, entries=entries)


def contents_of_sql(head: str, copies: str) -> Contents:
    """From the beginning of the SQL and its lines that begin a COPY."""
    tables = frozenset(name.replace('"', "") for name in _COPY.findall(copies))
    connected = _CONNECT.search(head)
    database = connected[1] if connected else None
    return Contents(format=Format.SQL, database=database, tables=tables, entries=len(tables))


def errors_in(told: str, form: Format) -> str:
    """The lines of `pg_restore` or `psql` that tell a failure of the data."""
    wrong = [line for line in told.splitlines() if "error:" in line.lower()]
    return "\n".join(line for line in wrong if form is Format.ARCHIVE or not _OVERLOOKED.search(line))


def said(told: str, exit_code: int) -> str:
    """What a program said, in one line without its own name."""
    return gist(_SPEAKER.sub("", told)) or f"exit code {exit_code}"
