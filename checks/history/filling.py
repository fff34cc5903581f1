"""Nothing that fills up is full soon.

Why: a disk that is half full today and full tomorrow is within its limit at every look before.
When it fails: find what grows, rotate or move it, and mend what writes it before the hours that are named have passed.
"""

import math
from typing import Annotated

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from fixtures.seen import Trend
from fixtures.trends import TrendParams, Trends, enough
from golive.environment.params import Duration
from golive.judge.limits import number
from golive.judge.trends import SLOPE_MINIMUM, hours_to_reach

_NEVER_H = 8760.0


class Params(TrendParams):
    limit: float | None = Field(
        None, description="value at which it is full, in its own unit; by default the critical limit it was judged by"
    )
    at_least: Annotated[Duration, Field(gt=0)] = Field(48 * 3600.0, description="time that must be left until then")
    last: Annotated[int, Field(ge=SLOPE_MINIMUM, le=100)] = Field(
        4, description="newest looks that tell the speed; more of them notice a change later"
    )
    noise: Annotated[float, Field(ge=0)] = Field(
        0.5, description="a change over these looks that is smaller counts as none, in the value's own unit"
    )
    not_before: Duration = Field(3 * 3600.0, description="time of the watch until which this does not apply")


def test_nothing_is_full_soon(criterion: Params, trends: Trends, measure: Measure, evidence: EvidenceSink) -> None:
    trends.require_hour(criterion.not_before)
    seen = []
    for whole in trends.of(criterion, measure):
        trend = whole.last(criterion.last)
        seen.append(trend.table)
        with enough(trend, measure):
            _judge(trend, criterion, measure)
    evidence("newest values", "\n".join(seen))


def _judge(trend: Trend, criterion: Params, measure: Measure) -> None:
    now = trend.now
    limit = criterion.limit if criterion.limit is not None or now is None else now.critical
    if now is None or limit is None:
        measure.unknown(f"{trend.label} has no critical limit of its own: say at which 'limit' it is full")
        return
    left = hours_to_reach(trend.samples, limit, beyond="below" if now.better == "higher" else "above")
    values = [value for _, value in trend.samples]
    moved = max(values) - min(values)
    if left > 0 and moved < criterion.noise:
        left = math.inf
    speed = f"moved by {number(moved)} {trend.unit} in {trend.samples[-1][0] - trend.samples[0][0]:.1f} h"
    end = "not in sight" if left > _NEVER_H else f"at {number(limit)} {trend.unit} then"
    measure(
        min(left, _NEVER_H),
        unit="h",
        name=f"time left of {trend.label}",
        subject=f"time left of {trend.label}",
        critical=criterion.at_least / 3600,
        better="higher",
        samples=len(trend.seen),
        detail=f"{number(now.value)} {trend.unit} now, {speed}, {end}",
    )
