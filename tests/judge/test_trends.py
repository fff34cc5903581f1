"""Slopes, steadiness, what is usual and counts, against published examples and brute force."""

from __future__ import annotations

import math
from itertools import combinations, pairwise, permutations, product
from statistics import median

import pytest

from golive.judge.trends import (
    MOST,
    Fall,
    Reads,
    Sample,
    TooFewPoints,
    fell_silent,
    hours_to_reach,
    mann_kendall,
    per_hour,
    prepared,
    recurring,
    theil_sen,
    times,
    usual,
    went_backwards,
)


def hourly(*values: float) -> list[Sample]:
    return [(float(hour), value) for hour, value in enumerate(values, 1)]


# What Theil wrote of, in Hollander and Wolfe, Nonparametric Statistical Methods, table 9.1:
# cloud seeding in the Snowy Mountains. The slope is -0.056, C is -6, and P(C <= -6) is 0.117.
SNOWY_MOUNTAINS = hourly(1.26, 1.27, 1.12, 1.16, 1.03)


def test_a_published_slope() -> None:
    line = theil_sen(SNOWY_MOUNTAINS)
    assert line.slope == pytest.approx(-0.05625)
    assert (line.begin, line.end, line.points) == (1, 5, 5)


def test_a_published_significance() -> None:
    found = mann_kendall(SNOWY_MOUNTAINS)
    assert (found.s, found.exact) == (-6, True)
    assert found.p == pytest.approx(2 * 14 / 120)


