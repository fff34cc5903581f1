"""How available each endpoint was: a strip over the watch, its outages, and both levels judged. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import groupby

from golive.judge.uptime import Uptime, uptime
from golive.judge.wording import span
from golive.model import ProbePolicy, ProbeSpan, ProbeState, Severity, Status
from reports.golive.views.day import HOUR_S, Day
from reports.golive.views.incidents import Incident

LEVELS = (100.0, 99.99)
"""What the two forms of the sign-off ask for; the stricter one counts unless the environment says otherwise."""
_CELLS = 480
"""The strip is drawn in so many cells, three minutes each over a day; the worst state within a cell is its state."""


class Shown(StrEnum):
    """What the probes show of a level of uptime."""

    REACHED = "reached"
    MISSED = "not reached"
    UNPROVEN = "not proven"


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part of a strip, in percent of its width."""

    start: float
    width: float
    state: ProbeState


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One endpoint over the watch so far. `levels` are the shares asked for and whether they were shown."""

    name: str
    uptime: Uptime
    strip: tuple[Stretch, ...]
    levels: tuple[tuple[float, Shown], ...]
    gates: float
    unseen_too_long: bool

    @property
    def percent(self) -> str:
        """The share of the known time that it was up, never rounded up: `99.9861 %`."""
        return percent_text(self.uptime.percent)

    @property
    def holds(self) -> bool:
        """Whether the level that counts was shown."""
        return dict(self.levels)[self.gates] is Shown.REACHED


@dataclass(frozen=True)
class Availability:
    """The endpoints of a watch, in the order of the environment; none where nothing is probed."""

    day: Day
    policy: ProbePolicy

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Each endpoint from hour 0 until now, or until the last checkpoint was due."""
        return tuple(
            Endpoint(
                name=name,
                uptime=found,
                strip=tuple(self._strip(name, found)),
                levels=tuple((level, shown(found, level, self.policy)) for level in _levels(self.policy)),
                gates=self.policy.at_least_percent,
                unseen_too_long=found.unknown_s > self.policy.unknown_at_most_s,
            )
            for name, found in self._between(self.day.watch.starts_at, self._end).items()
        )

    @cached_property
    def worst(self) -> Endpoint | None:
        """The endpoint that was up least; one of which nothing is known is worse than any, then the one seen least."""
        return min(
            self.endpoints,
            key=lambda e: (-1.0 if e.uptime.percent is None else e.uptime.percent, -e.uptime.unknown_s),
            default=None,
        )

    @cached_property
    def outages(self) -> list[Incident]:
        """Every outage as an incident."""
        return [_incident(endpoint) for endpoint in self.endpoints if endpoint.uptime.outages]

    def hour(self, number: int) -> dict[str, Uptime]:
        """The hour `number` (from 1) of the watch, as far as it has passed; empty before it begins."""
        watch = self.day.watch
        begin, end = watch.moment((number - 1) * HOUR_S), min(watch.moment(number * HOUR_S), self.day.now)
        if end <= begin:
            return {}
        policy = self.policy if number == 1 else replace(self.policy, begin_within_s=0.0)
        return dict(uptime(self._near(begin, end), begin=begin, end=end, policy=policy))

    @property
    def _end(self) -> datetime:
        return max(min(self.day.now, self.day.watch.ends_at), self.day.watch.starts_at)

    def _between(self, begin: datetime, end: datetime) -> dict[str, Uptime]:
        return dict(uptime(self.day.record.probes, begin=begin, end=end, policy=self.policy))

    def _near(self, begin: datetime, end: datetime) -> list[ProbeSpan]:
        """The spans that may tell something of this time."""
        reach = timedelta(seconds=3 * self.policy.every_s)
        return [
            span
            for span in self.day.record.probes
            if min(span.first_at, span.last_at) <= end + reach and max(span.first_at, span.last_at) >= begin - reach
        ]

    def _strip(self, name: str, found: Uptime) -> Iterator[Stretch]:
        watch = self.day.watch
        whole_s = max(self.day.length_s / watch.time_scale, 1e-9)

        def cell(moment: datetime) -> float:
            return _CELLS * (moment - watch.starts_at).total_seconds() / whole_s

        longest = timedelta(seconds=2 * self.policy.every_s)
        up = [
            (span.first_at, span.last_at + longest)
            for span in self.day.record.probes
            if span.endpoint == name and span.state is ProbeState.UP and span.first_at <= span.last_at
        ]
        down = [(outage.begin, outage.end) for outage in found.outages]
        cells: list[ProbeState | None] = [None] * _CELLS
        for state, times in (
            (ProbeState.UP, [(found.begin, found.end)]),
            (ProbeState.UNKNOWN, _gaps([*up, *down], found.begin, found.end)),
            (ProbeState.DOWN, down),
        ):
            for begin, end in times:
                for i in range(max(0, int(cell(begin))), min(_CELLS, math.ceil(cell(end)))):
                    cells[i] = state
        return _joined(cells)


def availability(day: Day) -> Availability | None:
    """The availability of a watch; None where the environment demands none."""
    policy = day.record.probe_policy
    return None if policy is None or not policy.endpoints else Availability(day, policy)


def percent_text(percent: float | None) -> str:
    """`99.9861 %`: cut and not rounded, so that only a whole 100 says 100."""
    if percent is None:
        return "unknown"
    cut = math.floor(percent * 10_000) / 10_000
    return f"{cut:.4f}".rstrip("0").rstrip(".") + " %"


def _levels(policy: ProbePolicy) -> list[float]:
    return sorted({*LEVELS, policy.at_least_percent}, reverse=True)


def shown(found: Uptime, level: float, policy: ProbePolicy) -> Shown:
    """Whether an endpoint was up for `level` percent; too much unseen time proves nothing, whatever the rest is."""
    if found.percent is not None and found.percent < level:
        return Shown.MISSED
    seen = found.percent is not None and found.unknown_s <= policy.unknown_at_most_s
    return Shown.REACHED if seen else Shown.UNPROVEN


def _gaps(seen: Iterable[tuple[datetime, datetime]], begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The time between `begin` and `end` that none of the stretches covers."""
    gaps = []
    for first, last in sorted(seen):
        if first > begin:
            gaps.append((begin, min(first, end)))
        begin = max(begin, last)
        if begin >= end:
            return gaps
    return [*gaps, (begin, end)]


def _joined(cells: Iterable[ProbeState | None]) -> Iterator[Stretch]:
    at = 0
    for state, same in groupby(cells):
        length = sum(1 for _ in same)
        if state is not None:
            yield Stretch(start=round(100 * at / _CELLS, 3), width=round(100 * length / _CELLS, 3), state=state)
        at += length


def _incident(endpoint: Endpoint) -> Incident:
    outages = endpoint.uptime.outages
    down_s = endpoint.uptime.down_s
    still_down = outages[-1].end >= endpoint.uptime.end
    said = outages[-1].message
    return Incident(
        subject=f"availability of {endpoint.name}",
        says=f"{endpoint.name} answers all the time",
        status=Status.FAIL,
        severity=Severity.CRITICAL,
        message=f"down for {span(down_s)} in all, {endpoint.percent} up" + (f"; last: {said}" if said else ""),
        first_at=outages[0].begin,
        last_at=outages[-1].end,
        checkpoints=("between checkpoints",),
        times=len(outages),
        healed_at=None if still_down else outages[-1].end,
        healed_in="the availability probe",
    )
