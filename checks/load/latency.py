"""Requests are answered within a limit while the load lasts.

Why: a system that is quick for one user may be slow for a hundred, and users feel the tail, not the average.
When it fails: see in the report when it began and what else rose then (users, CPU, connections); a tail alone points
at locks and pools, all percentiles together at a resource that is used up.
"""

from typing import Annotated, Literal

from pydantic import Field

from fixtures.load_params import PartParams, cut_short, require
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Milliseconds
from golive.judge.limits import number
from golive.judge.load.histogram import Histogram
from golive.judge.load.records import Totals
from golive.judge.load.result import LoadResult
from golive.model import CouldNotLook

_NEEDED = {"p50": 20, "p90": 50, "p95": 100, "p99": 300, "p99.9": 3000, "average": 20, "max": 20}
"""So many answers let a percentile speak of more than the one or two slowest."""


class Params(PartParams):
    of: Literal["p50", "p90", "p95", "p99", "p99.9", "average", "max"] = Field(
        "p95", description="what is judged; in the open model it counts from the moment a request was meant to begin"
    )
    warning: Milliseconds | None = None
    critical: Milliseconds
    min_samples: Annotated[int, Field(ge=1)] | None = Field(
        None, description="good answers that it takes; by default 20 for p50, 100 for p95, 300 for p99, 3000 for p99.9"
    )


def test_requests_are_answered_within_a_limit_under_load(
    criterion: Params, load_result: LoadResult, measure: Measure, evidence: EvidenceSink
) -> None:
    evidence("latencies", _table(load_result, criterion))
    if load_result.saturated:
        raise CouldNotLook(f"latencies are not known: {load_result.saturated}{cut_short(load_result)}")
    part = criterion.part_of(load_result)
    # Failing is often quick: only so many good answers say how long one takes.
    needed = criterion.min_samples or _NEEDED[criterion.of]
    require(part.n - part.failed(), needed, f"good answers for {criterion.named(criterion.of)}", load_result)
    found, at_worst = _value(part.latency, criterion.of), _at_worst(part, criterion.of)
    if found < criterion.critical <= at_worst:
        raise CouldNotLook(
            f"{part.failed()} of {part.n} requests failed; if they failed quickly, {criterion.named(criterion.of)} of"
            f" the good answers is up to {number(at_worst)} ms, below {number(criterion.critical)} ms needed"
            f"{cut_short(load_result)}"
        )
    measure(
        found,
        unit="ms",
        name=criterion.named(criterion.of),
        warning=criterion.warning,
        critical=criterion.critical,
        samples=part.latency.count,
        detail=f"{part.n} requests, median {part.latency.percentile(50):.3g} ms{cut_short(load_result)}",
    )


def _value(latency: Histogram, of: str) -> float:
    if of == "average":
        return latency.mean_ms
    return latency.max_ms if of == "max" else latency.percentile(float(of.removeprefix("p")))


def _at_worst(part: Totals, of: str) -> float:
    """The same of the good answers alone, if the failed requests were the quickest of all."""
    failed, good = part.failed(), part.n - part.failed()
    if of == "average":
        return part.latency.mean_ms * part.n / good
    if of == "max":
        return part.latency.max_ms
    return part.latency.percentile(100 * (failed + float(of.removeprefix("p")) / 100 * good) / part.n)


def _table(result: LoadResult, criterion: Params) -> str:
    """Each request with its percentiles, by name."""
    where = f" in {criterion.phase}" if criterion.phase is not None else ""
    lines = [f"milliseconds{where}", _row("requests", "p50", "p95", "p99", "max", "failed", "request")]
    for name in result.names:
        part = result.window(name, criterion.phase)
        if part.n:
            found = [f"{part.latency.percentile(share):.1f}" for share in (50, 95, 99)]
            lines.append(_row(str(part.n), *found, f"{part.latency.max_ms:.1f}", str(part.failed()), name))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return "".join(f"{cell:>10}" for cell in cells[:-1]) + f"  {cells[-1]}"
