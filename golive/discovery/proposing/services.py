"""Sets of services: all but jobs that are done are expected, and held to what they were when they were looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from golive.discovery.found import Found, ServiceSet
from golive.discovery.proposal import Collected, Entry, Item, Rule
from golive.discovery.proposing import limits
from golive.discovery.visiting.sets import in_scope, services_of
from golive.discovery.visiting.starts import TOGETHER
from golive.model import utc_text
from golive.targets.services import Service, ServicesReading

_WINDOWS = ((timedelta(hours=24), "24 h"), (timedelta(hours=1), "1 h"), (timedelta(minutes=5), "5 min"))
_TOLERANCE = timedelta(seconds=2)
_GRACE = timedelta(seconds=30)
"""How long after the deployment services may still start, unless a criterion says otherwise."""
_LEAST_MEMORY = 64_000_000
_NAMED = 6


def propose(found: Found, collected: Collected) -> None:
    """An entry and rules for each set, and what is not expected of it and why."""
    kept: list[tuple[ServiceSet, ServicesReading, tuple[Service, ...]]] = []
    for one in found.sets:
        reading = found.services[one.name]
        if isinstance(reading, str):
            collected.leave_out(f"services {one.name}", reading)
            continue
        expected = expected_of(one, reading)
        collected.count(services=len(reading.services))
        if not expected:
            collected.leave_out(f"services {one.name}", "none of them is there any more")
            continue
        for service in _ill(expected):
            why = f"{service.state}: it is expected all the same, so the first run is red until it is well"
            collected.is_sick(f"service {service.name}", why)
        collected.entries.append(_entry(one, reading, expected))
        kept.append((one, reading, expected))
    _not_running(found, collected)
    if kept:
        collected.extend(_rules(kept, found))


def expected_of(one: ServiceSet, reading: ServicesReading) -> tuple[Service, ...]:
    """The services of a set that are expected from now on: what is ill is no less wanted, what is done is a job."""
    found = (reading.services.get(name) for name in one.expected)
    return tuple(service for service in found if service and not _is_done(service))


def _is_done(service: Service) -> bool:
    return bool(service.containers) and all(c.state == "exited" and c.exit_code == 0 for c in service.containers)


def _ill(services: Sequence[Service]) -> list[Service]:
    return [service for service in services if not service.running or service.healthy is False]


def _run(services: Sequence[Service]) -> str:
    """How many run, and those that are ill, in words."""
    ill = [f"{service.name} ({service.state})" for service in _ill(services)]
    told = _counted(len(services) - len(ill), "runs", "run")
    return f"{told} well, ILL: {_named(ill)}" if ill else told


def _entry(one: ServiceSet, reading: ServicesReading, expected: Sequence[Service]) -> Entry:
    names = [service.name for service in expected]
    others = [s for name, s in reading.services.items() if name not in names]
    data: dict[str, Any] = {**one.config, "expected": names}
    if holds_containers(one) and others:
        data["leave_out"] = [service.name for service in others]
    several = {s.name: n for s in expected if (n := sum(c.running for c in s.containers)) > 1}
    if several:
        data["replicas"] = several
    told = _run(expected)
    if others:
        told += f"; not expected: {_named([f'{s.name} ({s.state})' for s in others])}"
    return Entry(section="services", name=one.name, data=data, told=told)


def holds_containers(one: ServiceSet) -> bool:
    """Whether its manager is a container engine, which can be told to leave services out."""
    return one.config["kind"] in ("compose", "docker", "podman")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _not_running(found: Found, collected: Collected) -> None:
    survey = found.survey
    for unit in services_of(survey.units):
        if unit.is_done:
            collected.leave_out(f"unit {unit.name}", f"enabled, but {unit.active} ({unit.sub}): it is not expected")
    for supervisor in survey.supervisors:
        if not supervisor.programs:
            why = "another user runs it: come as that user to have it read"
            collected.leave_out(f"supervisord {supervisor.config}", why)
    for container in in_scope(survey):
        if container.is_done:
            why = "it ended with exit code 0, so it is taken for a job and not expected"
            collected.leave_out(f"container {container.name}", why)
    declared = survey.declared.services if survey.declared else ()
    there = {container.service for container in in_scope(survey)}
    for name in declared:
        if name not in there:
            collected.leave_out(f"service {name}", "declared in the compose file, but no container of it is there")


Kept = Sequence[tuple[ServiceSet, ServicesReading, tuple[Service, ...]]]


def _rules(kept: Kept, found: Found) -> Iterator[Rule]:
    yield Rule(
        area="services",
        name="running",
        says="All services of {item} are running, and healthy where they tell",
        check="services/running",
        severity="critical",
        items=tuple(_running(one, reading, expected) for one, reading, expected in kept),
        smoke=True,
    )
    yield Rule(
        area="services",
        name="no-crashes",
        says="No service of {item} has crashed",
        check="services/no_crashes",
        severity="high",
        items=tuple(_crashes(one, reading, expected, found) for one, reading, expected in kept),
    )
    yield Rule(
        area="services",
        name="resources",
        says="What every service of {item} uses is recorded, and its memory within its limit",
        check="services/resources",
        severity="medium",
        items=tuple(_resources(one, expected) for one, _, expected in kept),
    )
    yield Rule(
        area="services",
        name="no-restarts",
        says="No service of {item} has restarted since the deployment",
        check="services/no_restarts",
        severity="high",
        items=tuple(_restarts(one, expected, found.deployed_at) for one, _, expected in kept),
        off=None
        if found.deployed_at is not None
        else "it needs the time of the deployment: set 'deployed_at' under 'deployment'",
    )


def _running(one: ServiceSet, reading: ServicesReading, expected: Sequence[Service]) -> Item:
    others = reading.services.keys() - {service.name for service in expected}
    keys = {"services": one.name}
    if others and not holds_containers(one):
        keys["undeclared"] = "ignore"
    more = f", {_counted(len(others), 'other is', 'others are')} not looked at" if others else ""
    return Item(name=one.name, keys=keys, told=f"{_run(expected)}{more}")


def _grace(services: Sequence[Service], deployed_at: datetime | None) -> timedelta:
    """How long a set took to start. What was started again, or much later, is not part of that."""
    starts = [s.started_at for s in services if s.running and s.started_at is not None and not s.restarts]
    after = [start - deployed_at for start in starts] if deployed_at else []
    latest = max((one for one in after if one <= TOGETHER), default=timedelta())
    return max(_GRACE, timedelta(seconds=math.ceil(latest.total_seconds()) + 1))


def _graced(grace: timedelta) -> dict[str, str]:
    return {"grace": f"{grace.total_seconds():.0f} s"} if grace > _GRACE else {}


def _restarts(one: ServiceSet, expected: Sequence[Service], deployed_at: datetime | None) -> Item:
    """In force where everything was started with the deployment."""
    grace = _grace(expected, deployed_at)
    again = [
        f"{s.name} was started again {utc_text(s.started_at)}"
        for s in expected
        if deployed_at and s.running and s.started_at and s.started_at > deployed_at + grace
    ]
    off = f"{_named(again)}: look why" if again else None
    return Item(name=one.name, keys={"services": one.name, **_graced(grace)}, off=off)


def _crashes(one: ServiceSet, reading: ServicesReading, expected: Sequence[Service], found: Found) -> Item:
    """Since the deployment where that is known, else the longest window that is clean and that the manager recalls."""
    now = found.survey.looked_at
    windows = [(text, now - length) for length, text in _WINDOWS]
    grace = timedelta()
    if found.deployed_at is not None:
        windows = [("", found.deployed_at)]
        grace = _grace(expected, found.deployed_at)
    recalled = [
        (text, since)
        for text, since in windows
        if reading.crashes_since is None or reading.crashes_since <= since + _TOLERANCE + grace
    ]
    clean = [text for text, since in recalled if not any(c.at is None or c.at >= since for c in reading.crashes)]
    window = clean[0] if clean else windows[0][0]
    off = reading.crashes_gap
    if off is None and not recalled:
        off = "its manager does not recall that far back"
    elif off is None and not clean:
        off = f"there was one: {reading.crashes[-1].says}"
    told = _counted(len(reading.crashes), "is known", "are known") if reading.crashes else "none is known"
    more = {"window": window} if window else _graced(grace)
    return Item(name=one.name, keys={"services": one.name, **more}, told=told, off=off)


def _resources(one: ServiceSet, expected: Sequence[Service]) -> Item:
    untold = [s.name for s in expected if s.memory_bytes is None or s.cpu_percent is None]
    largest = max(expected, key=lambda s: s.memory_bytes or 0, default=None)
    used = (largest.memory_bytes or 0) if largest else 0
    limit = limits.size(used, times=2, least_bytes=_LEAST_MEMORY)
    return Item(
        name=one.name,
        keys={"services": one.name, "memory": limit},
        told=f"the largest is {largest.name} with {used / 1e6:.0f} MB" if largest else "",
        off=f"use is not told of {_named(untold)}" if untold else None,
    )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
