"""How high the load is, and when what arrives: pure arithmetic."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from load.inside.pacing.arrivals import Arrivals
from load.inside.pacing.course import Course
from load.inside.pacing.pace import Pace

SPIKE = [(0.0, 0.0), (10.0, 20.0), (40.0, 20.0), (40.0, 60.0), (45.0, 60.0), (45.0, 20.0), (50.0, 20.0)]


def all_of(arrivals: Arrivals) -> list[float]:
    found = []
    while (at := arrivals.claim()) is not None:
        found.append(at)
    return found


@pytest.mark.parametrize(
    ("at_s", "level"),
    [(-1, 0), (0, 0), (5, 10), (10, 20), (39.999, 20), (40, 60), (44.9, 60), (45, 20), (49.9, 20), (50, 0), (99, 0)],
)
def test_the_level_lies_on_straight_lines_and_jumps_at_once(at_s: float, level: float) -> None:
    assert Course(SPIKE).at(at_s) == pytest.approx(level)


def test_bends_are_told_in_order_and_the_last_one_is_the_end() -> None:
    course = Course(SPIKE)
    assert [course.next_bend(at) for at in (0, 10, 40, 44, 45, 50)] == [10, 40, 45, 45, 50, 50]
    assert course.end_s == 50


def test_the_mean_of_a_time_before_a_jump_knows_nothing_of_the_jump() -> None:
    course = Course(SPIKE)
    assert course.mean(39, 40) == 20
    assert course.mean(40, 41) == 60
    assert course.mean(0, 1) == pytest.approx(1)


def test_constant_arrivals_are_evenly_spaced_and_as_many_as_the_area() -> None:
    times = all_of(Arrivals(Course([(0, 40), (5, 40)])))
    assert len(times) == 200
    assert {round(after - before, 6) for before, after in pairwise(times)} == {0.025}
    assert 0 < times[0] < 0.025
    assert times[-1] < 5


def test_arrivals_of_a_ramp_grow_denser_and_a_pause_has_none() -> None:
    times = all_of(Arrivals(Course([(0, 0), (10, 20), (10, 0), (20, 0), (20, 10), (30, 10)])))
    assert len(times) == 200
    assert sum(at < 5 for at in times) == 25
    assert not [at for at in times if 10 <= at < 20]
    assert sum(20 <= at < 30 for at in times) == 100


def test_workers_share_all_arrivals_and_none_comes_twice() -> None:
    course = Course(SPIKE)
    whole = all_of(Arrivals(course))
    parts = [all_of(Arrivals(course, index=index, of=4)) for index in range(4)]
    assert sorted(at for part in parts for at in part) == whole
    assert max(len(part) for part in parts) - min(len(part) for part in parts) <= 1


def test_poisson_arrivals_come_at_the_rate_in_the_long_run_with_gaps_that_vary() -> None:
    course = Course([(0, 50), (400, 50)])
    times = [at for seed in (1, 2) for at in all_of(Arrivals(course, index=seed, of=2, poisson=random.Random(seed)))]
    assert len(times) == pytest.approx(20_000, rel=0.05)
    gaps = [after - before for before, after in pairwise(sorted(times))]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.1)


def test_what_is_due_and_claimed_by_nobody_is_queued() -> None:
    arrivals = Arrivals(Course([(0, 10), (10, 10)]))
    assert arrivals.queued(0.0) == 0
    assert arrivals.queued(2.0) == 20
    assert arrivals.claim() == pytest.approx(0.05)
    assert arrivals.queued(2.0) == 19
    assert arrivals.queued(2.1) == 20
    assert arrivals.queued(99.0) == 99
    assert len(all_of(arrivals)) == 99
    assert arrivals.queued(99.0) == 0


def test_claimed_ahead_of_time_is_not_queued_later() -> None:
    arrivals = Arrivals(Course([(0, 10), (10, 10)]))
    assert [arrivals.claim() for _ in range(3)] == pytest.approx([0.05, 0.15, 0.25])
    assert arrivals.queued(0.4) == 1


@pytest.mark.parametrize("rate", [0.5, 3.0, 10.0, 25.0, 500.0])
def test_no_second_has_more_requests_than_the_cap(rate: float) -> None:
    pace, now, granted = Pace(rate), 0.0, []
    source = random.Random(7)
    while now < 20:
        granted.append(now + pace.wait_s(now))
        now = max(now + source.expovariate(rate * 3), granted[-1] if source.random() < 0.5 else 0)
    assert granted == sorted(granted)
    for first in range(0, len(granted), 7):
        within = sum(granted[first] <= at < granted[first] + 1 - 1e-9 for at in granted[first:])
        assert within <= max(1, rate)


def test_below_the_cap_nobody_waits() -> None:
    pace = Pace(100)
    assert [pace.wait_s(number * 0.02) for number in range(50)] == [0.0] * 50


def test_a_short_burst_does_not_wait() -> None:
    pace = Pace(100)
    waits = [pace.wait_s(1.0) for _ in range(11)]
    assert waits[:10] == [0.0] * 10
    assert waits[10] == pytest.approx(0.1)
