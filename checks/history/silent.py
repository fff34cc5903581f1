"""Nothing that was counted has fallen silent.

Why: no orders, no logins and no log lines are no errors either: what stopped looks healthier than what works.
When it fails: see whether users can still do it, then whether it is still counted and logged.
"""

from typing import Annotated

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from fixtures.seen import Trend
from fixtures.trends import TrendParams, Trends, enough
from golive.environment.params import Percent
from golive.judge.trends import SILENCE_MINIMUM, Reads, fell_silent, per_hour

_SHORTEST_H = 1 / 60


class Params(TrendParams):
    reads: Reads = Field(
        Reads.COUNT,
        description="rate or count: silent is 0; total: it only counts up, so silent is no more than at the last look",
    )
    usually: Percent = Field(
        100.0, description="percent of the earlier looks at which there was something, so that nothing is news"
    )
    points: Annotated[int, Field(ge=SILENCE_MINIMUM)] = Field(
        SILENCE_MINIMUM, description="earlier looks that tell what is usual"
    )


def test_nothing_has_fallen_silent(criterion: Params, trends: Trends, measure: Measure, evidence: EvidenceSink) -> None:
    trends.require_hour(criterion.not_before)
    followed = trends.of(criterion, measure)
    silent = []
    for trend in followed:
        with enough(trend, measure):
            if _is_silent(trend, criterion):
                silent.append(trend)
    evidence("values over the watch", "\n".join(trend.table for trend in followed))
    last = "; ".join(f"{t.label} was {t.seen[-2].value:g} at {t.seen[-2].checkpoint}" for t in silent)
    measure(
        len(silent),
        unit=f"of {len(followed)} counts",
        subject="fallen silent",
        name="silent",
        critical=0,
        inclusive=True,
        detail=last,
    )


def _is_silent(trend: Trend, criterion: Params) -> bool:
    rates = per_hour(trend.samples, criterion.reads, begin=0.0, shortest=_SHORTEST_H)
    return fell_silent([value for _, value in rates], usually=criterion.usually / 100, minimum=criterion.points)
