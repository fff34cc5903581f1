"""Measurements as series: their order, their gaps, and the pictures that are drawn of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from golive.model import Measurement, Status, WatchRecord
from reports.golive.views import plots
from reports.golive.views.selection import MOST_PLOTS, plotted
from reports.golive.views.series import Tier, Trace, nearness, traces
from tests import watchdays as days
from tests.reports.golive import warungin
from tests.reports.golive.conftest import looked_at
from tests.watchdays import CPU


def measured(value_at: Callable[[float], float], record: WatchRecord | None = None, **limits: Any) -> WatchRecord:
    """A day whose CPU use is a function of the hour."""
    record = record or days.day()
    for run in record.runs:
        hour = days.the_watch(record).offset_s(run.started_at) / 3600
        if any(o.criterion == CPU for o in run.outcomes):
            value = days.cpu_percent(value_at(hour), **limits)
            record = days.with_outcome(record, run.checkpoint or "", CPU, Status.PASS, measurements=(value,))
    return record


def trace_of(record: WatchRecord) -> Trace:
    (found,) = traces(looked_at(record))
    return found


def test_a_series_has_its_values_at_their_hours() -> None:
    found = trace_of(measured(lambda h: 10 + h))
    assert found.key == (CPU, "cpu", "%")
    assert [round(dot.hour) for dot in found.dots] == [1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24]
    assert found.values[0] == pytest.approx(11, abs=0.1)
    assert found.area == "health"
    assert found.breaks == frozenset()
    assert found.nearness == pytest.approx(34 / 80, abs=0.01)


def test_a_checkpoint_without_a_value_is_a_gap_and_never_a_line() -> None:
    missing = days.without_run(measured(lambda h: h), "6h", "8h")
    assert trace_of(missing).breaks == {4}
    unknown = days.with_outcome(measured(lambda h: h), "10h", CPU, Status.UNKNOWN)
    assert trace_of(unknown).breaks == {6}
    picture = plots.picture(trace_of(missing), 24.0)
    assert picture is not None
    assert len(picture.lines) == 2
    assert len(picture.spots) == 9
    assert "1 gap" in picture.words


def test_values_that_are_no_numbers_are_gaps() -> None:
    record = measured(lambda h: math.nan if h > 22 else h)
    assert len(trace_of(record).dots) == 10


@pytest.mark.parametrize(
    ("value_at", "limits", "tier"),
    [
        (lambda h: 85 if h > 20 else 40, {}, Tier.BROKE),
        (lambda h: 75 if h > 20 else 40, {"warning": 70.0}, Tier.WARNED),
        (lambda h: 40 + h, {}, Tier.MOVED),
        (lambda h: 79 + h / 100, {}, Tier.STILL),
        (lambda h: 40 + h, {"critical": None}, Tier.UNLIMITED),
        (lambda _h: 79.9, {}, Tier.CONSTANT),
    ],
)
def test_the_most_telling_series_come_first(
    value_at: Callable[[float], float], limits: dict[str, Any], tier: Tier
) -> None:
    assert trace_of(measured(value_at, **limits)).tier is tier


def test_what_was_accepted_is_not_told_as_broken() -> None:
    day = looked_at(warungin.troubled())
    shrunk = next(t for t in traces(day) if t.name == "shrunk")
    assert {dot.status for dot in shrunk.dots} == {Status.WAIVED}
    assert shrunk.tier is Tier.CONSTANT
    broken = [t.name for t in traces(day) if t.tier is Tier.BROKE]
    assert sorted(broken) == ["critical lines", "daily totals", "running"]


@pytest.mark.parametrize(
    ("value", "limits", "near"),
    [
        (40, {"critical": 80.0}, 0.5),
        (40, {"critical": None, "warning": 80.0}, 0.5),
        (16, {"critical": 8.0, "better": "higher"}, 0.5),
        (0, {"critical": 8.0, "better": "higher"}, math.inf),
        (0, {"critical": 0.0, "inclusive": True}, 0.0),
        (1, {"critical": 0.0, "inclusive": True}, math.inf),
        (40, {"critical": None}, None),
        (-5, {"critical": 80.0}, 0.0),
        (40, {"critical": math.inf}, None),
    ],
)
def test_nearness_is_the_share_of_the_limit(value: float, limits: dict[str, Any], near: float | None) -> None:
    assert nearness(Measurement(name="m", value=value, unit="", **limits)) == near


# Pictures


def picture_of(value_at: Callable[[float], float], **limits: Any) -> plots.Picture:
    drawn = plots.picture(trace_of(measured(value_at, **limits)), 24.0)
    assert drawn is not None
    return drawn


def test_limits_are_lines_and_what_is_not_allowed_is_shaded() -> None:
    drawn = picture_of(lambda h: 40 + h, warning=70.0)
    assert drawn.critical is not None
    assert drawn.warning is not None
    assert drawn.critical < drawn.warning  # 80 lies above 70
    assert drawn.forbidden == (plots.TOP, round(drawn.critical - plots.TOP, 1))
    assert all(plots.TOP <= spot.y <= plots.HEIGHT - plots.BOTTOM for spot in drawn.spots)
    assert all(plots.LEFT <= spot.x <= plots.WIDTH - plots.RIGHT for spot in drawn.spots)
    assert drawn.spots[-1].x == plots.WIDTH - plots.RIGHT


def test_a_limit_far_away_is_named_and_leaves_room_for_the_values() -> None:
    drawn = picture_of(lambda h: 2 + h / 24, critical=200.0)
    assert (drawn.critical, drawn.forbidden, drawn.beyond) == (None, None, "above")
    assert max(s.y for s in drawn.spots) - min(s.y for s in drawn.spots) > 20


def test_the_baseline_is_drawn_where_it_is_near() -> None:
    day = looked_at(measured(lambda h: 40 + h))
    (found,) = traces(day, {(CPU, "cpu", "%"): 39.0})
    drawn = plots.picture(found, 24.0)
    assert drawn is not None
    assert drawn.baseline is not None
    (far,) = traces(day, {(CPU, "cpu", "%"): 4000.0})
    drawn = plots.picture(far, 24.0)
    assert drawn is not None
    assert drawn.baseline is None


def test_axes_have_few_round_ticks() -> None:
    drawn = picture_of(lambda h: 40 + h)
    assert 2 <= len(drawn.ticks) <= 5
    assert [mark.text for mark in drawn.hours] == ["0", "6", "12", "18", "24 h"]


def test_a_value_beyond_drawing_is_not_drawn() -> None:
    assert plots.picture(trace_of(measured(lambda h: 1e307 * h, critical=None)), 24.0) is None


def test_a_single_value_can_be_drawn() -> None:
    record = measured(lambda h: h, days.day(until="1h"))
    drawn = plots.picture(trace_of(record), 24.0)
    assert drawn is not None
    assert (len(drawn.spots), drawn.lines) == (1, ())


def test_words_say_what_the_picture_shows() -> None:
    drawn = picture_of(lambda h: 91 if h > 20 else 40)
    assert drawn.words == "cpu: 11 values, 40–91 %, median 40 %; below 80 %; 2 beyond the limit"  # noqa: RUF001


def test_a_trend_is_told_only_where_it_is_one() -> None:
    assert re.fullmatch(r"rises 1 % per hour", plots.slope(trace_of(measured(lambda h: 10 + h))))
    assert re.fullmatch(r"falls 1 % per hour", plots.slope(trace_of(measured(lambda h: 60 - h))))
    assert plots.slope(trace_of(measured(lambda h: 40 + (-1) ** int(h / 4)))) == "no trend"
    assert plots.slope(trace_of(measured(lambda h: h, days.day(until="2h")))) == ""


# Which are drawn


def test_only_the_most_telling_are_drawn_and_nothing_is_lost() -> None:
    criteria = tuple(days.criterion(f"warungin.health.part-{n}") for n in range(MOST_PLOTS + 20))
    record = days.day(criteria=criteria, until="4h")
    runs = tuple(
        replace(
            run,
            outcomes=tuple(
                replace(o, measurements=(days.cpu_percent(n % 70 + i),)) for n, o in enumerate(run.outcomes)
            ),
        )
        for i, run in enumerate(record.runs)
    )
    shown = plotted(traces(looked_at(replace(record, runs=runs))), 24.0)
    drawn = [*shown.nearest, *(pair for _, pairs in shown.areas for pair in pairs)]
    assert len(drawn) == MOST_PLOTS
    assert len(shown.listed) == 20
    assert shown.left_out == 0
    near = [trace.nearness or 0 for trace, _ in drawn]
    assert near == sorted(near, reverse=True)
    assert min(near) >= max(trace.nearness or 0 for trace in shown.listed)
