"""No rate is far above what is usual.

Why: ten warnings an hour are nothing or everything, depending on how many there were an hour ago.
When it fails: see in the criterion that counts them which patterns they are, and what changed since the last look.
"""

from typing import Annotated

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from fixtures.seen import Trend
from fixtures.trends import TrendParams, Trends, enough
from golive.environment.params import Duration
from golive.judge.limits import number
from golive.judge.trends import USUAL_MINIMUM, Reads, per_hour, usual


class Params(TrendParams):
    reads: Reads = Field(
        Reads.RATE,
        description="rate: the value is one; count: of what came since the last look; total: it only counts up",
    )
    k: Annotated[float, Field(gt=0)] = Field(
        3.0, description="how many spreads (1.4826 MAD) above the median of earlier looks is still usual"
    )
    factor: Annotated[float, Field(ge=1)] = Field(2.0, description="up to this many times the median is always usual")
    floor: Annotated[float, Field(ge=0)] = Field(
        1.0, description="up to this is always usual: in the value's unit, for counts and totals in things per hour"
    )
    points: Annotated[int, Field(ge=USUAL_MINIMUM)] = Field(
        USUAL_MINIMUM, description="earlier looks that tell what is usual"
    )
    shortest: Duration = Field(300.0, description="a time between two looks that is shorter counts as this long")


def test_no_rate_is_far_above_what_is_usual(
    criterion: Params, trends: Trends, measure: Measure, evidence: EvidenceSink
) -> None:
    trends.require_hour(criterion.not_before)
    followed = trends.of(criterion, measure)
    for trend in followed:
        with enough(trend, measure):
            _judge(trend, criterion, measure)
    evidence("values over the watch", "\n".join(trend.table for trend in followed))


def _judge(trend: Trend, criterion: Params, measure: Measure) -> None:
    rates = per_hour(trend.samples, criterion.reads, begin=0.0, shortest=criterion.shortest / 3600)
    earlier, now = [value for _, value in rates[:-1]], rates[-1][1] if rates else 0.0
    known = usual(earlier, minimum=criterion.points)
    measure(
        now,
        unit=trend.unit if criterion.reads is Reads.RATE else f"{trend.unit} per h",
        name=f"rate of {trend.label}",
        subject=trend.label,
        critical=max(known.above(criterion.k), criterion.factor * known.middle, criterion.floor),
        inclusive=True,
        samples=known.points,
        detail=f"usually {number(known.middle)}, give or take {number(known.spread)}, by {known.points} earlier looks",
    )
