"""The course of a load in equal stretches of time, few enough to be drawn. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from golive.judge.load.histogram import Histogram
from golive.judge.load.records import UNFINISHED, Second
from golive.judge.load.result import LoadResult
from reports.load.parts import Stage, Stretch

MOST = 240
"""More stretches than this are no clearer in a picture."""
_HARDLY = 0.5
"""A stretch of which less than this share belongs to the load says nothing of a rate."""


@dataclass(kw_only=True)
class Bin:
    """One stretch, in seconds since the beginning; `covered_s` of it belong to the load.

    `histogram` counts from when requests were due in the open model, else from when they were sent.
    """

    start_s: float
    end_s: float
    covered_s: float
    n: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    histogram: Histogram = field(default_factory=Histogram)

    @property
    def middle_s(self) -> float:
        """Where the stretch is drawn."""
        return (self.start_s + self.end_s) / 2

    def percentile(self, p: float) -> float | None:
        """Milliseconds, None where nothing was answered."""
        return self.histogram.percentile(p) if self.histogram.count else None

    def per_second(self, number: float) -> float | None:
        """`number` as a rate; None for a stretch that hardly belongs to the load."""
        whole = self.end_s - self.start_s
        return number / self.covered_s if self.covered_s > 0 and self.covered_s >= _HARDLY * whole else None


def stage_of(result: LoadResult) -> Stage:
    """The time that its pictures share: what it ran, and of what was planned beyond at most a quarter as much."""
    ran = result.lasted_s
    planned = max((phase.end_s for phase in result.planned), default=ran)
    end = min(max(planned, ran), ran * 1.25) if result.stopped else ran
    phases = tuple(
        Stretch(name=phase.name, start_s=phase.start_s, end_s=min(phase.end_s, end))
        for phase in result.planned
        if phase.start_s < end
    )
    return Stage(end_s=end, phases=phases, stopped_s=ran if result.stopped else None)


def by_name(result: LoadResult) -> dict[str, LoadResult]:
    """The load of each request name alone, by name: to look through all seconds once, and not once for each."""
    found: dict[str, list[Second]] = {}
    for second in result.seconds:
        found.setdefault(second.name, []).append(second)
    return {name: replace(result, seconds=tuple(found[name])) for name in sorted(found)}


def bins(result: LoadResult, most: int = MOST) -> list[Bin]:
    """All its requests in at most `most` stretches of whole seconds."""
    ran = result.lasted_s
    first = math.floor(result.began_at)
    last = max((second.at for second in result.seconds), default=first)
    width = max(1, math.ceil(max(ran, last - first + 1) / most))
    found = _empty(first - result.began_at, width, max(ran, last - first + 1), ran)
    for second in result.seconds:
        index = min(max(0, (second.at - first) // width), len(found) - 1)
        _add(found[index], second, open_model=result.model == "open")
    return found


def timings(second: Second, *, open_model: bool) -> Histogram:
    """What counts as latency: from the intended start in the open model."""
    return second.intended if open_model and second.intended is not None else second.histogram


def users(result: LoadResult) -> list[tuple[float, float]]:
    """How many users there were, second by second: (seconds since the beginning, users of all processes)."""
    return _summed(result, [(state.at, state.worker, float(state.users)) for state in result.states])


def queued(result: LoadResult) -> list[tuple[float, float]]:
    """Arrivals that were due and had not begun, over all processes, second by second."""
    return _summed(result, [(state.at, state.worker, float(state.queued)) for state in result.states])


def busiest(result: LoadResult) -> list[tuple[float, float]]:
    """CPU of the busiest load process, in percent of a core, second by second."""
    found: dict[float, float] = {}
    for state in result.states:
        at = max(0.0, math.floor(state.at) - result.began_at)
        found[at] = max(found.get(at, 0.0), state.cpu or 0.0)
    return sorted(found.items())


def thinned(points: Iterable[tuple[float, float]], most: int = MOST) -> list[tuple[float, float]]:
    """At most `most` points; of each group the largest value stands, so that no peak is lost."""
    whole = list(points)
    step = math.ceil(len(whole) / most) if whole else 1
    return [max(whole[i : i + step], key=lambda point: point[1]) for i in range(0, len(whole), step)]


def _empty(offset: float, width: int, whole: float, ran: float) -> list[Bin]:
    found = []
    for i in range(math.ceil(whole / width) or 1):
        start, end = offset + i * width, offset + (i + 1) * width
        covered = max(0.0, min(end, ran) - max(start, 0.0))
        found.append(Bin(start_s=max(start, 0.0), end_s=end, covered_s=covered))
    return found


def _add(into: Bin, second: Second, *, open_model: bool) -> None:
    into.n += second.n
    into.failures.update({kind: n for kind, n in second.failures.items() if kind != UNFINISHED})
    into.histogram.merge(timings(second, open_model=open_model))


def _summed(result: LoadResult, told: Iterable[tuple[float, str, float]]) -> list[tuple[float, float]]:
    """Each second's sum over the processes; one that said nothing in a second still has what it said last."""
    by_second: dict[int, dict[str, float]] = {}
    for at, worker, value in told:
        by_second.setdefault(math.floor(at), {})[worker] = value
    standing: dict[str, float] = {}
    found = []
    for at in sorted(by_second):
        gone = [worker for worker in standing if worker in result.lost and worker not in by_second[at]]
        for worker in gone:
            del standing[worker]
        standing |= by_second[at]
        found.append((max(0.0, at - result.began_at), sum(standing.values())))
    return found
