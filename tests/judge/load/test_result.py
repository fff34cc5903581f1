"""A result is the sum of what its processes counted, whatever the order, and tells what it does not know."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive.judge.load.histogram import Histogram
from golive.judge.load.records import Point
from golive.judge.load.result import LoadResult, result_of
from golive.model import CouldNotLook
from tests.judge.load.made import BEGAN, SHAPE, began, ended, second, state, whole, worker

HASTE = settings(max_examples=80, deadline=None)


def result(lines: list[Any], **more: Any) -> LoadResult:
    return result_of(**{"profile": "steady", "model": "closed", "planned": SHAPE, "lines": lines, **more})


def test_healthy_load_is_believed_and_told_as_it_was() -> None:
    found = result(whole())
    assert (found.stopped, found.saturated, found.problems, found.lost) == ("", "", (), ())
    assert (found.began_at, found.ended_at, found.lasted_s) == (BEGAN, BEGAN + 20, 20)
    assert (found.generator_cpu, found.names, found.phases) == (40.0, ("GET /a",), SHAPE)
    assert found.window().n == 20
    assert found.window().rate == 1.0


def test_phase_holds_the_seconds_that_lie_in_it() -> None:
    found = result(whole(second(16, [5_000_000] * 9)))
    assert (found.window(phase="hold 1").n, found.window(phase="hold 1").seconds) == (10, 10)
    assert found.window(phase="hold").n == 12
    assert found.window(phase="spike 1").rate == pytest.approx(12 / 3)
    assert found.window(phase="hold").histogram.max_ms == 1
    assert found.window(phase="spike").histogram.max_ms == 5000


def test_phase_that_was_not_planned_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="'holt' is no phase of steady: ramp 1, hold 1, spike 1, hold 2"):
        result(whole()).window(phase="holt")


def test_request_is_judged_by_its_own_name() -> None:
    found = result(whole(second(3, [9000, 9000], name="POST /b", failures={"500": 1})))
    assert found.names == ("GET /a", "POST /b")
    assert (found.window("POST /b").n, found.window("GET /a").n, found.window().n) == (2, 20, 22)
    assert found.window("POST /b").share() == 50
    assert found.window("POST /b").rate == 0.1  # of the whole time, not only of the seconds in which it was asked
    assert found.window("GET /c").n == 0


def test_warm_up_is_kept_and_not_counted() -> None:
    found = result(whole(), warm_up_s=5.0)
    assert (found.window().n, found.window().seconds) == (15, 15)
    assert (found.window(with_warm_up=True).n, found.window(with_warm_up=True).seconds) == (20, 20)
    assert found.window(phase="ramp 1").n == 0
    assert len(found.series()) == 20


def test_second_that_the_warm_up_ends_in_is_not_counted() -> None:
    found = result([began(0.4), *whole()[1:]], warm_up_s=5.0)
    assert found.window().n == 14
    assert found.window().seconds == pytest.approx(14)


def test_beginning_and_end_within_a_second_count_for_their_part() -> None:
    found = result([began(0.75), *whole()[1:-1], ended(19.5)])
    assert found.window().seconds == pytest.approx(18.75)
    assert found.window().n == 20


def test_silent_target_had_time_and_no_requests() -> None:
    lines = [line for line in whole() if not (line["kind"] == "second" and 7 <= line["at"] - BEGAN < 12)]
    hold = result(lines).window(phase="hold 1")
    assert (hold.n, hold.seconds, hold.rate) == (5, 10, 0.5)


def test_stopped_load_ends_where_it_stopped() -> None:
    found = result([began(), *(second(after) for after in range(8)), ended(8.0, "stopped")], stopped="errors 60 %")
    assert found.stopped == "errors 60 %"
    assert [(phase.name, phase.end_s) for phase in found.phases] == [("ramp 1", 5), ("hold 1", 8)]
    assert found.window(phase="hold 1").rate == 1.0
    with pytest.raises(CouldNotLook, match="the load did not come so far"):
        _ = found.window(phase="spike 1").rate


def test_stopped_load_says_so_even_if_nobody_said_why() -> None:
    assert result([*whole()[:-1], ended(9.0, "stopped")]).stopped == "it was stopped"
    assert result([*whole()[:-1], ended(12.0)]).stopped == "it ended of itself"
    assert result([*whole()[:-1], ended(18.5)]).stopped == ""
    assert result(whole()[:-1]).stopped == "its end was not seen"
    assert result(whole()[:-1]).ended_at == BEGAN + 20


def test_load_that_never_began_is_told() -> None:
    found = result([])
    assert found.problems == ("the load never began",)
    assert found.stopped == "its end was not seen"
    assert (found.names, found.phases, found.window().n) == ((), (), 0)
    with pytest.raises(CouldNotLook, match="no request was answered"):
        found.window().share()


def test_lost_worker_is_named_with_the_time() -> None:
    found = result(
        whole(worker("w1", "joined"), worker("w2", "joined"), worker("w2", "lost", 12.0), worker("w1", "quit"))
    )
    assert found.workers == {"w1": "quit", "w2": "lost"}
    assert found.lost == ("w2",)
    assert found.problems == ("worker w2 was lost after 12 s",)


def test_problems_are_told_once_and_not_without_end() -> None:
    told = [{"kind": "problem", "text": f"refused http://{i % 60}/"} for i in range(200)]
    found = result(whole(*told), problems=["of the runner"])
    assert found.problems[:2] == ("of the runner", "refused http://0/")
    assert len(found.problems) == 52
    assert found.problems[-1] == "and 10 more problems"


def test_open_model_counts_from_the_intended_start() -> None:
    late = [second(after, [1000], intended=Histogram.of([400_000]).as_data(), late_us=399_000) for after in range(20)]
    found = result([began(), *late, ended()], model="open")
    assert found.window().latency.percentile(50) == 400
    assert found.window().histogram.percentile(50) == 1
    assert found.series()[0].p50_ms == 400
    assert found.seconds[0].late_us == 399_000
    assert result(whole()).window().latency.percentile(50) == 1


def test_series_holds_every_second_also_silent_ones() -> None:
    lines = [
        began(),
        state(0, users=5),
        state(0, worker="w2", users=7),
        second(0, [200, 2000]),
        state(2, users=9),
        ended(3),
    ]
    assert result(lines).series() == [
        Point(0, 2.0, 0.2, 2.0, 2.0, 0, 12),
        Point(1, 0.0, None, None, None, 0, 12),
        Point(2, 0.0, None, None, None, 0, 16),
    ]


def test_unfinished_requests_are_neither_requests_nor_failures() -> None:
    found = result(whole(second(19, [], failures={"unfinished": 4}))).window()
    assert (found.n, found.failed(), found.failed("unfinished")) == (20, 0, 4)


def test_lines_that_cannot_be_read_are_counted_and_told() -> None:
    found = result([json.dumps(line) for line in whole()] + ['{"kind": "sec', "\n", "[]", '{"kind": "other"}'])
    assert found.window().n == 20
    assert found.problems == ("three lines of the load's own record could not be read: it is no JSON",)


def test_wrong_clock_moves_no_request_out_of_the_load_and_is_told() -> None:
    found = result(whole(second(5000, [1000] * 3, worker="w2"), second(-900, [1000], worker="w2"), second(20, [1000])))
    assert found.window().n == 25
    assert found.problems == ("4 requests were told of times outside of the load (is a clock wrong?)",)
    assert len(found.series()) == 20


def test_one_mad_time_does_not_make_the_load_last_for_ever() -> None:
    assert len(result([began(), second(0), ended(1e14)]).series()) <= 20 + 3600
    assert len(result([began(), second(1e14)]).series()) <= 20 + 3600
    assert result([ended(-BEGAN + 5), *whole()[:-1]]).lasted_s == 0


def test_samples_of_the_target_are_kept_with_it() -> None:
    found = replace(result(whole()), samples={"cpu app": [(BEGAN, 40.0), (BEGAN + 2, 60.0)]})
    assert LoadResult.from_data(found.as_data()).samples == {"cpu app": [[BEGAN, 40.0], [BEGAN + 2, 60.0]]}


def test_result_survives_json() -> None:
    lines = whole(
        worker("w2", "lost", 3.0),
        second(4, [1, 2, 3], failures={"500": 1, "timeout": 1}, intended=Histogram.of([9]).as_data(), late_us=5),
        state(3, worker="w3", cpu=None),
    )
    found = result(lines, stopped="Ctrl-C", warm_up_s=2.0)
    assert LoadResult.from_data(json.loads(json.dumps(found.as_data()))) == found


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": [{"at": 1}]}, {"seconds": 5}, {"states": [{}]}, {"planned": [{"kind": "hold"}]}, {"ended_at": 0},
        {"ended_at": 1e15}, {"began_at": "x"}, {"planned": None}, {"problems": None},
    ],
    ids=str,
)  # fmt: skip
def test_data_of_another_shape_is_refused(changes: dict[str, Any]) -> None:
    data = {**result(whole()).as_data(), **changes}
    with pytest.raises((ValueError, KeyError, TypeError)):
        LoadResult.from_data(data)
    with pytest.raises(KeyError):
        LoadResult.from_data({})


_COUNTED = st.lists(
    st.builds(
        second,
        st.integers(0, 19),
        st.lists(st.integers(0, 3_000_000), max_size=5),
        name=st.sampled_from(["GET /a", "GET /b"]),
        worker=st.sampled_from(["w1", "w2", "w3", "w4"]),
    ),
    max_size=25,
)


@HASTE
@given(_COUNTED, st.randoms(use_true_random=False))
def test_result_is_the_sum_of_its_processes_in_any_order(lines: list[dict[str, Any]], drawn: random.Random) -> None:
    ordered = [began(), state(1), state(1, worker="w2"), state(2, cpu=95), *lines, ended()]
    shuffled = list(ordered)
    drawn.shuffle(shuffled)
    found = result(ordered)
    assert result(shuffled).as_data() == found.as_data()
    assert found.window().n == sum(line["n"] for line in lines)
    alone = Histogram()
    for worker_name in ("w1", "w2", "w3", "w4"):
        alone.merge(
            result([began(), *(one for one in lines if one["worker"] == worker_name), ended()]).window().histogram
        )
    assert found.window().histogram == alone


@HASTE
@given(_COUNTED, st.floats(0, 0.99), st.floats(0, 30))
def test_phases_hold_each_second_once(lines: list[dict[str, Any]], began_after: float, ended_after: float) -> None:
    found = result([began(began_after), *lines, ended(max(began_after, ended_after))])
    parts = [found.window(phase=phase.name) for phase in SHAPE]
    assert sum(part.n for part in parts) <= found.window().n == sum(line["n"] for line in lines)
    assert sum(part.seconds for part in parts) <= found.window().seconds + 1e-6
    assert found.window().seconds == pytest.approx(found.lasted_s)
    assert sum(point.rate for point in found.series()) == found.window().n