@pytest.mark.parametrize(
    ("n", "s", "one_sided"),
    # Kendall, Rank Correlation Methods, appendix table 1.
    [(5, 8, 0.042), (5, 10, 0.0083), (6, 11, 0.028), (8, 16, 0.031), (10, 21, 0.036), (10, 23, 0.023)],
)
def test_the_published_table_of_kendall(n: int, s: int, one_sided: float) -> None:
    values = order_with(n, inversions=(n * (n - 1) // 2 - s) // 2)
    found = mann_kendall(hourly(*values))
    assert found.s == s
    assert found.p / 2 == pytest.approx(one_sided, rel=0.02)


def order_with(n: int, inversions: int) -> list[int]:
    """1 … n in an order with so many inversions: the largest are moved ahead."""
    values: list[int] = []
    for k in range(n, 0, -1):
        moved = min(inversions, len(values))
        values.insert(moved, k)
        inversions -= moved
    assert inversions == 0
    return values


@pytest.mark.parametrize("values", [(1, 2, 3, 4, 5), (1, 1, 2, 3, 2, 4), (0, 0, 0, 1, 2, 2), (3, 3, 3, 3, 3)])
def test_significance_against_every_order(values: tuple[int, ...]) -> None:
    def s_of(order: tuple[int, ...]) -> int:
        return sum((b > a) - (b < a) for a, b in combinations(order, 2))

    orders = list(permutations(values))
    wanted = sum(abs(s_of(order)) >= abs(s_of(values)) for order in orders) / len(orders)
    assert mann_kendall(hourly(*values)).p == pytest.approx(wanted)


def test_many_points_take_the_normal_approximation() -> None:
    # 41 values, 40 of them in 8 groups of 5 equal ones: the variance by the formula, written out.
    values = [float(place // 5) for place in range(41)]
    values[0], values[40] = values[40], values[0]
    found = mann_kendall(hourly(*values))
    s = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    variance = (41 * 40 * 87 - 8 * 5 * 4 * 15) / 18
    assert (found.s, found.exact) == (s, False)
    assert found.p == pytest.approx(math.erfc((abs(s) - 1) / math.sqrt(variance) / math.sqrt(2)))


def test_exact_and_approximate_meet() -> None:
    values = [math.sin(place) + place / 30 for place in range(40)]
    exact, approximate = mann_kendall(hourly(*values)), mann_kendall(hourly(*values, 1.5))
    assert (exact.exact, approximate.exact) == (True, False)
    assert exact.p == pytest.approx(approximate.p, rel=0.5)


def test_a_long_series_of_equal_values_is_no_trend() -> None:
    assert mann_kendall(hourly(*[7.0] * 60)).p == 1.0


def test_steps_that_are_rare_enough_rise() -> None:
    assert mann_kendall(hourly(1, 2, 3, 4, 5)).rises(0.05)
    assert not mann_kendall(hourly(1, 2, 3, 5, 4)).rises(0.05)
    assert not mann_kendall(hourly(5, 4, 3, 2, 1)).rises(0.05)


@pytest.mark.parametrize(
    ("series", "have", "need"),
    [((), 0, 5), ((1,), 1, 5), ((1, 2, 3, 4), 4, 5)],
)
def test_too_few_points_have_no_significance(series: tuple[int, ...], have: int, need: int) -> None:
    with pytest.raises(TooFewPoints, match=f"{have} of at least {need} points") as caught:
        mann_kendall(hourly(*series))
    assert (caught.value.have, caught.value.need) == (have, need)


def test_a_higher_minimum_is_kept_and_a_lower_one_is_not() -> None:
    with pytest.raises(TooFewPoints, match="5 of at least 7 points"):
        mann_kendall(hourly(1, 2, 3, 4, 5), minimum=7)
    with pytest.raises(TooFewPoints, match="2 of at least 3 points"):
        theil_sen(hourly(1, 2), minimum=1)
    with pytest.raises(TooFewPoints, match="1 of at least 4 points"):
        usual([1.0], minimum=0)


def test_the_same_moment_is_one_point() -> None:
    samples = [(1.0, 1.0), (1.0, 9.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)]
    assert prepared(samples, 1) == [(1.0, 2.0), (2.0, 3.0), (3.0, 4.0)]
    assert theil_sen(samples).slope == 1
    with pytest.raises(TooFewPoints, match="3 of at least 5"):
        mann_kendall(samples)


def test_slope_against_brute_force_and_an_outlier() -> None:
    values = [3 + 0.5 * hour for hour in range(9)]
    values[4] = 1000
    slopes = [(values[j] - values[i]) / (j - i) for i, j in combinations(range(9), 2)]
    line = theil_sen(hourly(*values))
    assert line.slope == median(slopes) == 0.5
    assert line.at(1) == pytest.approx(3)


def test_growth_is_along_the_line() -> None:
    assert theil_sen(hourly(100, 110, 120, 130)).growth_percent == pytest.approx(30)
    assert theil_sen(hourly(100, 90, 80)).growth_percent == pytest.approx(-20)
    assert theil_sen(hourly(0, 0, 0)).growth_percent == 0
    assert theil_sen(hourly(0, 1, 2)).growth_percent == math.inf


def test_long_series_are_thinned_evenly() -> None:
    thinned = prepared([(float(i), float(i)) for i in range(1000)], 1)
    assert len(thinned) == MOST
    assert (thinned[0], thinned[-1]) == ((0, 0), (999, 999))
    steps = {b[0] - a[0] for a, b in pairwise(thinned)}
    assert steps == {5, 6}
    assert prepared([(1.0, 1.0), (0.0, 0.0)], 1) == [(0, 0), (1, 1)]


@pytest.mark.parametrize("wrong", [(math.nan, 1.0), (1.0, math.inf)])
def test_what_is_no_number_is_refused(wrong: Sample) -> None:
    with pytest.raises(ValueError, match="no number"):
        theil_sen([*hourly(1, 2, 3), wrong])
    with pytest.raises(ValueError, match="no number"):
        usual([1.0, 2.0, 3.0, math.nan])


@pytest.mark.parametrize(
    ("values", "limit", "beyond", "hours"),
    [
        ((50, 60, 70), 90, "above", 2),
        ((50, 60, 90), 90, "above", 0),
        ((50, 60, 95), 90, "above", 0),
        ((70, 60, 50), 90, "above", math.inf),
        ((60, 60, 60), 90, "above", math.inf),
        ((40, 30, 20), 10, "below", 1),
        ((40, 30, 10), 10, "below", 0),
        ((10, 20, 30), 10, "below", math.inf),
    ],
)
def test_hours_to_a_limit(values: tuple[float, ...], limit: float, beyond: str, hours: float) -> None:
    direction: dict[str, str] = {"beyond": beyond}
    assert hours_to_reach(hourly(*values), limit, **direction) == pytest.approx(hours)  # type: ignore[arg-type]


def test_hours_to_a_limit_take_three_points() -> None:
    with pytest.raises(TooFewPoints, match="2 of at least 3 points"):
        hours_to_reach(hourly(50, 60), 90)


# what is usual


def test_median_and_deviation() -> None:
    # Wikipedia's example of the MAD: 1, 1, 2, 2, 4, 6, 9 has median 2 and MAD 1.
    found = usual([1, 1, 2, 2, 4, 6, 9])
    assert (found.middle, found.points) == (2, 7)
    assert found.spread == pytest.approx(1.4826)
    assert found.above(3) == pytest.approx(2 + 3 * 1.4826)


def test_without_a_median_deviation_the_mean_one_counts() -> None:
    found = usual([4, 4, 4, 4, 9])
    assert found.spread == pytest.approx(1.2533 * 1)
    assert usual([4, 4, 4, 4]).spread == 0


def test_usual_takes_four_values() -> None:
    with pytest.raises(TooFewPoints, match="3 of at least 4 points"):
        usual([1, 2, 3])


@pytest.mark.parametrize(("value", "base", "found"), [(6, 3, 2), (0, 3, 0), (0, 0, 1), (1, 0, math.inf)])
def test_how_many_times(value: float, base: float, found: float) -> None:
    assert times(value, base) == found


def test_what_is_below_zero_has_no_multiple() -> None:
    with pytest.raises(ValueError, match="multiples"):
        times(-1, 2)


# counts


def test_counts_of_uneven_looks_become_rates() -> None:
    counts = [(1.0, 10.0), (2.0, 10.0), (4.0, 40.0)]
    assert per_hour(counts, Reads.COUNT, begin=0.5, shortest=0.1) == [(1, 20), (2, 10), (4, 20)]
    assert per_hour(counts, Reads.RATE, begin=0, shortest=0.1) == counts
    assert per_hour([], Reads.COUNT, begin=0, shortest=0.1) == []


def test_two_looks_in_a_row_are_no_burst() -> None:
    counts = [(1.0, 10.0), (1.001, 1.0)]
    assert per_hour(counts, Reads.COUNT, begin=0, shortest=0.1)[1] == (1.001, 10)


def test_totals_become_rates_and_begin_anew() -> None:
    totals = [(1.0, 100.0), (2.0, 130.0), (4.0, 10.0)]
    assert per_hour(totals, Reads.TOTAL, begin=0, shortest=0.1) == [(2, 30), (4, 5)]


def test_a_count_that_was_there_fell_silent() -> None:
    assert fell_silent([5, 3, 4, 0])
    assert not fell_silent([5, 3, 4, 1])
    assert not fell_silent([5, 0, 4, 0])
    assert fell_silent([5, 0, 4, 0], usually=0.6)
    assert not fell_silent([0, 0, 0, 0], usually=0)
    with pytest.raises(TooFewPoints, match="2 of at least 3 points"):
        fell_silent([5, 3, 0])


def test_counters_that_fall_are_named_unless_explained() -> None:
    samples = hourly(1, 5, 3, 3, 8, 0)
    falls = went_backwards(samples, lambda _before, _after: False)
    assert falls == [Fall((2, 5), (3, 3)), Fall((5, 8), (6, 0))]
    assert went_backwards(samples, lambda _before, after: after == 6) == [Fall((2, 5), (3, 3))]
    with pytest.raises(TooFewPoints, match="1 of at least 2 points"):
        went_backwards(hourly(1), lambda _before, _after: False)


def test_what_comes_back() -> None:
    looks = [{"a", "b"}, {"c"}, ["a", "a"], ["b", "a"]]
    assert recurring(looks, 2) == {"a": [0, 2, 3], "b": [0, 3]}
    assert recurring(looks, 3) == {"a": [0, 2, 3]}
    with pytest.raises(TooFewPoints, match="1 of at least 2 points"):
        recurring([{"a"}], 2)


def test_significance_of_all_short_series_by_brute_force() -> None:
    """Every series of five values out of three: ties of each kind."""
    for values in product((0, 1, 2), repeat=5):
        orders = [sum((b > a) - (b < a) for a, b in combinations(o, 2)) for o in permutations(values)]
        s = sum((b > a) - (b < a) for a, b in combinations(values, 2))
        wanted = sum(abs(one) >= abs(s) for one in orders) / len(orders)
        assert mann_kendall(hourly(*values)).p == pytest.approx(wanted), values
