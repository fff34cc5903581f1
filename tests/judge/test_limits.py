"""A value is held against its limits exactly as the criterion says it."""

from __future__ import annotations

import math

import pytest

from golive.judge.limits import describe, judge, number
from golive.model import Measurement, Status


def measured(value: float, **limits: object) -> Measurement:
    return Measurement(name="x", value=value, unit="%", **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "limits", "expected"),
    [
        (79.9, {"critical": 80}, Status.PASS),
        (80, {"critical": 80}, Status.FAIL),
        (80, {"critical": 80, "inclusive": True}, Status.PASS),
        (80.1, {"critical": 80, "inclusive": True}, Status.FAIL),
        (75, {"critical": 80, "warning": 70}, Status.WARN),
        (85, {"critical": 80, "warning": 70}, Status.FAIL),
        (14, {"critical": 14, "better": "higher"}, Status.PASS),
        (13, {"critical": 14, "better": "higher"}, Status.FAIL),
        (20, {"critical": 14, "warning": 21, "better": "higher"}, Status.WARN),
        (5, {}, Status.PASS),
        (math.nan, {"critical": 80}, Status.UNKNOWN),
        (-math.inf, {"critical": 80}, Status.UNKNOWN),
    ],
)
def test_value_is_judged(value: float, limits: dict[str, object], expected: Status) -> None:
    assert judge(measured(value, **limits)) is expected


@pytest.mark.parametrize(
    ("value", "limits", "told"),
    [
        (91.234, {"critical": 80}, "91.2 %, below 80 % needed"),
        (3, {"critical": 0, "inclusive": True}, "3 %, at most 0 % needed"),
        (6, {"critical": 14, "better": "higher"}, "6 %, at least 14 % needed"),
        (75, {"critical": 80, "warning": 70}, "75 %, below 70 % wanted"),
        (5, {}, "5 %"),
    ],
)
def test_message_holds_value_and_limit(value: float, limits: dict[str, object], told: str) -> None:
    assert describe(measured(value, **limits)) == told


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.00123, "0.00123"),
        (1234567.8, "1234568"),
        (12.3456, "12.3"),
        (99.96, "100"),
        (129.96, "130"),
        (100.3, "100"),
        (2.5, "2.5"),
        (math.nan, "nan"),
    ],
)
def test_numbers_are_for_people(value: float, text: str) -> None:
    assert number(value) == text
