"""Nothing takes much longer than it did in the baseline.

Why: twice as slow is an incident to its users, long before a limit that was set with room to spare is reached.
When it fails: compare the deployments, then the load, then the phases of the latency check and the query plans.
"""

from typing import Annotated, Literal

from pydantic import Field

from fixtures.baselines import HOW, InForce, baseline_of
from fixtures.context import RunContext
from fixtures.measure import EvidenceSink, Measure
from fixtures.seen import Trend
from fixtures.trends import TrendParams, Trends, enough
from golive.environment.params import Duration, Milliseconds
from golive.judge.limits import number
from golive.judge.trends import TooFewPoints, times
from golive.model import CouldNotLook

_MS = {"us": 0.001, "µs": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0}
_PAIR = 2


class Params(TrendParams):
    factor: Annotated[float, Field(gt=1)] = Field(2.0, description="how many times longer it may take at most")
    floor: Milliseconds = Field(20.0, description="what takes no longer than this is fast enough, however it compares")
    without_baseline: Literal["unknown", "first"] = Field(
        "unknown", description="first: without a baseline, compare with the first look of the watch"
    )
    not_before: Duration = Field(
        2 * 3600.0, description="time of the watch until which there is no earlier look; not asked where a baseline is"
    )


def test_nothing_takes_much_longer(
    criterion: Params, trends: Trends, context: RunContext, measure: Measure, evidence: EvidenceSink
) -> None:
    known = _known(criterion, context)
    if known is None:
        trends.require_hour(criterion.not_before)
    timed = [trend for trend in trends.of(criterion, measure) if trend.unit in _MS]
    if not timed and not measure.unknowns:
        raise CouldNotLook(f"none of {', '.join(criterion.values)} is a time ({', '.join(_MS)})")
    for trend in timed:
        with enough(trend, measure):
            _judge(trend, known, criterion, measure)
    evidence("times over the watch", "\n".join(trend.table for trend in timed))


def _known(criterion: Params, context: RunContext) -> InForce | None:
    try:
        return baseline_of(context)
    except CouldNotLook:
        if criterion.without_baseline == "unknown":
            raise
        return None


def _judge(trend: Trend, known: InForce | None, criterion: Params, measure: Measure) -> None:
    base, where = _base(trend, known, criterion)
    if base is None:
        measure.unknown(f"{trend.label}: {where}")
        return
    now, base = max(trend.seen[-1].value, 0.0), max(base, 0.0)
    measure(
        now,
        unit=trend.unit,
        name=trend.label,
        critical=max(base * criterion.factor, criterion.floor / _MS[trend.unit]),
        inclusive=True,
        subject=trend.label,
        detail=f"{number(times(now, base))} times the {number(base)} {trend.unit} {where}",
    )


def _base(trend: Trend, known: InForce | None, criterion: Params) -> tuple[float | None, str]:
    """What it is compared with and where that comes from, or None and why there is nothing."""
    if known is not None:
        value = known.values.get((trend.criterion, trend.name, trend.unit))
        if value is not None:
            return value, f"in baseline {known.name}"
        if criterion.without_baseline == "unknown":
            return None, f"the baseline {known.name} has no value of it: {HOW}"
    if len(trend.seen) < _PAIR:
        raise TooFewPoints(len(trend.seen), _PAIR)
    first = trend.seen[0]
    return first.value, f"at the first look ({first.checkpoint})"
