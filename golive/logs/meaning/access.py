"""Who was refused and who was let in, as log lines tell it: JSON fields, the common log format, sshd. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from golive.logs.event import LogEvent

REFUSALS = (
    *("401", "403", "429", "unauthori", "forbidden", "refused", "denied"),
    *("failed password", "invalid user", "authentication fail"),
)
"""Words in lower case of which a line about a refusal holds at least one; a first sieve, `access_of` decides."""
LOGINS = ("login", "log-in", "signin", "sign-in", "/auth", "/token", "/session", "accepted p", "failed password")
"""The same for a line about a login."""

REFUSAL_LINES = "[^0-9](401|403|429)([^0-9]|$)|failed password|invalid user|authentication fail"
"""An extended regular expression (POSIX) that each line of a refusal matches, in any case."""
LOGIN_LINES = (
    "(login|log-in|signin|sign-in|/auth|/token|/session).*[^0-9][2345][0-9][0-9]([^0-9]|$)"
    "|[^0-9][2345][0-9][0-9][^0-9].*(login|log-in|signin|sign-in|/auth|/token|/session)|accepted p|failed password"
)
"""The same for a line of a login."""

_SOURCES = ("remote", "remote_addr", "client_ip", "remote_ip", "source_ip", "ip", "client", "x_forwarded_for", "host")
_USERS = ("user", "username", "user_name", "account", "login", "sub", "remote_user")
_STATUSES = ("status", "status_code", "statusCode", "http_status", "response_status", "code")
_PATHS = ("path", "uri", "url", "request_uri", "route", "target")
_IDS = ("request_id", "requestId", "trace_id", "x_request_id")
_COMMON = re.compile(
    r"(?P<source>[0-9a-fA-F.:]+) \S+ (?P<user>\S+) \[[^\]]{10,40}\] "
    r'"(?P<method>[A-Z]+) (?P<path>\S+)[^"]*" (?P<status>\d{3}) '
)
_SSHD = re.compile(
    r"(?P<word>Failed|Accepted) (?:password|publickey|keyboard-interactive/pam) for (?:invalid user )?(?P<user>\S+)"
    r" from (?P<source>\S+)"
)
_LOGIN_PATH = re.compile(r"log-?in|sign-?in|/auth(?!/(?:logout|status))|/token|/session", re.IGNORECASE)
_REFUSED = frozenset({401, 403})
_THROTTLED = 429


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """One attempt. `source` and `user` are empty where the line does not tell them."""

    at: datetime | None
    source: str
    user: str
    refused: bool
    is_login: bool
    what: str
    request: str
    own: bool
    event: LogEvent


def access_of(event: LogEvent) -> Access | None:
    """The attempt that a line tells of; None for a line that tells of none, or of neither refusal nor success."""
    if event.fields:
        return _of_fields(event)
    if found := _COMMON.search(event.raw):
        user = "" if found["user"] == "-" else found["user"]
        return _of_status(event, int(found["status"]), found["source"], user, f"{found['method']} {found['path']}", "")
    if found := _SSHD.search(event.raw):
        refused = found["word"] == "Failed"
        return _access(event, refused, True, found["source"], found["user"], f"ssh {found['word'].lower()}", "")
    return None


def distinct(attempts: Iterable[Access]) -> list[Access]:
    """Attempts in the order of time, each request once though several services logged it.

    An attempt is the suite's own if any of its lines says so: a proxy may log a request id but no agent.
    """
    kept: dict[str, Access] = {}
    own = set()
    for number, attempt in enumerate(attempts):
        key = attempt.request or f"#{number}"
        if attempt.own:
            own.add(key)
        known = kept.get(key)
        if known is None or (not known.user and attempt.user) or (not known.is_login and attempt.is_login):
            kept[key] = attempt
    found = [attempt for key, attempt in kept.items() if key not in own]
    return sorted(found, key=lambda a: a.at.timestamp() if a.at else 0.0)


def _of_fields(event: LogEvent) -> Access | None:
    fields = event.fields
    status = _number(fields, _STATUSES)
    if status is None:
        return None
    method, path = _first(fields, ("method", "request_method")), _first(fields, _PATHS)
    what = f"{method} {path}".strip() or event.message
    return _of_status(event, status, _first(fields, _SOURCES), _first(fields, _USERS), what, _first(fields, _IDS))


def _of_status(event: LogEvent, status: int, source: str, user: str, what: str, request: str) -> Access | None:
    is_login = bool(_LOGIN_PATH.search(what.partition("?")[0]))
    if status in _REFUSED or (status == _THROTTLED and is_login):
        return _access(event, True, is_login, source, user, f"{what} {status}", request)
    return _access(event, False, is_login, source, user, f"{what} {status}", request) if 200 <= status < 400 else None


def _access(event: LogEvent, refused: bool, is_login: bool, source: str, user: str, what: str, request: str) -> Access:
    return Access(
        at=event.time,
        source=source,
        user=user,
        refused=refused,
        is_login=is_login,
        what=what[:200],
        request=request,
        own=event.own,
        event=event,
    )


def _first(fields: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((value[:200] for name in names if isinstance(value := fields.get(name), str) and value), "")


def _number(fields: Mapping[str, Any], names: Iterable[str]) -> int | None:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 100 <= value < 600:
            return value
    return None
