"""Percentiles by nearest rank, and samples of a shop of known slowness."""

from __future__ import annotations

import time

import pytest

from fixtures.context import RunContext
from fixtures.web import client_of
from golive.environment.params import Request
from golive.targets.timing import percentile, sample
from golive.targets.wire.pace import Pace
from tests.webshop import Shop

HEALTH = Request("GET", "/health")


def test_percentiles_are_values_that_were_seen() -> None:
    values = [15.0, 20.0, 35.0, 40.0, 50.0]
    assert [percentile(values, p) for p in (5, 30, 40, 50, 100)] == [15, 20, 20, 35, 50]
    assert percentile([float(n) for n in range(1, 31)], 95) == 29
    assert percentile([7.0], 0.1) == 7


@pytest.mark.parametrize(("values", "share"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_percentiles_of_nothing_are_refused(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match=r"no .* of"):
        percentile(values, share)


def test_a_slow_server_is_slow_in_its_first_byte_and_not_in_connecting(run: RunContext, shop: Shop) -> None:
    shop.breaches.add("slow")
    samples = sample(client_of(run, "api"), [HEALTH], count=5)
    assert (samples.asked, len(samples.phases), samples.problems) == (5, 5, ())
    assert 50 <= percentile(samples.values("first_byte"), 50) < 90
    assert percentile(samples.values("connect"), 50) < 20
    assert all(p.total_ms >= p.first_byte_ms for p in samples.phases)


def test_a_kept_connection_is_opened_once(run: RunContext, shop: Shop) -> None:
    samples = sample(client_of(run, "api"), [HEALTH], count=5, fresh=False)
    assert len(samples.values("connect")) == 1
    assert len(samples.values("total")) == 5


def test_errors_are_counted_and_are_no_samples(run: RunContext, shop: Shop) -> None:
    samples = sample(client_of(run, "api"), [HEALTH, Request("GET", "/nothing")], count=6)
    assert len(samples.phases) == 3
    assert samples.trouble == "3x GET /nothing answered 404"


def test_sampling_stops_when_its_time_is_over(run: RunContext, shop: Shop) -> None:
    shop.breaches.add("slow")
    began = time.monotonic()
    samples = sample(client_of(run, "api"), [HEALTH], count=1000, within_s=0.2)
    assert time.monotonic() - began < 0.5
    assert 2 <= samples.asked < 10


def test_a_pace_allows_a_burst_and_then_so_many_a_second() -> None:
    now = [0.0]
    pace = Pace(100, clock=lambda: now[0], sleep=lambda s: now.__setitem__(0, now[0] + s))
    waits = [pace.wait() for _ in range(30)]
    assert waits[:10] == [0.0] * 10
    assert now[0] == pytest.approx(0.2)
    now[0] += 100
    assert pace.wait() == 0.0


def test_a_pace_below_one_a_second_waits() -> None:
    now = [0.0]
    pace = Pace(0.5, clock=lambda: now[0], sleep=lambda s: now.__setitem__(0, now[0] + s))
    assert [pace.wait() for _ in range(3)] == [0.0, 2.0, 2.0]
