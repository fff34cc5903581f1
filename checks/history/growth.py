"""No value grows without end.

Why: a leak shows only over hours; each single look is within its limit until the last one.
When it fails: see since when it grows in the evidence, what was deployed then, and what the process holds on to.
Restart it before the limit is reached; the trend begins anew with its start.
"""

import math
from typing import Annotated

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from fixtures.seen import Trend
from fixtures.trends import TrendParams, Trends, enough
from golive.environment.params import Duration
from golive.judge.limits import number
from golive.judge.trends import KENDALL_MINIMUM, steady_growth


class Params(TrendParams):
    at_most: Annotated[float, Field(gt=0)] = Field(
        20.0, description="percent that a value may have grown by, along a steady rise"
    )
    noise: Annotated[float, Field(ge=0)] = Field(
        0.0, description="a rise by less than this is none, in the value's own unit"
    )
    significance: Annotated[float, Field(gt=0, le=0.2)] = Field(
        0.05, description="how unlikely a rise must be by chance to count as steady (Mann-Kendall)"
    )
    points: Annotated[int, Field(ge=KENDALL_MINIMUM)] = Field(
        KENDALL_MINIMUM, description="looks that it takes, without a restart between them"
    )
    warm_up: Duration = Field(
        1800.0, description="first time of the watch that is left out, while caches and pools fill"
    )


def test_no_value_grows_without_end(
    criterion: Params, trends: Trends, measure: Measure, evidence: EvidenceSink
) -> None:
    trends.require_hour(criterion.not_before)
    seen = []
    for whole in trends.of(criterion, measure):
        trend = whole.since_start().after(criterion.warm_up / 3600)
        seen.append(trend.table)
        with enough(trend, measure):
            seen.append(f"    {_judge(trend, criterion, measure)}")
    evidence("values over the watch", "\n".join(seen))
    measure.notes[:] = [
        f"{len(measure.measurements)} values, none of which grows steadily by more than {criterion.at_most:g} %"
    ]


def _judge(trend: Trend, criterion: Params, measure: Measure) -> str:
    """How it moved, in words. Growth counts only along a steady rise that goes on."""
    found = steady_growth(
        trend.samples, significance=criterion.significance, noise=criterion.noise, minimum=criterion.points
    )
    told = f"{found.how}, {number(found.slope)} {trend.unit} per hour over {found.hours:.1f} h, "
    told += f"p = {found.p:.2g}, {found.points} points{trend.cut}"
    if math.isinf(found.percent):
        measure.fail(f"{trend.label} rises from 0 ({told})")
        return told
    measure(
        found.percent,
        unit="%",
        name=f"growth of {trend.label}",
        subject=f"steady growth of {trend.label}",
        critical=criterion.at_most,
        inclusive=True,
        samples=found.points,
        detail=told,
    )
    return told
