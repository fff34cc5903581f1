"""Every value was recorded at every checkpoint, so that its course over the watch can be told.

Why: a trend that misses the hours at which something happened shows that nothing happened.
When it fails: see why the named value was not measured at these checkpoints; the criterion's own outcome says it.
"""

from typing import Annotated

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from fixtures.seen import Trend
from fixtures.trends import TrendParams, Trends, enough
from golive.judge.limits import number
from golive.judge.trends import SLOPE_MINIMUM, theil_sen
from golive.model import Measurement


class Params(TrendParams):
    points: Annotated[int, Field(ge=SLOPE_MINIMUM)] = Field(
        SLOPE_MINIMUM, description="looks that a course needs at least"
    )


def test_every_value_was_recorded_at_every_checkpoint(
    criterion: Params, trends: Trends, measure: Measure, evidence: EvidenceSink
) -> None:
    trends.require_hour(criterion.not_before)
    followed = trends.of(criterion, measure)
    rows, holes = [], 0
    for trend in followed:
        with enough(trend, measure):
            rows.append(_row(trend, criterion, measure))
        if missing := _missing(trend, trends):
            holes += 1
            measure.fail(f"{trend.label} was not measured at {', '.join(missing)}")
    evidence("courses over the watch", "\n".join(rows))
    evidence("values over the watch", "\n".join(trend.table for trend in followed))
    measure(len(followed) - holes, unit="courses", name="followed", detail=f"without a hole, of {len(followed)}")


def _row(trend: Trend, criterion: Params, measure: Measure) -> str:
    """Least, middle and greatest value and the slope, which is recorded as well."""
    line = theil_sen(trend.samples, minimum=criterion.points)
    values = sorted(value for _, value in trend.samples)
    unit = f"{trend.unit}/h".lstrip("/")
    measure.measurements.append(
        Measurement(name=f"slope of {trend.label}", value=line.slope, unit=unit, samples=line.points)
    )
    least, middle, most = (number(v) for v in (values[0], values[len(values) // 2], values[-1]))
    return f"{trend.label}: {least} to {most} {trend.unit}, in the middle {middle}, slope {number(line.slope)} {unit}"


def _missing(trend: Trend, trends: Trends) -> list[str]:
    """The checkpoints whose runs were to judge the criterion and have no value of it."""
    measured = {point.checkpoint for point in trend.seen}
    asked = dict.fromkeys(trends.labels(trend.criterion))
    return [label for label in asked if label not in measured]
