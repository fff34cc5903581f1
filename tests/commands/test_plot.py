"""A series is drawn as it went, in dots or in ASCII, whatever its values are."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from commands.watching.plot import Dot, far_limits, plot

AT = datetime(2026, 5, 1, 10, tzinfo=UTC)


def dots(*values: float, warning: float | None = None, critical: float | None = None) -> list[Dot]:
    return [Dot(AT + timedelta(hours=n), value, warning, critical) for n, value in enumerate(values)]


def test_a_rise_is_a_rise() -> None:
    assert plot(dots(0, 1, 2, 3), width=20, height=4, unicode=False) == [
        "3 |                *",
        "  |           *",
        "  |     *",
        "0 |*",
        "  +2026-05-01 10:00Z",
    ]


def test_dots_are_finer_than_letters() -> None:
    assert plot(dots(*range(40)), width=23, height=2) == [
        "39 │         ⢀⣀⣀⡠⠤⠔⠒⠒⠊⠉",
        " 0 │⣀⡠⠤⠤⠔⠒⠊⠉⠉⠁",
        "   └2026-05-01 10:00Z",
    ]


def test_limits_are_lines_where_they_were_in_force() -> None:
    points = [*dots(1, 1, critical=4), *[Dot(AT + timedelta(hours=n), 1, None, 2) for n in (2, 3)]]
    assert plot(points, width=19, height=4, unicode=False)[:-1] == [
        "4 |==========",
        "  |",
        "  |          ======",
        "1 |*    *    *    *",
    ]


def test_a_limit_far_off_is_told_and_does_not_flatten_the_values() -> None:
    points = dots(1.0, 2.0, warning=3.0, critical=1000.0)
    assert far_limits(points) == ["critical 1000"]
    assert plot(points, width=30, unicode=False)[0].startswith("3 |---")
    assert far_limits(dots(1.0, 1.0, critical=4.0)) == []
    assert far_limits(dots(math.nan, critical=4.0)) == []


def test_values_of_one_column_are_a_bar_from_least_to_largest() -> None:
    assert plot([Dot(AT, value) for value in (1, 3)], width=11, height=3, unicode=False) == [
        "3 |    *",
        "  |    *",
        "1 |    *",
        "  +2026-05-01 10:00Z",
    ]


def test_what_is_not_finite_is_left_out() -> None:
    assert plot(dots(math.nan, math.inf, -math.inf), width=40) == []
    assert plot(dots(1, math.nan, 3, critical=math.inf), width=40) == plot(
        [Dot(AT, 1), Dot(AT + timedelta(hours=2), 3)], width=40
    )
    assert plot([], width=40) == []


def test_values_that_never_change_are_drawn_in_the_middle() -> None:
    for value in (0.0, 5.0, -5.0):
        drawn = plot(dots(value, value), width=30, height=3, unicode=False)
        assert "*" in drawn[1]
        assert "*" not in drawn[0] + drawn[2]


@given(st.lists(st.floats(), min_size=1, max_size=40), st.floats() | st.none(), st.integers(1, 120), st.integers(2, 12))
def test_every_series_has_a_plot(values: list[float], limit: float | None, width: int, height: int) -> None:
    for unicode in (True, False):
        drawn = plot(dots(*values, critical=limit), width=width, height=height, unicode=unicode)
        if any(map(math.isfinite, values)):
            assert len(drawn) == height + 1
            assert any(c == "*" or c > "\u2800" for line in drawn for c in line)
        else:
            assert drawn == []
