"""One load as its section of the report shows it: facts, warnings, budgets, pictures and tables. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from golive.judge.limits import number
from golive.judge.load.records import Totals
from golive.judge.load.result import LoadResult
from golive.model import utc_text
from reports.bars import amount
from reports.load import course, pictures
from reports.load.budgets import Budget
from reports.load.parts import Chart
from reports.text import duration, one_line, plural

MOST_DRAWN = 12
"""Request names with a picture of their own; the slowest ones come first."""
MOST_LISTED = 100
_LEGEND = {
    "p50": "p50",
    "p95": "p95",
    "p99": "p99",
    "limit": "limit",
    "warned": "warning limit",
    "usual": "baseline",
    "e-5xx": "5xx",
    "e-4xx": "4xx",
    "e-timeouts": "timed out",
    "e-connection": "refused or reset",
    "e-other": "other",
}
_NONE = "–"  # noqa: RUF001 - the sign of the reports for no value


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table: what it is about, and its numbers as text; a dash where there is none."""

    name: str
    about: str
    requests: int
    rate: str
    errors: str
    failed: bool
    p50: str
    p95: str
    p99: str
    longest: str


@dataclass(frozen=True, kw_only=True)
class LoadView:
    """What the template shows of one profile's load."""

    profile: str
    anchor: str
    headline: str
    alarms: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    budgets: tuple[Budget, ...]
    charts: tuple[Chart, ...]
    target: tuple[Chart, ...]
    generator: Chart | None
    by_request: tuple[Row, ...]
    unlisted: int
    request_charts: tuple[Chart, ...]
    by_phase: tuple[Row, ...]
    kinds: tuple[tuple[str, int, str], ...]
    legend: tuple[tuple[str, str], ...]
    raw: tuple[tuple[str, str], ...]


def view(result: LoadResult, asked: Sequence[Budget], raw: Sequence[tuple[str, str]] = ()) -> LoadView:
    """All that is told of one load. `raw` are the files beside the report that hold its data, as (link, name)."""
    counted = result.window(None, None)
    charts = _charts(result, asked)
    alone = course.by_name(result)
    totals = {name: one.window(None, None) for name, one in alone.items()}
    names = sorted(totals, key=lambda name: -_p95(totals[name]))
    return LoadView(
        profile=result.profile,
        anchor="load-" + re.sub(r"[^A-Za-z0-9_-]", "-", result.profile),
        headline=_headline(result, counted),
        alarms=tuple(_alarms(result)),
        facts=tuple(_facts(result, counted)),
        budgets=tuple(asked),
        charts=tuple(charts),
        target=tuple(pictures.samples(result, course.stage_of(result), asked)),
        generator=pictures.generator(result, course.stage_of(result)),
        by_request=tuple(_row(name, "", totals[name]) for name in names[:MOST_LISTED]),
        unlisted=max(0, len(names) - MOST_LISTED),
        request_charts=tuple(_request_charts([(name, alone[name]) for name in names[:MOST_DRAWN]], asked)),
        by_phase=tuple(_phase_rows(result)),
        kinds=tuple(_kinds(counted)),
        legend=tuple(_legend(charts)),
        raw=tuple(raw),
    )


def line(result: LoadResult) -> str:
    """One line for the terminal: `load steady: 6432 requests in 45 s, 143/s, p95 82 ms, 0 % errors`."""
    return f"load {result.profile}: {_headline(result, result.window(None, None))}"


def _headline(result: LoadResult, totals: Totals) -> str:
    ran = duration(result.lasted_s)
    if not totals.n:
        return f"no request was counted in {ran}" + (f"; {result.stopped}" if result.stopped else "")
    errors = amount(totals.share(), "%")
    said = f"{plural(totals.n, 'request', 'requests')} in {ran}, {_rate(totals)}"
    said += f", p95 {_ms(totals, 95)}, {errors} errors"
    return said + (f"; {result.stopped}" if result.stopped else "")


def _alarms(result: LoadResult) -> Iterable[str]:
    if result.stopped:
        planned = max((phase.end_s for phase in result.planned), default=0.0)
        ran = duration(result.lasted_s)
        yield f"It ended after {ran} of {duration(planned)}: {result.stopped}"
    if not any(second.n for second in result.seconds):
        yield "Not a single request was answered, so nothing is known of latencies and throughput"
    if result.saturated:
        yield f"Latencies cannot be trusted: {result.saturated}"
    yield from result.problems


