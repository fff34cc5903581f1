"""Pictures over time: what is drawn, what is left out and said instead, and names that can be read."""

from __future__ import annotations

import itertools

import pytest

from reports.load import charts
from reports.load.charts import line_chart, path_data, stacked_chart
from reports.load.parts import Chart, Level, Series, Stage, Stretch

STAGE = Stage(
    end_s=45.0,
    phases=(Stretch(name="ramp 1", start_s=0, end_s=10), Stretch(name="hold 1", start_s=10, end_s=45)),
)


def chart(*values: float | None, levels: tuple[Level, ...] = (), may_log: bool = False, stage: Stage = STAGE) -> Chart:
    points = [(float(at), value) for at, value in enumerate(values)]
    found = line_chart("Latency", "ms", [Series(css="p95", label="p95", points=points)], stage, levels, may_log=may_log)
    assert found is not None
    return found


def limit(value: float, label: str = "p95 limit") -> Level:
    return Level(css="limit", label=label, value=value)


@pytest.mark.parametrize("values", [[], [None, None], [float("nan")], [float("inf")], [-1.0], [1e305]])
def test_what_cannot_be_drawn_is_not_drawn(values: list[float | None]) -> None:
    points = [(float(at), value) for at, value in enumerate(values)]
    assert line_chart("x", "", [Series(css="a", label="a", points=points)], STAGE) is None


def test_without_any_time_nothing_is_drawn() -> None:
    series = [Series(css="a", label="a", points=[(0.0, 1.0)])]
    assert line_chart("x", "", series, Stage(end_s=0.0)) is None
    assert stacked_chart("x", "", [(0.0, 1.0, {"5xx": 1.0})], Stage(end_s=0.0)) is None


def test_a_gap_parts_the_line_and_a_lone_value_is_a_ring() -> None:
    (stroke,) = chart(1.0, 2.0, None, 3.0).strokes
    line, ring = stroke.paths
    assert line.count("L") == 1
    assert "a1.5 1.5" in ring


def test_all_that_is_drawn_lies_inside_the_picture() -> None:
    drawn = chart(1.0, 900.0, 30.0, levels=(limit(1200.0),), may_log=True, stage=Stage(end_s=2.0, stopped_s=1.0))
    places = [
        float(number) for path in drawn.strokes[0].paths for number in path.replace("M", "").replace("L", " ").split()
    ]
    assert all(charts.LEFT <= x <= charts.WIDTH - charts.RIGHT for x in places[::2])
    assert all(0 <= y <= charts.HEIGHT - charts.BOTTOM for y in places[1::2])
    assert drawn.stopped_x == (charts.LEFT + charts.WIDTH - charts.RIGHT) / 2


def test_the_axis_is_logarithmic_only_where_values_span_decades() -> None:
    assert chart(2.0, 1500.0, may_log=True).log
    assert not chart(2.0, 20.0, may_log=True).log
    assert not chart(2.0, 1500.0).log


def test_a_limit_near_the_values_is_drawn_and_one_far_away_is_said() -> None:
    drawn = chart(10.0, 20.0, levels=(limit(50.0), limit(2000.0, "p99 limit")))
    assert [rule.label for rule in drawn.rules] == ["p95 limit"]
    assert drawn.beyond == "above the picture: p99 limit 2000 ms"


def test_a_limit_of_a_phase_is_drawn_over_that_phase() -> None:
    drawn = chart(10.0, 20.0, levels=(Level(css="limit", label="limit", value=15.0, start_s=10.0, end_s=45.0),))
    assert (drawn.rules[0].x1, drawn.rules[0].x2) == (drawn.phases[1].x, charts.WIDTH - charts.RIGHT)


def test_names_of_limits_do_not_lie_upon_each_other() -> None:
    rules = chart(10.0, 20.0, levels=(limit(30.0), limit(30.5, "p99 limit"), limit(31.0, "max limit"))).rules
    for one, other in itertools.combinations(rules, 2):
        apart_down = abs(one.label_y - other.label_y) >= 11
        left, right = sorted((one, other), key=lambda rule: rule.label_x)
        assert apart_down or left.label_x + 6 * len(left.label) <= right.label_x


def test_names_of_lines_do_not_lie_upon_each_other() -> None:
    series = [Series(css=name, label=name, points=[(0.0, 1.0), (1.0, 9.0)]) for name in ("p50", "p95", "p99")]
    drawn = line_chart("x", "ms", series, STAGE)
    assert drawn is not None
    places = sorted(stroke.label_y for stroke in drawn.strokes)
    assert all(later - earlier >= 11 for earlier, later in itertools.pairwise(places))


def test_a_phase_too_short_for_its_name_has_none() -> None:
    stage = Stage(
        end_s=100.0, phases=(Stretch(name="spike 1", start_s=0, end_s=1), Stretch(name="hold 1", start_s=1, end_s=100))
    )
    assert [box.label for box in chart(1.0, stage=stage).phases] == ["", "hold 1"]


def test_words_say_what_the_lines_show() -> None:
    assert chart(1.0, None, 12.0).words == "Latency: p95 1 to 12 ms"


def test_parts_of_a_bar_stand_upon_each_other() -> None:
    drawn = stacked_chart("Errors", "/s", [(0.0, 1.0, {"5xx": 3.0, "4xx": 0.0, "timeouts": 1.0})], STAGE)
    assert drawn is not None
    low, high = drawn.boxes
    assert (low.css, high.css) == ("e-5xx", "e-timeouts")
    assert high.y + high.height == pytest.approx(low.y)
    assert low.height == pytest.approx(3 * high.height, abs=0.4)
    assert drawn.words == "Errors: 5xx up to 3 /s, 4xx up to 0 /s, timeouts up to 1 /s"


def test_bars_without_height_are_no_picture() -> None:
    assert stacked_chart("Errors", "/s", [], STAGE) is None
    assert stacked_chart("Errors", "/s", [(0.0, 1.0, {})], STAGE) is None


def test_no_points_are_no_path() -> None:
    assert path_data([]) == ()
    assert path_data([None, None]) == ()
