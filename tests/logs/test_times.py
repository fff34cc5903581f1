"""When a line was written, in every common form."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive.logs.times import Clock, of_fields, stamp

CLOCK = Clock(zone=timedelta(hours=2), now=datetime(2026, 1, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("2026-05-01T10:00:00.123456Z x", "2026-05-01T10:00:00.123456+00:00"),
        ("2026-05-01T10:00:00.123456789+02:00 x", "2026-05-01T08:00:00.123456+00:00"),
        ("2026-05-01 10:00:00,5 x", "2026-05-01T08:00:00.500000+00:00"),
        ("2026-05-01 10:00:00 UTC [1] LOG:  x", "2026-05-01T10:00:00+00:00"),
        ("2026/05/01 10:00:00 [error] 1#0: x", "2026-05-01T08:00:00+00:00"),
        ("12:M 01 May 2026 10:00:00.250 * x", "2026-05-01T08:00:00.250000+00:00"),
        ('1.2.3.4 - - [01/May/2026:10:00:00 +0000] "GET / HTTP/1.1"', "2026-05-01T10:00:00+00:00"),
        ("Jan  1 10:00:00 host app: x", "2026-01-01T08:00:00+00:00"),
        ("Dec 31 10:00:00 host app: x", "2025-12-31T08:00:00+00:00"),
        ("I0101 10:00:00.000001 1 x.go:1] x", "2026-01-01T08:00:00.000001+00:00"),
        ("[2026-05-01 10:00:00 +0000] [1] [INFO] x", "2026-05-01T10:00:00+00:00"),
    ],
)
def test_time_of_a_line(line: str, at: str) -> None:
    found = stamp(line, CLOCK)
    assert found is not None and found.at == datetime.fromisoformat(at)


@pytest.mark.parametrize(
    "line", ["", "no time", "2026-13-45 10:00:00 x", "2026-05-01 99:00:00", "x" * 200 + "2026-05-01 10:00:00"]
)
def test_a_line_without_a_time(line: str) -> None:
    assert stamp(line, CLOCK) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"time": "2026-05-01T10:00:00Z"},
        {"@timestamp": "2026-05-01T12:00:00+02:00"},
        {"ts": 1777629600},
        {"ts": 1777629600.0},
        {"time": 1777629600000},
        {"time": "1777629600000000"},
        {"timestamp": 1777629600000000000},
        {"time": "rubbish", "ts": 1777629600},
    ],
)
def test_time_of_a_structured_line(fields: dict[str, Any]) -> None:
    assert of_fields(fields, CLOCK) == datetime(2026, 5, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, True, -1, 5, 1e300, float("nan"), "", [], {}, "x"])
def test_a_structured_line_without_a_time(value: Any) -> None:
    assert of_fields({"time": value}, CLOCK) is None


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    stamp(text, CLOCK)
    of_fields({"time": text}, CLOCK)
