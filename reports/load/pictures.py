"""Which pictures are drawn of a load: latencies, throughput, users, errors, the target and the generator. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from golive.judge.load.result import LoadResult
from reports.load import course
from reports.load.budgets import Budget
from reports.load.charts import line_chart, stacked_chart
from reports.load.course import Bin
from reports.load.parts import Chart, Level, Point, Series, Stage
from reports.load.spectrum import Bound, Spectrum, spectrum_chart

PERCENTILES = ((50.0, "p50"), (95.0, "p95"), (99.0, "p99"))
GROUPS = ("5xx", "4xx", "timeouts", "connection", "other")
"""Kinds of failures that have a colour of their own, from the bottom of a bar to its top."""
_CONNECTION = frozenset({"refused", "reset"})
_BOUNDS = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
_SAMPLED = {"cpu": ("CPU of", "%"), "memory": ("Memory of", "%"), "connections": ("Connections in use of", "%")}
"""How a picture is called, and the unit of its values, by the first word of what was sampled."""


def group_of(kind: str) -> str:
    """The group of a kind of failure: `503` is of `5xx`, `refused` of `connection`."""
    if len(kind) == 3 and kind.isdigit() and kind[0] in "45":
        return f"{kind[0]}xx"
    if kind == "timeout":
        return "timeouts"
    return "connection" if kind in _CONNECTION else "other"


def latency(title: str, found: Sequence[Bin], stage: Stage, asked: Iterable[Budget]) -> Chart | None:
    """p50, p95 and p99 over time, with the limits that `asked` sets."""
    series = [
        Series(css=label, label=label, points=[(one.middle_s, one.percentile(p)) for one in found])
        for p, label in PERCENTILES
    ]
    return line_chart(title, "ms", series, stage, levels(asked, stage), may_log=True)


def throughput(found: Sequence[Bin], stage: Stage, asked: Iterable[Budget]) -> Chart | None:
    """Requests per second over time, and those of them that failed."""
    rate: list[Point] = [(one.middle_s, one.per_second(one.n)) for one in found]
    failed: list[Point] = [(one.middle_s, one.per_second(one.failures.total())) for one in found]
    series = [Series(css="main", label="all", points=rate)]
    if any(value for _, value in failed):
        series.append(Series(css="bad", label="failed", points=failed))
    return line_chart("Throughput", "/s", series, stage, levels(asked, stage))


def errors(found: Sequence[Bin], stage: Stage) -> Chart | None:
    """Failed requests per second by group, stacked; None where none failed."""
    columns = []
    for one in found:
        grouped: Counter[str] = Counter()
        for kind, number in one.failures.items():
            grouped[group_of(kind)] += number
        if one.covered_s > 0:
            whole = max(one.covered_s, (one.end_s - one.start_s) / 2)
            parts = {group: grouped[group] / whole for group in GROUPS if grouped[group]}
            columns.append((one.start_s, one.end_s, parts))
    return stacked_chart("Errors by kind", "/s", columns, stage)


def users(result: LoadResult, stage: Stage, asked: Iterable[Budget]) -> Chart | None:
    """How many users there were; in the open model those that were busy at once, beside arrivals that waited."""
    waiting = course.queued(result)
    waited = any(value for _, value in waiting)
    there = course.thinned(course.users(result))
    series = [Series(css="main", label="users" if waited else "", points=list(there))]
    if waited:
        series.append(Series(css="bad", label="queued", points=list(course.thinned(waiting))))
    return line_chart("Users", "", series, stage, levels(asked, stage))


def spectrum(result: LoadResult, asked: Iterable[Budget]) -> Chart | None:
    """The percentile spectrum of all requests; in the open model also as if none had waited to be sent."""
    counted = result.window(None, None)
    lines = [Spectrum(css="main", label="all" if counted.intended is None else "due", histogram=counted.latency)]
    if counted.intended is not None:
        lines.append(Spectrum(css="p50", label="sent", histogram=counted.histogram))
    bounds = [
        Bound(css="limit", label=f"{one.of} limit", percentile=_BOUNDS[one.of], value_ms=one.measurement.critical)
        for one in asked
        if one.of in _BOUNDS and one.measurement is not None and one.measurement.critical is not None
    ]
    return spectrum_chart("Percentile spectrum", lines, bounds)


def samples(result: LoadResult, stage: Stage, asked: Sequence[Budget]) -> list[Chart]:
    """What was measured at the target meanwhile, a picture for each: `cpu app`, `connections main` …"""
    drawn = []
    for name, taken in sorted(result.samples.items()):
        points = course.thinned(
            (at - result.began_at, value) for at, value in taken if result.began_at <= at <= result.ended_at
        )
        kind, _, whose = name.partition(" ")
        called, unit = _SAMPLED.get(kind, (kind, ""))
        own = [one for one in asked if one.whose == whose and one.measurement and one.measurement.name.startswith(kind)]
        series = [Series(css="main", label="", points=list(points))]
        found = line_chart(f"{called} {whose}", unit, series, stage, levels(own, stage))
        drawn += [found] if found is not None else []
    return drawn


def generator(result: LoadResult, stage: Stage) -> Chart | None:
    """CPU of the busiest process that made the load."""
    points = list(course.thinned(course.busiest(result)))
    return line_chart(
        "CPU of the busiest load process", "% of a core", [Series(css="main", label="", points=points)], stage
    )


def levels(asked: Iterable[Budget], stage: Stage) -> list[Level]:
    """The limits, warnings and baselines of budgets as lines over the phase that they are about."""
    found: list[Level] = []
    for one in asked:
        if one.measurement is None:
            continue
        for css, said, value in (
            ("limit", "limit", one.measurement.critical),
            ("warned", "warning", one.measurement.warning),
            ("usual", "baseline", one.baseline),
        ):
            if value is not None:
                label = f"{one.of} {said}".lstrip()
                found += [
                    Level(css=css, label=label, value=value, start_s=start, end_s=end)
                    for start, end in _spans(one.phase, stage)
                ]
    return found


def _spans(phase: str | None, stage: Stage) -> list[tuple[float, float]]:
    """When a phase is, or all phases of a kind; without one, all the time."""
    if phase is None:
        return [(0.0, stage.end_s)]
    return [(one.start_s, one.end_s) for one in stage.phases if phase in (one.name, one.name.partition(" ")[0])]
