"""Values of good runs, and how far another is from them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from golive.judge.trends import Change, compared, is_clock, typical
from golive.model import Measurement, Outcome, Severity, Status


def seen(value: float, status: Status = Status.PASS, *, check: str = "http/latency", unit: str = "ms") -> Outcome:
    return Outcome(
        criterion="shop.speed.p95",
        status=status,
        severity=Severity.HIGH,
        message="seen",
        check=check,
        measurements=(Measurement(name="p95", value=value, unit=unit),),
        started_at=datetime(2026, 5, 1, tzinfo=UTC),
    )


KEY = ("shop.speed.p95", "p95", "ms")


def test_the_middle_over_runs_counts() -> None:
    assert typical([[seen(100)], [seen(400)], [seen(110)]]) == {KEY: (110, 3)}
    assert typical([[seen(100), seen(300)], [seen(110)]]) == {KEY: (155, 2)}
    assert typical([]) == {}


@pytest.mark.parametrize("status", [Status.FAIL, Status.UNKNOWN, Status.WAIVED, Status.NOT_APPLICABLE])
def test_what_did_not_hold_is_no_example(status: Status) -> None:
    assert typical([[seen(100, status)], [seen(110, Status.WARN)]]) == {KEY: (110, 1)}


def test_what_looks_back_and_clocks_and_no_numbers_are_left_out() -> None:
    assert typical([[seen(100, check="history/growth")]]) == {}
    assert typical([[seen(math.nan)]]) == {}
    assert is_clock("api up", "s")
    assert not is_clock("api up", "%")
    assert not is_clock("upload", "s")


@pytest.mark.parametrize(
    ("value", "base", "better", "percent", "word"),
    [
        (120, 100, "lower", 20, "worse"),
        (80, 100, "lower", -20, "better"),
        (80, 100, "higher", -20, "worse"),
        (100, 100, "higher", 0, "same"),
        (0, 0, "lower", 0, "same"),
        (1, 0, "lower", math.inf, "worse"),
        (-1, 0, "lower", -math.inf, "better"),
        (-5, -10, "lower", 50, "worse"),
    ],
)
def test_changes(value: float, base: float, better: str, percent: float, word: str) -> None:
    keys: dict[str, str] = {"better": better}
    found = Change(criterion="c", name="n", unit="u", value=value, base=base, **keys)  # type: ignore[arg-type]
    assert (found.percent, found.word) == (percent, word)


def test_the_worst_change_comes_first() -> None:
    found = compared([seen(150), seen(300), seen(90)], {KEY: 100})
    assert [change.value for change in found] == [300, 150, 90]
    assert compared([seen(150)], {("other", "p95", "ms"): 100}) == []
    assert compared([seen(150, unit="s")], {KEY: 100}) == []
