"""No counter has gone backwards.

Why: what only counts up and is lower than before was reset, restored or lost, and nobody said so.
When it fails: see what was restarted, restored or deleted between the two looks that are named.
"""

from typing import Annotated

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from fixtures.seen import Trend
from fixtures.trends import TrendParams, Trends, enough
from golive.environment.params import Duration
from golive.judge.limits import number
from golive.judge.trends import Fall, went_backwards


class Params(TrendParams):
    tolerance: Annotated[float, Field(ge=0, lt=100)] = Field(
        0.0, description="percent of the earlier value that it may be lower, where counts are estimates"
    )
    not_before: Duration = Field(2 * 3600.0, description="time of the watch until which this does not apply")


def test_no_counter_has_gone_backwards(
    criterion: Params, trends: Trends, measure: Measure, evidence: EvidenceSink
) -> None:
    trends.require_hour(criterion.not_before)
    followed = trends.of(criterion, measure)
    fallen = []
    for trend in followed:
        with enough(trend, measure):
            falls = went_backwards(trend.samples, trend.began_anew)
            fallen += [_told(trend, fall) for fall in falls if _is_beyond(fall, criterion.tolerance)]
    evidence("counters over the watch", "\n".join(trend.table for trend in followed))
    measure(
        len(fallen),
        unit="times",
        subject="gone backwards without a restart",
        name="gone backwards",
        critical=0,
        inclusive=True,
        detail="; ".join(fallen),
    )


def _is_beyond(fall: Fall, tolerance: float) -> bool:
    return fall.before[1] - fall.after[1] > abs(fall.before[1]) * tolerance / 100


def _told(trend: Trend, fall: Fall) -> str:
    at = {point.hours: point.checkpoint for point in trend.seen}
    before, after = fall
    return (
        f"{trend.label} fell from {number(before[1])} to {number(after[1])} {trend.unit} "
        f"between {at[before[0]]} and {at[after[0]]}"
    )
