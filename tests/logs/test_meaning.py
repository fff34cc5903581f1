"""Durations and events of security, in the forms that logs tell them."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive.logs.event import LogEvent, parse_line
from golive.logs.meaning.durations import WORDS as DURATION_WORDS
from golive.logs.meaning.durations import duration_ms, narrow
from golive.logs.meaning.security import KINDS, NARROW, WORDS, foreign, incident_of
from golive.logs.times import Clock

CLOCK = Clock(now=datetime(2026, 5, 1, tzinfo=UTC))

DURATIONS: list[tuple[float | None, str | dict[str, Any]]] = [
    (1530, "2026-05-01 10:00:00 INFO report took 1530 ms"),
    (1500, "level=info msg=done duration=1.5s"),
    (1530, '10.0.0.1 - - [01/May/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 request_time=1.530'),
    (1530.123, "LOG:  duration: 1530.123 ms  statement: select 1"),
    (2000, "job finished in 2 seconds"),
    (90_000, "backup completed successfully in 1.5 minutes"),
    (1530, {"message": "GET /", "duration_ms": 1530}),
    (1530, {"message": "GET /", "request_time": "1.530"}),
    (62_500, {"msg": "x", "duration": "1m2.5s"}),
    (1.2, {"msg": "x", "latency": "1.2ms"}),
    (0.5, {"msg": "x", "elapsed": "500µs"}),
    (250, {"msg": "request completed", "responseTime": 250}),
    (12_000, {"msg": "x", "duration_s": 12}),
    (30, {"message": "rebuilt, took 30 ms"}),
    (3000, {"request_time": 3, "upstream_response_time": "1.0"}),
    (None, {"msg": "x", "duration": 17}),
    (None, {"duration_ms": True}),
    (None, "retrying in 30 s"),
    (None, "the whole duration of the contract"),
    (None, "took a while"),
    (None, ""),
]


def event(line: str | dict[str, Any]) -> LogEvent:
    text = line if isinstance(line, str) else json.dumps(line)
    return parse_line(text.encode(), "api", CLOCK).event


@pytest.mark.parametrize(("expected", "line"), DURATIONS)
def test_durations(expected: float | None, line: str | dict[str, Any]) -> None:
    found = duration_ms(event(line))
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(("expected", "line"), [d for d in DURATIONS if d[0] is not None])
@pytest.mark.parametrize("limit", [0.1, 100, 1000, 1499])
def test_lines_beyond_the_limit_pass_the_sieve_of_the_host(
    expected: float, line: str | dict[str, Any], limit: float
) -> None:
    text = event(line).raw
    assert any(word in text.lower() for word in DURATION_WORDS)
    if expected > limit:
        sieve = subprocess.run(
            ["grep", "-icE", "-e", narrow(limit)], input=text.encode(), capture_output=True, check=False
        )
        assert sieve.stdout == b"1\n", (text, narrow(limit))


def test_a_field_of_ones_own() -> None:
    line = {"http": {"took": 3}, "wait": "250", "duration_ms": 99_999}
    assert duration_ms(event(line), field="http.took", unit="s") == 3000
    assert duration_ms(event(line), field="wait", unit="ms") == 250
    assert duration_ms(event(line), field="wait") is None
    assert duration_ms(event(line), field="gone.away", unit="s") is None


@given(st.text())
def test_any_text_has_a_duration_or_none(text: str) -> None:
    found = duration_ms(event(text))
    assert found is None or found >= 0


EVENTS: list[tuple[str | None, str | dict[str, Any]]] = [
    ("failed_login", "May  1 10:00:00 h sshd[1]: Failed password for invalid user bob from 9.9.9.9 port 1 ssh2"),
    ("failed_login", "pam_unix(sshd:auth): authentication failure; user=root"),
    ("failed_login", {"message": "login failed for ann", "level": "WARNING"}),
    ("failed_login", {"path": "/api/auth/login", "status": 401, "remote": "9.9.9.9"}),
    ("refused_access", {"path": "/api/orders", "status": 403, "remote": "9.9.9.9"}),
    ("refused_access", "2026/05/01 10:00:00 [error] 1#0: *1 access forbidden by rule, client: 9.9.9.9"),
    ("refused_access", "open /etc/x: permission denied"),
    ("invalid_token", {"message": "invalid token", "status": 401, "path": "/api/me"}),
    ("invalid_token", "JWT has expired: rejected"),
    ("invalid_token", "signature verification failed for key 3"),
    ("sudo_failure", "sudo:  bob : user NOT in sudoers ; TTY=pts/0 ; COMMAND=/bin/sh"),
    ("sudo_failure", "sudo: pam_unix(sudo:auth): authentication failure; logname=bob"),
    ("sudo_failure", "May  1 10:00:00 h su[12]: FAILED SU (to root) bob on pts/0"),
    ("injection", '9.9.9.9 - - [01/May/2026:10:00:00 +0000] "GET /?q=1%20union%20select%201 HTTP/1.1" 200 5'),
    ("injection", {"path": "/search?q=' OR '1'='1", "status": 200}),
    ("injection", {"path": "/../../../etc/passwd", "status": 400}),
    ("injection", '"GET /x HTTP/1.1" 200 "${jndi:ldap://x/a}"'),
    ("injection", "q=<script>alert(1)</script>"),
    (None, {"path": "/api/auth/login", "status": 200}),
    (None, "2026-05-01 10:00:00 INFO select a union of members"),
    (None, "token issued for ann"),
    (None, "sudo: bob : TTY=pts/0 ; COMMAND=/bin/true"),
    (None, ""),
]


@pytest.mark.parametrize(("expected", "line"), EVENTS)
def test_events_of_security(expected: str | None, line: str | dict[str, Any]) -> None:
    found = incident_of(event(line), {}, KINDS)
    assert (found.kind if found else None) == expected


@pytest.mark.parametrize(("kind", "line"), [e for e in EVENTS if e[0] is not None])
def test_such_lines_pass_the_sieve_of_the_host(kind: str, line: str | dict[str, Any]) -> None:
    text = event(line).raw
    assert any(word in text.lower() for word in WORDS[kind])
    if kind in NARROW:
        given = ["grep", "-icE", "-e", NARROW[kind]]
        assert subprocess.run(given, input=text.encode(), capture_output=True, check=False).stdout == b"1\n"


def test_patterns_of_ones_own_come_first() -> None:
    own = {"fraud": re.compile("chargeback")}
    found = incident_of(event("permission denied: chargeback of ann"), own, ["fraud", "refused_access"])
    assert found is not None and found.kind == "fraud"


def test_a_request_that_two_services_logged_is_one_and_our_own_none() -> None:
    line = {"path": "/x", "status": 403, "request_id": "r1"}
    first, second = (incident_of(event(line), {}, KINDS) for _ in range(2))
    assert first is not None and second is not None
    assert len(foreign([first, second])) == 1


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert incident_of(event(text), {}, KINDS) is None or text
