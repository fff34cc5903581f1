"""The course of a load in stretches: nothing is lost, early and late seconds have their place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from golive.judge.load.histogram import Histogram
from golive.judge.load.result import LoadResult, result_of
from reports.load import course
from tests.reports.load.samples import BEGAN, DAY, ORDERS, day, nothing, phases, queued, second, state


def test_every_request_is_in_one_stretch() -> None:
    result = day()
    whole = result.window(None, None, with_warm_up=True)
    for most in (1, 7, 45, 240):
        found = course.bins(result, most=most)
        assert len(found) <= most
        assert sum(one.n for one in found) == whole.n
        assert sum(one.histogram.count for one in found) == whole.n
        assert sum(one.failures.total() for one in found) == whole.failed()


def test_one_request_alone() -> None:
    result = day()
    alone = course.by_name(result)
    assert tuple(alone) == result.names
    for name, one in alone.items():
        assert sum(found.n for found in course.bins(one)) == result.window(name, None, with_warm_up=True).n
        for phase in ("hold 1", "hold", None):
            assert one.window(None, phase) == result.window(name, phase)


def test_latency_counts_from_when_a_request_was_due_in_the_open_model() -> None:
    result = queued()
    whole = Histogram()
    for one in course.bins(result):
        whole.merge(one.histogram)
    totals = result.window(None, None)
    assert whole == totals.intended
    assert whole != totals.histogram


def test_a_load_that_began_within_a_second_has_a_rate_from_there() -> None:
    result = replace(day(20), began_at=BEGAN + 0.25)
    first = course.bins(result)[0]
    assert first.covered_s == pytest.approx(0.75)
    assert first.per_second(3) == pytest.approx(4)


def test_a_stretch_that_hardly_belongs_to_the_load_has_no_rate() -> None:
    result = replace(day(20), ended_at=BEGAN + 19.1)
    assert course.bins(result)[-1].per_second(3) is None


def test_a_stretch_without_an_answer_has_no_percentile() -> None:
    assert [one.percentile(95) for one in course.bins(nothing())] == [None, None, None]


def test_the_pictures_end_with_the_load() -> None:
    stage = course.stage_of(day())
    assert (stage.end_s, stage.stopped_s) == (45.0, None)
    assert [one.name for one in stage.phases] == ["ramp 1", "hold 1", "spike 1", "hold 2"]


def test_of_what_was_planned_and_not_reached_only_a_little_is_shown() -> None:
    stage = course.stage_of(day(12, stopped="errors"))
    assert (stage.end_s, stage.stopped_s) == (15.0, 12.0)
    assert [(one.name, one.end_s) for one in stage.phases] == [("ramp 1", 10), ("hold 1", 15.0)]


def states(*lines: dict[str, object], lost: str = "") -> LoadResult:
    told = [{"kind": "began", "at": BEGAN}, *lines, {"kind": "ended", "at": BEGAN + 9, "reason": "done"}]
    if lost:
        told.insert(1, {"kind": "worker", "worker": lost, "state": "lost", "at": BEGAN + 2})
    return result_of(profile="steady", model="closed", planned=DAY, lines=told)


def test_users_of_all_processes_count_together_also_of_one_that_says_nothing() -> None:
    result = states(state(0, users=3, worker="w1"), state(0, users=4, worker="w2"), state(1, users=5, worker="w1"))
    assert course.users(result) == [(0.0, 7.0), (1.0, 9.0)]


def test_users_of_a_lost_process_are_gone() -> None:
    result = states(
        state(0, users=3, worker="w1"), state(0, users=4, worker="w2"), state(1, users=5, worker="w1"), lost="w2"
    )
    assert course.users(result) == [(0.0, 7.0), (1.0, 5.0)]


def test_the_busiest_process_is_told() -> None:
    result = states(state(0, users=1, cpu=20.0, worker="w1"), state(0, users=1, cpu=95.0, worker="w2"))
    assert course.busiest(result) == [(0.0, 95.0)]


def test_thinning_keeps_the_peaks() -> None:
    points = [(float(at), 900.0 if at == 777 else 1.0) for at in range(2000)]
    found = course.thinned(points, 100)
    assert len(found) <= 100
    assert (777.0, 900.0) in found
    assert course.thinned([]) == []


def test_an_hour_has_no_more_stretches_than_can_be_drawn() -> None:
    lines = [{"kind": "began", "at": BEGAN}, *(second(at, ORDERS, [900]) for at in range(3600))]
    lines.append({"kind": "ended", "at": BEGAN + 3600, "reason": "done"})
    result = result_of(profile="soak", model="closed", planned=phases(("soak 1", 3600, 5)), lines=lines)
    found = course.bins(result)
    assert len(found) == 240
    assert {one.n for one in found} == {15}
