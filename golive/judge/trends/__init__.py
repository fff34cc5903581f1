"""Whether a series of measurements rises, where it is heading, and whether its last value is usual. Pure.

A sample is `(hours, value)`: hours of watch time and a finite value. Nothing is computed on
fewer than a stated minimum of points: TooFewPoints says how many there are and how many it takes.
"""

from golive.judge.trends.counts import (
    SILENCE_MINIMUM,
    Fall,
    Reads,
    fell_silent,
    per_hour,
    recurring,
    went_backwards,
)
from golive.judge.trends.growing import Growth, steady_growth
from golive.judge.trends.points import MOST, Sample, TooFewPoints, prepared
from golive.judge.trends.rising import KENDALL_MINIMUM, Kendall, mann_kendall
from golive.judge.trends.slope import SLOPE_MINIMUM, Line, hours_to_reach, theil_sen
from golive.judge.trends.typical import CLOCK, Change, Key, compared, is_clock, typical
from golive.judge.trends.usual import USUAL_MINIMUM, Usual, times, usual

__all__ = [
    "CLOCK",
    "KENDALL_MINIMUM",
    "MOST",
    "SILENCE_MINIMUM",
    "SLOPE_MINIMUM",
    "USUAL_MINIMUM",
    "Change",
    "Fall",
    "Growth",
    "Kendall",
    "Key",
    "Line",
    "Reads",
    "Sample",
    "TooFewPoints",
    "Usual",
    "compared",
    "fell_silent",
    "hours_to_reach",
    "is_clock",
    "mann_kendall",
    "per_hour",
    "prepared",
    "recurring",
    "steady_growth",
    "theil_sen",
    "times",
    "typical",
    "usual",
    "went_backwards",
]