def _facts(result: LoadResult, counted: Totals) -> Iterable[tuple[str, str]]:
    yield "Requests", f"{counted.n}, {_rate(counted)}" if counted.n else "none"
    if counted.n:
        yield "Failed", f"{counted.failed()} ({amount(counted.share(), '%')})"
        yield "Latency", f"p50 {_ms(counted, 50)}, p95 {_ms(counted, 95)}, p99 {_ms(counted, 99)}"
        yield "Average and slowest", f"{amount(counted.latency.mean_ms, 'ms')}, {_longest(counted)}"
    most = max((value for _, value in course.users(result)), default=0.0)
    wanted = max((state.level for state in result.states), default=0.0)
    if result.model == "open":
        yield "Model", f"open: up to {number(wanted)} arrivals a second; latency from when each was due"
        yield "Busy at once", f"{plural(int(most), 'user', 'users')} at most"
    else:
        yield "Model", f"closed: {plural(int(most), 'user', 'users')} at most, who wait for each answer"
    yield "Began", utc_text(datetime.fromtimestamp(result.began_at, UTC))[:19].replace("T", " ") + " UTC"
    yield "Took", duration(result.lasted_s)
    if result.warm_up_s:
        yield "Warm-up", f"{duration(result.warm_up_s)}, not counted in numbers and criteria"
    yield "Made by", f"{plural(max(1, len(result.workers)), 'process', 'processes')}, {_cpu(result)}"


def _charts(result: LoadResult, asked: Sequence[Budget]) -> list[Chart]:
    stage, found = course.stage_of(result), course.bins(result)
    overall = [one for one in asked if one.request is None]
    drawn = [
        pictures.latency("Latency", found, stage, _of(overall, "latency")),
        pictures.throughput(found, stage, _of(overall, "throughput")),
        pictures.users(result, stage, _of(overall, "users")),
        pictures.spectrum(result, [one for one in _of(overall, "latency") if one.phase is None]),
        pictures.errors(found, stage),
    ]
    return [chart for chart in drawn if chart is not None]


def _legend(charts: Iterable[Chart]) -> Iterable[tuple[str, str]]:
    """What the lines and colours that do occur mean, as (class, words)."""
    drawn: set[str] = set()
    for chart in charts:
        drawn |= {stroke.css for stroke in chart.strokes} | {rule.css for rule in chart.rules}
        drawn |= {box.css for box in chart.boxes}
    return [(css, said) for css, said in _LEGEND.items() if css in drawn]


def _request_charts(alone: Sequence[tuple[str, LoadResult]], asked: Sequence[Budget]) -> list[Chart]:
    """A picture for each of several requests; one that is all there is has been drawn already."""
    drawn = []
    for name, one in alone if len(alone) > 1 else ():
        own = [budget for budget in _of(asked, "latency") if budget.request == name]
        drawn.append(pictures.latency(one_line(name, 80), course.bins(one, most=120), course.stage_of(one), own))
    return [chart for chart in drawn if chart is not None]


def _of(asked: Iterable[Budget], check: str) -> list[Budget]:
    return [one for one in asked if one.check == check]


def _phase_rows(result: LoadResult) -> Iterable[Row]:
    ran, unit = result.lasted_s, "/s" if result.model == "open" else "users"
    for phase in result.planned:
        if phase.start_s >= ran:
            yield _row(phase.name, "not reached", result.window(None, phase.name))
        else:
            took = duration(min(phase.end_s, ran) - phase.start_s)
            about = f"{took}, {amount(phase.level, unit)}"
            about += ", warm-up" if min(phase.end_s, ran) <= result.warm_up_s else ""
            yield _row(phase.name, about, result.window(None, phase.name))


def _kinds(counted: Totals) -> Iterable[tuple[str, int, str]]:
    for kind, count in sorted(counted.failures.items(), key=lambda pair: (-pair[1], pair[0])):
        yield kind, count, amount(100 * count / counted.n, "%") if counted.n else _NONE


def _row(name: str, about: str, totals: Totals) -> Row:
    return Row(
        name=name,
        about=about,
        requests=totals.n,
        rate=_rate(totals) if totals.n else _NONE,
        errors=amount(totals.share(), "%") if totals.n else _NONE,
        failed=totals.failed() > 0,
        p50=_ms(totals, 50),
        p95=_ms(totals, 95),
        p99=_ms(totals, 99),
        longest=_longest(totals),
    )


def _p95(totals: Totals) -> float:
    return totals.latency.percentile(95) if totals.latency.count else -1.0


def _ms(totals: Totals, p: float) -> str:
    return amount(totals.latency.percentile(p), "ms") if totals.latency.count else _NONE


def _longest(totals: Totals) -> str:
    return amount(totals.latency.max_ms, "ms") if totals.latency.count else _NONE


def _rate(totals: Totals) -> str:
    return f"{number(totals.rate)}/s" if totals.seconds > 0 else _NONE


def _cpu(result: LoadResult) -> str:
    if result.generator_cpu is None:
        return "its CPU was not seen"
    return f"{amount(result.generator_cpu, '%')} of a core at most"
