"""The percentile spectrum: from the quickest request to the last one, with the limits where they count."""

from __future__ import annotations

import pytest

from golive.judge.load.histogram import Histogram
from reports.load import charts
from reports.load.parts import Chart
from reports.load.spectrum import Bound, Spectrum, spectrum_chart


def drawn(values_ms: list[float], *bounds: Bound) -> Chart:
    histogram = Histogram.of(int(value * 1000) for value in values_ms)
    found = spectrum_chart("Percentile spectrum", [Spectrum(css="main", label="all", histogram=histogram)], bounds)
    assert found is not None
    return found


def test_without_a_request_there_is_none() -> None:
    assert spectrum_chart("x", [Spectrum(css="main", label="all", histogram=Histogram())]) is None
    assert spectrum_chart("x", []) is None


@pytest.mark.parametrize("values", [[7.0], [0.0], [3.0, 9.0], [5.0] * 1000])
def test_few_or_equal_values_can_be_drawn(values: list[float]) -> None:
    (stroke,) = drawn(values).strokes
    assert stroke.paths
    assert "nan" not in stroke.paths[0]


def test_only_percentiles_that_were_measured_are_on_the_axis() -> None:
    assert [mark.text for mark in drawn([1.0] * 50).times] == ["0 %", "50 %", "90 %"]
    assert [mark.text for mark in drawn([1.0] * 10_000).times][-1] == "99.99 %"


def test_it_ends_at_the_slowest_request() -> None:
    found = drawn([*[10.0] * 99, 20.0])
    x, y = found.strokes[0].paths[0].rpartition("L")[2].split()
    assert float(x) == charts.WIDTH - charts.RIGHT
    assert float(y) == pytest.approx(
        charts.TOP + (charts.HEIGHT - charts.TOP - charts.BOTTOM) * (1 - 1 / 1.08), abs=0.2
    )


def test_a_limit_stands_at_its_percentile() -> None:
    found = drawn(
        [1.0, 2.0, 3.0, 4.0] * 250,
        Bound(css="limit", label="p95 limit", percentile=95, value_ms=5.0),
        Bound(css="limit", label="p99 limit", percentile=99, value_ms=9000.0),
    )
    (rule,) = found.rules
    ninety, ninety_nine = (mark.at for mark in found.times if mark.text in ("90 %", "99 %"))
    assert ninety < (rule.x1 + rule.x2) / 2 < ninety_nine
    assert found.beyond == "above the picture: p99 limit 9000 ms"


def test_words_say_what_it_shows() -> None:
    words = drawn([*[10.0] * 99, 20.0]).words
    assert words.startswith("Percentile spectrum: all 50 % within 10 ms")
    assert words.endswith("the slowest 20 ms")
