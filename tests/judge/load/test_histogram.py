"""A histogram forgets which latencies there were, but not how many, how long in all, and not by more than a percent."""

from __future__ import annotations

import ast
import json
import math
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive.judge.load import histogram
from golive.judge.load.histogram import Histogram, bucket_of, edges_of

HOUR_US = 3_600_000_000
LATENCIES = st.one_of(st.integers(0, 600), st.integers(0, 5_000_000), st.integers(0, HOUR_US))
VALUES = st.lists(LATENCIES, min_size=1, max_size=80)
PERCENTS = st.one_of(st.sampled_from([50.0, 90.0, 95.0, 99.0, 99.9, 100.0]), st.floats(0.001, 100))
HASTE = settings(max_examples=150, deadline=None)


def nearest_rank(values: list[int], p: float) -> int:
    """The plain definition, in whole numbers."""
    ordered = sorted(values)
    rank = next(r for r in range(1, len(ordered) + 1) if r * 100 * 10**6 >= round(p * 10**6) * len(ordered))
    return ordered[rank - 1]


@HASTE
@given(st.integers(0, HOUR_US))
def test_value_lies_in_its_bucket_which_is_narrow(us: int) -> None:
    low, high = edges_of(bucket_of(us))
    assert low <= us <= high
    assert high - low <= max(0, low / 128)
    assert bucket_of(low) == bucket_of(high) == bucket_of(us)
    assert edges_of(bucket_of(us) + 1)[0] == high + 1


def test_every_bucket_up_to_an_hour_begins_where_the_last_one_ends() -> None:
    at = 0
    for bucket in range(bucket_of(HOUR_US) + 1):
        low, high = edges_of(bucket)
        assert low == at
        at = high + 1
    assert at > HOUR_US
    assert bucket_of(HOUR_US) < 4000


@HASTE
@given(VALUES, st.sampled_from([50.0, 90.0, 95.0, 99.0, 99.9, 100.0, 12.5, 0.1]))
def test_percentile_is_within_a_percent_of_the_nearest_rank_and_never_too_low(values: list[int], p: float) -> None:
    exact, found = nearest_rank(values, p) / 1000, Histogram.of(values).percentile(p)
    assert exact <= found <= exact * 1.01
    assert found <= max(values) / 1000


@HASTE
@given(VALUES)
def test_number_average_and_maximum_are_exact(values: list[int]) -> None:
    found = Histogram.of(values)
    assert found.count == len(values)
    assert found.mean_ms == pytest.approx(sum(values) / len(values) / 1000)
    assert found.max_ms == found.percentile(100) == max(values) / 1000


@HASTE
@given(st.lists(st.lists(LATENCIES, max_size=40), min_size=1, max_size=6))
def test_merged_is_all_values_together_and_leaves_the_parts_alone(parts: list[list[int]]) -> None:
    histograms = [Histogram.of(values) for values in parts]
    merged = Histogram()
    for one in histograms:
        merged.merge(one)
    assert merged == Histogram.of(value for values in parts for value in values)
    assert histograms == [Histogram.of(values) for values in parts]


@HASTE
@given(VALUES, PERCENTS, PERCENTS)
def test_higher_percentiles_are_not_lower(values: list[int], one: float, other: float) -> None:
    found = Histogram.of(values)
    assert found.percentile(min(one, other)) <= found.percentile(max(one, other))


@HASTE
@given(VALUES)
def test_data_survives_json(values: list[int]) -> None:
    found = Histogram.of(values)
    assert Histogram.from_data(json.loads(json.dumps(found.as_data()))) == found


@HASTE
@given(VALUES)
def test_spectrum_rises_to_everything(values: list[int]) -> None:
    spectrum = Histogram.of(values).spectrum()
    assert spectrum == sorted(spectrum)
    assert spectrum[-1] == (max(values) / 1000, 100)
    for at_ms, share in spectrum:
        assert share == pytest.approx(100 * sum(1 for v in values if v / 1000 <= at_ms) / len(values))


def test_merging_with_itself_doubles_everything() -> None:
    found = Histogram.of([5, 5000])
    found.merge(found)
    assert found == Histogram.of([5, 5, 5000, 5000])


def test_rank_is_not_lost_to_rounding() -> None:
    values = [1] * 999 + [10_000_000]
    assert Histogram.of(values).percentile(99.9) == 0.001
    assert Histogram.of([*values, 10_000_000]).percentile(99.9) == 10_000


