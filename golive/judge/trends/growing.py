"""Whether a series grows without end: steadily, by more than noise, and not as something that fills up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from golive.judge.trends.points import Sample, prepared
from golive.judge.trends.rising import mann_kendall
from golive.judge.trends.slope import SLOPE_MINIMUM, theil_sen

_GOES_ON = 0.25
"""In its later half a rise must be at least this share as steep as over all, or it is coming to its end."""


class Growth(NamedTuple):
    """How a series moved. `percent` is 0 unless it grows steadily, and infinite when it rises from 0.

    `how` says so in a word, `slope` is per hour, `hours` the time between its first and last point, and `p` how
    likely chance alone would be that steady.
    """

    percent: float
    how: str
    slope: float
    hours: float
    p: float
    points: int


def steady_growth(samples: Sequence[Sample], *, significance: float, noise: float, minimum: int) -> Growth:
    """How much the series grows along a steady rise that goes on.

    Values that go up and down are no leak, however far apart they end, and neither is a cache that fills up: its
    growth ends by itself. A rise by less than `noise`, in the value's own unit, is none. TooFewPoints below `minimum`.
    """
    line = theil_sen(samples, minimum=minimum)
    chance = mann_kendall(samples, minimum=minimum)
    ordered = prepared(samples, minimum)
    late = theil_sen(ordered[-max(SLOPE_MINIMUM, math.ceil(len(ordered) / 2)) :])
    risen, grown, how = line.slope * (line.end - line.begin), 0.0, "not steadily"
    if chance.rises(significance) and risen > 0:
        if late.slope < line.slope * _GOES_ON:
            how = "levelling off"
        elif risen < noise:
            how = "hardly"
        else:
            grown, how = line.growth_percent, "steadily"
    return Growth(grown, how, line.slope, line.end - line.begin, chance.p, chance.points)
