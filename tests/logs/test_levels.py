"""How grave a line is: every common form, and prose that only looks like it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive.logs import levels
from golive.logs.event import parse_line
from golive.logs.times import Clock, stamp

CLOCK = Clock(now=datetime(2026, 11, 21, tzinfo=UTC))

TEXT = [
    ("ERROR", "2026-01-01 00:00:00 ERROR boom"),
    ("ERROR", "2026-01-01 00:00:00,123 - app - ERROR - msg"),
    ("INFO", "2026-01-01 00:00:00,123 - my.app - INFO - 0 critical errors found"),
    ("ERROR", "ERROR:root:msg"),
    ("ERROR", "[2026-01-01 00:00:00,123: ERROR/MainProcess] celery"),
    ("ERROR", "[2026-01-01 00:00:00 +0000] [123] [ERROR] gunicorn"),
    ("ERROR", "2026/11/21 01:00:00 [error] 123#0: *1 connect() failed"),
    ("CRITICAL", "2026/11/21 01:00:00 [emerg] 123#0: bind() failed"),
    ("WARNING", "2026/11/21 01:00:00 [warn] 123#0: *1 a client body is buffered"),
    ("INFO", "2026-11-21 01:00:00.123 UTC [123] LOG:  database system is ready"),
    ("ERROR", "2026-11-21 01:00:00.123 UTC [123] golive@warungin app ERROR:  relation does not exist"),
    ("CRITICAL", "2026-11-21 01:00:00.123 UTC [123] FATAL:  sorry, too many clients already"),
    ("CRITICAL", "2026-11-21 01:00:00.123 UTC [123] PANIC:  could not write"),
    (None, "2026-11-21 01:00:00.123 UTC [123] STATEMENT:  select 'CRITICAL'"),
    ("WARNING", "123:M 21 Nov 2026 01:00:00.123 # Server shut down"),
    ("CRITICAL", "123:M 21 Nov 2026 01:00:00.123 # CRITICAL: cannot fork"),
    ("INFO", "123:M 21 Nov 2026 01:00:00.123 * Ready to accept connections"),
    ("ERROR", "<11>Oct 11 22:14:15 host app: failed"),
    ("CRITICAL", "<10>Oct 11 22:14:15 host app: on fire"),
    ("ERROR", "Oct 11 22:14:15 host app[12]: ERROR: x"),
    ("ERROR", "2026-01-01 00:00:00,123 ERROR [main] com.x: msg"),
    ("WARNING", "2026-01-01 00:00:00.123  WARN 4711 --- [main] x"),
    ("ERROR", "2026-01-01 00:00:00.123 4711 ERROR nova.x"),
    ("ERROR", "2026-01-01 00:00:00 SEVERE [main] org.apache.catalina"),
    ("CRITICAL", "2026-11-21 01:00:00,123 CRIT Supervisor is running as root"),
    ("ERROR", "E1121 01:00:00.000000 1 file.go:12] boom"),
    ("CRITICAL", "F1121 01:00:00.000000 1 file.go:12] boom"),
    ("ERROR", 'level=error msg="x"'),
    ("WARNING", 'time=2026-01-01T00:00:00Z level=warn msg="a fatal error"'),
    ("CRITICAL", "2026-01-01T00:00:00Z level=fatal msg=x"),
    ("ERROR", "lvl=eror t=2026-01-01T00:00:00Z"),
    ("CRITICAL", "CRITICAL database is corrupted"),
    ("CRITICAL", "    CRITICAL: ledger broken"),
    ("CRITICAL", "fatal: not a repository"),
    ("CRITICAL", "panic: runtime error"),
    ("ERROR", "\x1b[31mERROR\x1b[0m red"),
    ("ERROR", "2026-01-01 00:00:00 \x1b[31m[ERROR]\x1b[0m red"),
    ("ERROR", "2026-01-01T00:00:00.000Z\terror\tfile.go:12\tmsg"),
    ("ERROR", "api-1  | 2026-01-01 00:00:00 ERROR x"),
    ("ERROR", "Traceback (most recent call last):"),
    ("CRITICAL", "CRITICAL error in ledger"),
]
PROSE = [
    "0 critical errors found",
    "2026-01-01 00:00:00 0 critical errors found",
    "2026-01-01 00:00:00 0 CRITICAL errors found",
    "2026-01-01 00:00:00 No CRITICAL errors",
    "2026-01-01 00:00:00 non-FATAL problem",
    "a non-fatal problem",
    "2026-01-01 00:00:00 The non-critical path",
    "2026-01-01 00:00:00 something went FATAL here",
    "2026-01-01 00:00:00 CRITICAL-path analysis took 3 s",
    '127.0.0.1 - - [21/Nov/2026:01:00:00 +0000] "GET /CRITICAL HTTP/1.1" 200 12',
    '127.0.0.1 - - [21/Nov/2026:01:00:00 +0000] "GET /?level=error HTTP/1.1" 200 12',
    "select * from log where level = 'CRITICAL'",
    "errors: 0, warnings: 0",
    "",
    "{",
]


@pytest.mark.parametrize(("level", "line"), TEXT)
def test_level_of_a_line_of_text(level: str | None, line: str) -> None:
    found = stamp(line, CLOCK)
    assert levels.of_text(line, found.end if found else None) == level


@pytest.mark.parametrize("line", PROSE)
def test_prose_has_no_grave_level(line: str) -> None:
    assert parse_line(line.encode(), "x", CLOCK).event.level not in levels.HEAVY


@pytest.mark.parametrize(
    ("level", "fields"),
    [
        ("CRITICAL", {"level": "FATAL"}),
        ("WARNING", {"severity": "warning"}),
        ("ERROR", {"lvl": "err"}),
        ("ERROR", {"log.level": "error"}),
        ("ERROR", {"log": {"level": "error"}}),
        ("ERROR", {"level": 50}),
        ("CRITICAL", {"level": "60"}),
        ("INFO", {"level": 30, "msg": "fatal"}),
        ("ERROR", {"severity": 3}),
        ("CRITICAL", {"short_message": "x", "level": 2}),
        (None, {"event": "dig", "level": 2}),
        (None, {"level": True}),
        (None, {"level": "AUDIT"}),
        (None, {"level": None, "message": "CRITICAL"}),
        (None, {"message": "ERROR: x"}),
        ("INFO", {"level": "INFO", "message": "0 critical errors found"}),
        ("CRITICAL", {"level": "ERROR", "exception": "Traceback:\n  File x\nCRITICAL: ledger and stock disagree"}),
        ("ERROR", {"level": "ERROR", "exception": "Traceback:\n  raise CriticalError\nCriticalError: no FATAL one"}),
        ("CRITICAL", {"level": "INFO", "message": "first\nFATAL second"}),
    ],
)
def test_level_of_a_structured_line(level: str | None, fields: dict[str, Any]) -> None:
    assert levels.of_fields(fields) == level


@given(st.text())
def test_any_text_has_a_level_or_none(text: str) -> None:
    assert levels.of_text(text, None) in (*levels.LEVELS, None)


@given(st.binary())
def test_any_bytes_are_an_event(line: bytes) -> None:
    event = parse_line(line, "x", CLOCK).event
    assert event.level in (*levels.LEVELS, None)
    assert event.shown.isprintable() or "\n" in event.shown or event.shown
