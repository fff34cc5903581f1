"""What holds of slopes and significance whatever the series."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive.judge.trends import Sample, hours_to_reach, mann_kendall, prepared, theil_sen, usual

VALUES = st.integers(-1000, 1000).map(float)
SERIES = st.lists(VALUES, min_size=5, max_size=25).map(lambda values: [(float(i), v) for i, v in enumerate(values)])
HASTE = settings(max_examples=60, deadline=None)


@HASTE
@given(SERIES, VALUES, VALUES)
def test_a_shift_moves_the_line_and_nothing_else(series: list[Sample], hours: float, up: float) -> None:
    before, after = theil_sen(series), theil_sen([(t + hours, v + up) for t, v in series])
    assert after.slope == pytest.approx(before.slope, abs=1e-9)
    assert after.at(after.begin) == pytest.approx(before.at(before.begin) + up, abs=1e-6)
    assert mann_kendall([(t + hours, v + up) for t, v in series]).p == mann_kendall(series).p


@HASTE
@given(SERIES, st.floats(0.01, 100))
def test_the_slope_is_in_the_unit_of_the_value(series: list[Sample], factor: float) -> None:
    assert theil_sen([(t, factor * v) for t, v in series]).slope == pytest.approx(
        factor * theil_sen(series).slope, rel=1e-6, abs=1e-9
    )


@HASTE
@given(SERIES)
def test_upside_down_is_the_opposite(series: list[Sample]) -> None:
    turned = [(t, -v) for t, v in series]
    assert theil_sen(turned).slope == pytest.approx(-theil_sen(series).slope)
    assert mann_kendall(turned).s == -mann_kendall(series).s
    assert mann_kendall(turned).p == mann_kendall(series).p


@HASTE
@given(SERIES, st.randoms(use_true_random=False))
def test_the_order_in_which_points_arrive_is_no_matter(series: list[Sample], random: object) -> None:
    shuffled = list(series)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert theil_sen(shuffled) == theil_sen(series)
    assert mann_kendall(shuffled) == mann_kendall(series)


@HASTE
@given(st.lists(st.floats(0.1, 10), min_size=5, max_size=60))
def test_a_series_that_only_rises_is_significant(steps: list[float]) -> None:
    series = [(float(i), sum(steps[: i + 1])) for i in range(len(steps))]
    found = mann_kendall(series)
    assert found.rises(0.05)
    assert theil_sen(series).slope > 0
    assert 0 < hours_to_reach(series, 1e6) < math.inf


@HASTE
@given(SERIES)
def test_significance_is_a_probability(series: list[Sample]) -> None:
    found = mann_kendall(series)
    assert 0 < found.p <= 1
    assert found.s != 0 or found.p == 1


@HASTE
@given(st.lists(VALUES, min_size=4, max_size=30))
def test_the_middle_lies_inside_and_spread_is_none_only_of_equals(values: list[float]) -> None:
    found = usual(values)
    assert min(values) <= found.middle <= max(values)
    assert (found.spread == 0) is (len(set(values)) == 1)


@HASTE
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=50), st.integers(2, 20))
def test_thinning_keeps_the_ends_and_the_order(samples: list[Sample], most: int) -> None:
    every, kept = prepared(samples, 1, most=1000), prepared(samples, 1, most=most)
    assert len(kept) == min(len(every), most)
    assert (kept[0], kept[-1]) == (every[0], every[-1])
    assert kept == sorted(set(kept)) and set(kept) <= set(every)
