"""The kill switch decides from lines alone: what crosses a limit, and what only looks like it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from golive.environment.loads import AbortOn
from load.killswitch import Caps, KillSwitch
from tests.load.lines import began, lost, second, state

ERRORS = {"errors": "50 %", "over": "5 s", "min_requests": 20}


def reason(limits: Mapping[str, Any], lines: Iterable[Mapping[str, Any]], caps: Caps | None = None) -> str:
    switch = KillSwitch([AbortOn.model_validate(limits)], caps or Caps())
    for line in lines:
        switch.see(line)
    return switch.reason()


def test_errors_above_their_share_stop_the_load_and_are_told_by_kind() -> None:
    lines = [began(), second(0, [5] * 20), second(1, [5] * 30, http_500=20, timeout=8)]
    assert reason(ERRORS, lines) == (
        "errors 56.0 % within 5 s (28 of 50 requests: 500 20, timeout 8), abort_on says 50 %"
    )


@pytest.mark.parametrize(
    "lines",
    [
        [second(0, [5] * 50, http_500=24)],
        [second(0, [5] * 19, http_500=19)],
        [second(0, [5] * 50, http_500=50), second(5, [5] * 60)],
        [second(0, [5] * 30, unfinished=30)],
        [],
    ],
    ids=["below", "too few", "long ago", "unfinished", "nothing"],
)
def test_what_does_not_cross_lets_it_go_on(lines: list[dict[str, Any]]) -> None:
    assert reason(ERRORS, [began(), *lines]) == ""


def test_a_limit_of_all_requests_can_be_reached() -> None:
    limits = {**ERRORS, "errors": "100 %"}
    assert reason(limits, [second(0, [5] * 20, timeout=20)]).startswith("errors 100.0 %")
    assert reason(limits, [second(0, [5] * 20, timeout=19)]) == ""


def test_the_workers_seconds_count_together_also_when_one_comes_late() -> None:
    lines = [second(3, [5] * 9, http_500=9), second(4, [5] * 2, worker="w2"), second(3, [5] * 9, worker="w2", reset=9)]
    assert reason(ERRORS, lines) == "errors 90.0 % within 5 s (18 of 20 requests: 500 9, reset 9), abort_on says 50 %"
    assert reason(ERRORS, lines[:2]) == ""


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ({"p50": "10 ms"}, "p50 20 ms within 5 s (100 requests), abort_on says 10 ms"),
        ({"p95": "100 ms"}, "p95 201 ms within 5 s (100 requests), abort_on says 100 ms"),
        ({"p99": "300 ms"}, ""),
        ({"max": "900 ms"}, "max 900 ms within 5 s (100 requests), abort_on says 900 ms"),
    ],
)
def test_slowness_stops_the_load(limit: dict[str, Any], told: str) -> None:
    slow = [20.0] * 90 + [200.0] * 9 + [900.0]
    assert reason(limit, [second(0, slow)]) == told


def test_latency_counts_from_the_intended_start_where_there_is_one() -> None:
    line = second(0, [5] * 50)
    assert reason({"p95": "100 ms"}, [line]) == ""
    line["intended"] = second(0, [700] * 50)["histogram"]
    assert reason({"p95": "100 ms"}, [line]).startswith("p95 700 ms")


def test_nothing_counts_that_came_within_the_delay() -> None:
    limits = {**ERRORS, "delay": "3 s"}
    bad = [began(), *(second(at, [5] * 30, http_503=30) for at in range(3))]
    assert reason(limits, bad) == ""
    assert reason(limits, [*bad, second(3, [5] * 10, http_503=10)]) == ""
    assert "of 40 requests" in reason(limits, [*bad, second(3, [5] * 40, http_503=40)])


@pytest.mark.parametrize(("rate", "is_stopped"), [(100, False), (118, False), (130, True)])
def test_a_rate_beyond_the_cap_stops_the_load(rate: int, is_stopped: bool) -> None:
    lines = [began(), *(second(at, [5] * rate) for at in range(7))]
    told = reason(ERRORS, lines, Caps(rate=100))
    assert told == (f"{rate} requests/s, and the environment allows 100 (max_rate)" if is_stopped else "")


def test_more_users_than_allowed_stop_the_load_and_those_of_a_lost_worker_are_none() -> None:
    lines = [state(at, users, worker=name) for at in range(4) for name, users in (("w1", 6), ("w2", 5))]
    assert reason(ERRORS, lines, Caps(users=10)) == "11 users, and the environment allows 10 (max_users)"
    assert reason(ERRORS, [*lines, lost("w2")], Caps(users=10)) == ""


def test_users_that_move_from_one_worker_to_another_are_not_too_many() -> None:
    moving = [state(1, 5), state(1, 5, worker="w2"), state(2, 6), state(2, 4, worker="w2"), state(5, 6)]
    assert reason(ERRORS, moving, Caps(users=10)) == ""
    assert reason(ERRORS, moving[:3], Caps(users=10)) == ""


def test_a_generator_that_stays_busy_stops_the_load_and_a_moment_of_it_does_not() -> None:
    busy = [state(at, cpu=99) for at in range(11)]
    caps = Caps(cpu_percent=90)
    assert "w1 used more than 90 % of a core for 10 s" in reason(ERRORS, busy, caps)
    assert reason(ERRORS, busy[:10], caps) == ""
    assert reason(ERRORS, [*busy[:6], state(6, cpu=50), *busy[7:]], caps) == ""
    assert reason(ERRORS, busy, Caps()) == ""


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "second", "at": 1, "n": "many", "histogram": {}},
        {"kind": "second", "at": 1, "n": 1, "histogram": {"buckets": {"x": 1}}},
        {"kind": "second"},
        {"kind": "state", "at": 1},
        {"kind": "began"},
    ],
)
def test_a_line_of_another_shape_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        reason(ERRORS, [line])
