"""Who was refused and who was let in, in the forms that logs tell it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from golive.logs.event import parse_line
from golive.logs.meaning.access import Access, access_of, distinct
from golive.logs.times import Clock

CLOCK = Clock(now=datetime(2026, 5, 1, tzinfo=UTC))


def attempt(line: str | dict[str, Any]) -> Access | None:
    text = line if isinstance(line, str) else json.dumps(line)
    return access_of(parse_line(text.encode(), "api", CLOCK).event)


def told(line: str | dict[str, Any]) -> tuple[bool, bool, str, str] | None:
    found = attempt(line)
    return None if found is None else (found.refused, found.is_login, found.source, found.user)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"status": 403, "path": "/x", "remote": "1.2.3.4", "user": "ann"}, (True, False, "1.2.3.4", "ann")),
        ({"status": "401", "uri": "/api/auth/login", "client_ip": "::1"}, (True, True, "::1", "")),
        ({"status": 429, "path": "/login"}, (True, True, "", "")),
        ({"status": 429, "path": "/api/orders"}, None),
        ({"status": 200, "path": "/api/auth/login", "username": "ann"}, (False, True, "", "ann")),
        ({"status": 204, "path": "/api/auth/logout"}, (False, False, "", "")),
        ({"status": 500, "path": "/api/auth/login"}, None),
        ({"status": "ok", "message": "401"}, None),
        ({"status": True}, None),
        (
            '9.9.9.9 - ann [01/May/2026:10:00:00 +0000] "GET /admin?a=b HTTP/1.1" 403 12',
            (True, False, "9.9.9.9", "ann"),
        ),
        ('9.9.9.9 - - [01/May/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 401', (False, False, "9.9.9.9", "")),
        (
            "May  1 10:00:00 h sshd[1]: Failed password for invalid user bob from 9.9.9.9 port 1 ssh2",
            (True, True, "9.9.9.9", "bob"),
        ),
        (
            "May  1 10:00:00 h sshd[1]: Accepted publickey for bob from 9.9.9.9 port 1 ssh2",
            (False, True, "9.9.9.9", "bob"),
        ),
        ("order 401 was refused", None),
        ("", None),
    ],
)
def test_attempts(line: str | dict[str, Any], expected: tuple[bool, bool, str, str] | None) -> None:
    assert told(line) == expected


def test_a_request_that_two_services_logged_is_one_attempt() -> None:
    proxy = attempt({"status": 403, "path": "/x", "request_id": "r1", "time": "2026-05-01T10:00:00Z"})
    api = attempt({"status": 403, "path": "/x", "request_id": "r1", "user": "ann", "time": "2026-05-01T10:00:00Z"})
    other = attempt({"status": 403, "path": "/y"})
    assert proxy and api and other
    assert {(a.what, a.user) for a in distinct([proxy, api, other])} == {("/x 403", "ann"), ("/y 403", "")}
