"""What is usual for a value, told by earlier ones, and how many times another it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from golive.judge.trends.points import TooFewPoints

USUAL_MINIMUM = 4
"""Of three values one outlier is a third, and their spread is that of two differences."""
_MAD_TO_SIGMA = 1.4826
_MEAN_DEVIATION_TO_SIGMA = 1.2533


@dataclass(frozen=True, kw_only=True, slots=True)
class Usual:
    """The middle of some values and their spread, on the scale of a standard deviation."""

    middle: float
    spread: float
    points: int

    def above(self, k: float) -> float:
        """The value from which one is unusually high."""
        return self.middle + k * self.spread


def usual(values: Sequence[float], *, minimum: int = USUAL_MINIMUM) -> Usual:
    """The median and the median absolute deviation (MAD, times 1.4826) of earlier values.

    When more than half of them are equal the MAD is 0, though the others differ: then the
    spread is the mean absolute deviation from the median, times 1.2533 (Iglewicz and Hoaglin
    1993, How to Detect and Handle Outliers). It is 0 only when all are equal; what then is too
    much has to come from elsewhere, such as a factor. TooFewPoints below `minimum`; ValueError
    on a value that is no number.
    """
    if len(values) < max(minimum, USUAL_MINIMUM):
        raise TooFewPoints(len(values), max(minimum, USUAL_MINIMUM))
    if not all(map(math.isfinite, values)):
        raise ValueError("a series holds a value that is no number")
    middle = float(median(values))
    away = [abs(value - middle) for value in values]
    spread = _MAD_TO_SIGMA * median(away) or _MEAN_DEVIATION_TO_SIGMA * fmean(away)
    return Usual(middle=middle, spread=spread, points=len(values))


def times(value: float, base: float) -> float:
    """How many times `base` a value is: 1 when both are 0, infinite over a base of 0; ValueError below 0."""
    if value < 0 or base < 0:
        raise ValueError("only values from 0 on are multiples of each other")
    if base == 0:
        return 1.0 if value == 0 else math.inf
    return value / base
