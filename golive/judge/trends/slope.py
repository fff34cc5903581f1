"""The slope of a series that a few outliers do not bend, and when it reaches a limit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Literal

from golive.judge.trends.points import Sample, prepared

SLOPE_MINIMUM = 3
"""With two points the slope is their difference, and one outlier is the whole trend."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A straight line through a series: `slope` per hour, `level` at hour 0, and the hours it was fitted over."""

    slope: float
    level: float
    begin: float
    end: float
    points: int

    def at(self, hours: float) -> float:
        """The value of the line at that hour."""
        return self.level + self.slope * hours

    @property
    def growth_percent(self) -> float:
        """How much the line rises from its begin to its end, in percent of where it begins.

        A line that begins at 0 or below has nothing to be a share of: any rise from there is
        infinite, and no rise is 0.
        """
        rise = self.slope * (self.end - self.begin)
        base = self.at(self.begin)
        if base > 0:
            return 100 * rise / base
        return math.inf if rise > 0 else 0.0


def theil_sen(samples: Iterable[Sample], *, minimum: int = SLOPE_MINIMUM) -> Line:
    """The median of the slopes between all pairs, and the median level that fits it.

    Sen (1968), Journal of the American Statistical Association 63: up to 29 % of the points may
    be wild without moving the slope beyond the others. TooFewPoints below `minimum`.
    """
    points = prepared(samples, max(minimum, SLOPE_MINIMUM))
    slope = median((v2 - v1) / (t2 - t1) for (t1, v1), (t2, v2) in combinations(points, 2))
    level = median(value - slope * hours for hours, value in points)
    return Line(slope=slope, level=level, begin=points[0][0], end=points[-1][0], points=len(points))


def hours_to_reach(
    samples: Iterable[Sample],
    limit: float,
    *,
    beyond: Literal["above", "below"] = "above",
    minimum: int = SLOPE_MINIMUM,
) -> float:
    """Hours from the last sample until a series that goes on as it did is at `limit`; infinite if it never is.

    It is 0 when the last value is there already. The way is counted from the last value, not
    from the line, because that is what is left. TooFewPoints below `minimum`.
    """
    points = prepared(samples, max(minimum, SLOPE_MINIMUM))
    sign = 1.0 if beyond == "above" else -1.0
    left = sign * (limit - points[-1][1])
    if left <= 0:
        return 0.0
    speed = sign * theil_sen(points, minimum=minimum).slope
    return left / speed if speed > 0 else math.inf
