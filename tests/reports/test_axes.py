"""Axes: round ticks, and every value at its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.axes import Frame, clock, clock_ticks, log_ticks, nice_ticks


def frame(*, low: float = 0.0, high: float = 100.0, end: float = 60.0, log: bool = False) -> Frame:
    return Frame(width=200, height=100, left=20, right=10, top=5, bottom=15, low=low, high=high, end=end, log=log)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 100, [0, 50, 100]), (0, 1, [0, 0.5, 1]), (3, 8, [4, 6, 8]), (0, 7, [0, 2.5, 5]), (5, 5, [5])],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1, 10, [1, 2, 5, 10]),
        (0.8, 2100, [1, 10, 100, 1000]),
        (3, 4, []),
        (0, 10, []),
        (1e-3, 1e9, [1e-3, 1, 1e3, 1e6, 1e9]),
    ],
)
def test_logarithmic_ticks_are_few_and_round(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [(0.4, [0]), (2, [0, 1, 2]), (45, [0, 10, 20, 30, 40]), (3600, [0, 600, 1200, 1800, 2400, 3000, 3600])],
)
def test_moments_are_round(seconds: float, ticks: list[int]) -> None:
    assert clock_ticks(seconds) == ticks


@given(st.floats(min_value=0, max_value=1e7))
def test_there_are_never_many_moments(seconds: float) -> None:
    assert 1 <= len(clock_ticks(seconds)) <= 7


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (5, "0:05"), (59.7, "1:00"), (750, "12:30"), (3600, "1:00:00")]
)
def test_moments_read_as_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_values_lie_between_the_margins() -> None:
    drawn = frame()
    assert (drawn.x(0), drawn.x(30), drawn.x(60)) == (20, 105, 190)
    assert (drawn.y(0), drawn.y(50), drawn.y(100)) == (85, 45, 5)
    assert (drawn.x(-5), drawn.x(99)) == (20, 190), "what is outside lies at the edge"


def test_without_any_time_everything_lies_at_the_beginning() -> None:
    assert frame(end=0).x(3) == 20


def test_equal_factors_are_equally_far_apart_on_a_logarithmic_axis() -> None:
    drawn = frame(low=1, high=10_000, log=True)
    assert drawn.y(1) - drawn.y(10) == pytest.approx(drawn.y(100) - drawn.y(1000))
    assert drawn.y(0) == drawn.y(1), "0 has no logarithm and lies at the bottom"
