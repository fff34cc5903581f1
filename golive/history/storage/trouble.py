"""What went wrong with a history, in one line: which store, what is wrong, what to do."""

from __future__ import annotations

import re


class HistoryUnusable(Exception):
    """A history that cannot be opened, read or written; the message is one line for a person."""


_SAID: tuple[tuple[str, str], ...] = (
    (r"file is not a database", "is not a history but some other file; give another path, or move it away"),
    (r"malformed|corrupt", "is damaged; restore it from a backup, or move it away to start without a past"),
    (r"readonly database|attempt to write a readonly", "cannot be written: the file or its folder is read-only"),
    (r"unable to open database file", "cannot be opened: its file and folder have to be readable and writable"),
    (r"disk is full", "cannot be written: the disk is full"),
    (r"disk I/O error", "cannot be read or written: the disk reports an error, or the file is not allowed to grow"),
    (r"database( table)? is locked", "was locked by other processes for longer than {timeout_s:g} s"),
    (r"no such table|relation .* does not exist", "holds no history any more: its tables have gone"),
    (r"Connection refused|No such file or directory", "the server refused the connection: is it up?"),
    (r"resolve host|translate host name", "the name of the server cannot be resolved"),
    (r"No route to host|Network is unreachable", "the server cannot be reached from here"),
    (r"no password supplied", "the server asks for a password: set 'password' under 'history', or PGPASSWORD"),
    (r"authentication failed|role .* does not exist|no pg_hba\.conf entry", "the server refused the login"),
    (r"database .* does not exist", "the database does not exist: create it first"),
    (r"permission denied", "the role may not do this: it needs to own the database, or to create tables in it"),
    (r"lock timeout|canceling statement due to", "the server did not get it done within {timeout_s:g} s"),
    (r"timeout expired|timed out", "the server did not answer within {connect_s:g} s"),
    (r"too many (clients|connections)|connection slots are reserved", "the server has no connection left"),
    (r"read-only transaction", "cannot be written: the server is read-only (a standby?)"),
    (r"could not extend file|No space left", "cannot be written: the server's disk is full"),
    (r"closed the connection|connection (is )?(closed|lost)|connection reset|terminating connection|shutting down",
     "the server closed the connection"),
    (r"invalid response|expected authentication|lost synchronization|message contents|unexpected message",
     "what answers there does not speak PostgreSQL's protocol"),
)  # fmt: skip
_NOISE = re.compile(r"^(connection failed: )?(connection to server .*? failed: )?(FATAL: +|ERROR: +)?")


def trouble(where: str, error: object, *, timeout_s: float, connect_s: float) -> HistoryUnusable:
    """The error of a driver in words. Drivers never repeat a password; what else they said follows in brackets."""
    text = str(error)
    said = " ".join(_NOISE.sub("", text).split())[:200] or type(error).__name__
    for pattern, words in _SAID:
        if re.search(pattern, text, re.IGNORECASE):
            told = words.format(timeout_s=timeout_s, connect_s=connect_s)
            return HistoryUnusable(f"history {where}: {told} ({said})")
    return HistoryUnusable(f"history {where}: cannot be used ({said})")
