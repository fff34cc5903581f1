"""The measurements of a watch as series over its hours, those that came nearest to their limits first. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from golive.judge.limits import judge
from golive.model import Measurement, Outcome, RunRecord, Status
from reports.golive.views.day import HOUR_S, Day, area_of

Key = tuple[str, str, str]
"""Criterion, name of the measurement, unit."""
_STILL = 0.01
"""Values within one percent of the limit (or of themselves) have not moved."""


class Tier(IntEnum):
    """In which order series are told."""

    BROKE = 0
    WARNED = 1
    MOVED = 2
    STILL = 3
    UNLIMITED = 4
    CONSTANT = 5


@dataclass(frozen=True, slots=True)
class Dot:
    """One value: when (hours of the watch), how much, and how it was judged then."""

    hour: float
    value: float
    status: Status


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One measurement over the watch, oldest value first.

    `breaks` are the places in `dots` before which a checkpoint lies that should have had a value and has none.
    `nearness` is the largest share of its limit that it reached: 1 is the limit itself, None without one.
    """

    key: Key
    says: str
    dots: tuple[Dot, ...]
    breaks: frozenset[int]
    latest: Measurement
    baseline: float | None
    tier: Tier
    nearness: float | None

    @property
    def criterion(self) -> str:
        """The criterion that was measured for."""
        return self.key[0]

    @property
    def name(self) -> str:
        """The name of the measurement."""
        return self.key[1]

    @property
    def unit(self) -> str:
        """The unit of all values."""
        return self.key[2]

    @property
    def area(self) -> str:
        """The area of the criterion."""
        return area_of(self.criterion)

    @property
    def values(self) -> list[float]:
        """The values alone."""
        return [dot.value for dot in self.dots]


def traces(day: Day, baseline: Mapping[Key, float] | None = None) -> list[Trace]:
    """Every finite measurement of every run of a watch, the most telling series first."""
    return traces_of(day.runs, day.hours, blanks=_blanks(day), baseline=baseline or {})


def traces_of(
    runs: Iterable[RunRecord],
    hours: Callable[[datetime], float],
    *,
    blanks: Mapping[str, Sequence[float]],
    baseline: Mapping[Key, float],
) -> list[Trace]:
    """The series of runs, oldest first. `blanks` are hours at which a criterion should have a value and has none."""
    dots: dict[Key, list[Dot]] = {}
    latest: dict[Key, tuple[Outcome, Measurement]] = {}
    for run in runs:
        for outcome in run.outcomes:
            hour = hours(outcome.started_at)
            for measurement in outcome.measurements:
                if math.isfinite(measurement.value):
                    key = (outcome.criterion, measurement.name, measurement.unit)
                    dots.setdefault(key, []).append(Dot(hour, measurement.value, _judged(outcome, measurement)))
                    latest[key] = (outcome, measurement)
    found = [
        _trace(key, points, *latest[key], blanks.get(key[0], ()), baseline.get(key)) for key, points in dots.items()
    ]
    return sorted(found, key=lambda t: (t.tier, -(t.nearness or 0.0), t.key))


def nearness(measurement: Measurement) -> float | None:
    """How near a value came to its critical (else warning) limit: 1 at the limit, 0 far away, None without a limit."""
    limit = measurement.critical if measurement.critical is not None else measurement.warning
    if limit is None or not math.isfinite(limit):
        return None
    value = measurement.value
    if limit <= 0:
        return 0.0 if judge(measurement) is Status.PASS else math.inf
    if measurement.better == "higher":
        return math.inf if value <= 0 else limit / value
    return max(0.0, value / limit)


def _judged(outcome: Outcome, measurement: Measurement) -> Status:
    """How a value was judged then; beyond its limit and accepted is waived."""
    found = judge(measurement)
    return Status.WAIVED if found is Status.FAIL and outcome.status is Status.WAIVED else found


def _blanks(day: Day) -> dict[str, list[float]]:
    """Hours of the checkpoints that are over and have no sound outcome of a criterion that was due there."""
    found: dict[str, list[float]] = {}
    for column in day.checkpoints:
        if column.slot is None or column.due_at is None or column.due_at > day.now:
            continue
        for name in column.expected:
            outcome = column.outcomes.get(name)
            if outcome is None or not outcome.measurements:
                found.setdefault(name, []).append(column.slot.offset_s / HOUR_S)
    return found


def _trace(
    key: Key,
    dots: Sequence[Dot],
    outcome: Outcome,
    latest: Measurement,
    blanks: Iterable[float],
    baseline: float | None,
) -> Trace:
    ordered = tuple(sorted(dots, key=lambda dot: dot.hour))
    # How near a value is to a limit grows with the value or falls with it, so the outermost ones tell.
    ends = (min(dot.value for dot in ordered), max(dot.value for dot in ordered))
    near = [n for value in ends if (n := nearness(replace(latest, value=value))) is not None]
    hours = sorted(blanks)
    breaks = frozenset(
        i for i in range(1, len(ordered)) if any(ordered[i - 1].hour < blank < ordered[i].hour for blank in hours)
    )
    return Trace(
        key=key,
        says=outcome.says,
        dots=ordered,
        breaks=breaks,
        latest=latest,
        baseline=baseline,
        tier=_tier(ordered, latest),
        nearness=max(near, default=None),
    )


def _tier(dots: Sequence[Dot], latest: Measurement) -> Tier:
    statuses = {dot.status for dot in dots}
    if Status.FAIL in statuses:
        return Tier.BROKE
    if Status.WARN in statuses:
        return Tier.WARNED
    low, high = min(dot.value for dot in dots), max(dot.value for dot in dots)
    if low == high:
        return Tier.CONSTANT
    limit = latest.critical if latest.critical is not None else latest.warning
    if limit is None:
        return Tier.UNLIMITED
    return Tier.STILL if high - low <= _STILL * max(abs(limit), abs(high), abs(low)) else Tier.MOVED
