"""When what runs was deployed, as its starts tell."""

from __future__ import annotations

from datetime import timedelta

import pytest

from golive.discovery.visiting.starts import Deployment, deployment
from tests.discovery.made import NOW, container, service, services

HOUR = timedelta(hours=1)


def began(ago: timedelta) -> Deployment:
    return Deployment(began=NOW - ago, at=NOW - ago)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        ((30 * HOUR, 2 * HOUR), began(2 * HOUR)),
        ((2 * HOUR, 2 * HOUR + timedelta(minutes=3), 3 * HOUR), began(2 * HOUR + timedelta(minutes=3))),
        ((2 * HOUR - timedelta(milliseconds=400),), began(2 * HOUR)),
        ((30 * HOUR,), None),
        ((-timedelta(minutes=5),), None),
        ((), None),
    ],
)
def test_the_oldest_start_of_what_was_started_together_last_stands_for_the_deployment(
    ago: tuple[timedelta, ...], expected: Deployment | None
) -> None:
    them = [service(f"s{n}", started_at=NOW - one) for n, one in enumerate(ago)]
    stopped = service("stopped", running=False, started_at=NOW)
    assert deployment([services(*them, stopped), "could not be read"], NOW) == expected


def test_what_was_started_again_is_no_deployment() -> None:
    crashed = service("crashed", started_at=NOW - HOUR, restarts=1)
    assert deployment([services(service("api", started_at=NOW - 2 * HOUR), crashed)], NOW) == began(2 * HOUR)
    loop = container("loop", created_at=NOW - 2 * HOUR, started_at=NOW - timedelta(minutes=1), restarts=40)
    of = services(service("loop", started_at=loop.started_at, restarts=40, containers=(loop,)))
    assert deployment([of], NOW) == began(2 * HOUR)


def test_a_container_that_was_made_after_the_first_start_dates_the_deployment_and_not_its_begin() -> None:
    first = container("first", created_at=NOW - HOUR, started_at=NOW - HOUR)
    later = NOW - HOUR + timedelta(seconds=40)
    last = container("last", created_at=later, started_at=later + timedelta(seconds=1))
    of = services(service("first", containers=(first,)), service("last", containers=(last,)))
    assert deployment([of], NOW) == Deployment(began=NOW - HOUR, at=later)