def test_typical_latencies_are_read_back_closely() -> None:
    drawn = random.Random(7)
    values = [round(math.exp(drawn.gauss(10, 1))) for _ in range(20_000)]
    found = Histogram.of(values)
    for p in (50.0, 95.0, 99.0, 99.9):
        assert found.percentile(p) == pytest.approx(nearest_rank(values, p) / 1000, rel=0.008)
    assert len(found.as_data()["buckets"]) < 1500


def test_many_of_the_same_are_counted_at_once() -> None:
    counted = Histogram()
    counted.add(1500, 3)
    assert counted == Histogram.of([1500, 1500, 1500])


def test_nothing_measured_has_no_percentile_and_no_average() -> None:
    empty = Histogram()
    assert (empty.count, empty.max_ms, empty.spectrum()) == (0, 0, [])
    with pytest.raises(ValueError, match="no latency was measured, so there is no percentile"):
        empty.percentile(95)
    with pytest.raises(ValueError, match="no latency was measured, so there is no average"):
        _ = empty.mean_ms
    assert Histogram.from_data(empty.as_data()) == empty


@pytest.mark.parametrize("p", [0, -1, 100.1, math.nan, math.inf])
def test_percentile_that_there_is_not_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="a percentile lies above 0 and at most at 100"):
        Histogram.of([1]).percentile(p)


@pytest.mark.parametrize(("us", "n"), [(-1, 1), (1, 0), (1, -2)])
def test_latency_that_cannot_be_is_refused(us: int, n: int) -> None:
    with pytest.raises(ValueError, match="a latency is 0 or more and counts at least once"):
        Histogram().add(us, n)


RUBBISH: dict[str, Any] = {
    "nothing": None,
    "text": "x",
    "list": [],
    "empty": {},
    "no sum": {"buckets": {}, "max_us": 0},
    "list of buckets": {"buckets": [1], "max_us": 1, "sum_us": 1},
    "negative count": {"buckets": {"1": -1}, "max_us": 1, "sum_us": 1},
    "no count": {"buckets": {"1": 0}, "max_us": 1, "sum_us": 0},
    "half a count": {"buckets": {"1": 1.5}, "max_us": 1, "sum_us": 1},
    "true": {"buckets": {"1": True}, "max_us": 1, "sum_us": 1},
    "bucket by no number": {"buckets": {"a": 1}, "max_us": 1, "sum_us": 1},
    "bucket below 0": {"buckets": {"-1": 1}, "max_us": 1, "sum_us": 1},
    "bucket by a long number": {"buckets": {"9" * 5000: 1}, "max_us": 1, "sum_us": 1},
    "bucket written twice": {"buckets": {"1": 1, "01": 1}, "max_us": 1, "sum_us": 2},
    "bucket in other digits": {"buckets": {"\u0661": 1}, "max_us": 1, "sum_us": 1},
    "bucket of centuries": {"buckets": {"9999999": 1}, "max_us": 1, "sum_us": 1},
    "maximum elsewhere": {"buckets": {"1": 1}, "max_us": 900, "sum_us": 1},
    "maximum of nothing": {"buckets": {}, "max_us": 5, "sum_us": 0},
    "sum too small": {"buckets": {"100": 2}, "max_us": 100, "sum_us": 199},
    "sum too great": {"buckets": {"100": 2}, "max_us": 100, "sum_us": 201},
    "no number": {"buckets": {"1": 1}, "max_us": math.nan, "sum_us": 1},
    "endless": {"buckets": {"1": 10**30}, "max_us": 1, "sum_us": 10**30},
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_no_histogram(name: str) -> None:
    with pytest.raises(ValueError, match=r"a histogram|a bucket|the count of a bucket|'max_us'|'sum_us'"):
        Histogram.from_data(RUBBISH[name])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@HASTE
@given(st.one_of(_JSON, st.fixed_dictionaries({"buckets": _JSON, "max_us": _JSON, "sum_us": _JSON})))
def test_whatever_comes_is_read_or_refused(data: Any) -> None:
    try:
        found = Histogram.from_data(data)
    except ValueError:
        return
    assert Histogram.from_data(found.as_data()) == found


def test_load_processes_can_import_it_without_anything_else() -> None:
    """It runs in processes that generate load, where the rest of the suite has no business."""
    tree = ast.parse(Path(histogram.__file__).read_text())
    modules = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in modules} <= set(sys.stdlib_module_names)
