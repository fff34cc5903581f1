"""Failures are counted by their kind, and nothing measured is no share of anything."""

from __future__ import annotations

from collections import Counter

import pytest

from golive.judge.load.histogram import Histogram
from golive.judge.load.records import Second, Totals, added
from golive.model import CouldNotLook

FAILED = {
    "500": 3,
    "503": 1,
    "404": 2,
    "302": 1,
    "timeout": 4,
    "refused": 2,
    "reset": 1,
    "other: SSLError": 1,
    "failed": 1,
}


def totals(failures: dict[str, int], n: int = 100) -> Totals:
    return Totals(n=n, failures=Counter(failures), histogram=Histogram(), intended=None, seconds=10.0)


@pytest.mark.parametrize(
    ("kinds", "number"),
    [
        ("all", 16), ("4xx", 2), ("5xx", 4), ("timeouts", 4), ("connection", 3), ("500", 3), ("failed", 1),
        ("other: SSLError", 1), (("4xx", "5xx"), 6), (("5xx", "500", "all"), 16), ((), 0), ("unfinished", 0),
    ],
)  # fmt: skip
def test_failures_are_counted_by_kind(kinds: str | tuple[str, ...], number: int) -> None:
    assert totals(FAILED).failed(kinds) == number
    assert totals(FAILED, n=200).share(kinds) == number / 2


def test_unfinished_requests_are_no_failures() -> None:
    assert totals({"unfinished": 5}).failed() == 0
    assert totals({"unfinished": 5}).failed("unfinished") == 5


def test_nothing_measured_has_no_share_and_no_rate() -> None:
    with pytest.raises(CouldNotLook, match="no request was answered, so there is no share of failed ones"):
        totals({}, n=0).share()
    with pytest.raises(CouldNotLook, match="the load did not come so far"):
        _ = added([], 0.0).rate


def test_sum_leaves_its_parts_alone() -> None:
    parts = [
        Second(at=1, name="a", n=2, failures={"500": 1}, histogram=Histogram.of([1, 2]), intended=Histogram.of([5, 6])),
        Second(
            at=2, name="a", n=1, failures={"500": 1, "404": 1}, histogram=Histogram.of([3]), intended=Histogram.of([7])
        ),
    ]
    found = added(parts, 2.0)
    assert (found.n, found.failures, found.rate) == (3, Counter({"500": 2, "404": 1}), 1.5)
    assert (found.histogram, found.latency) == (Histogram.of([1, 2, 3]), Histogram.of([5, 6, 7]))
    assert parts[0].histogram == Histogram.of([1, 2])
