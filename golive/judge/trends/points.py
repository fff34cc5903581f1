"""Samples in order, one for each moment, and not more than can be compared pair by pair."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby
from statistics import median

Sample = tuple[float, float]
"""Hours of watch time, and the value measured then."""
MOST = 200
"""Longer series are thinned to this many samples, as pairs are compared: 19900 of them."""


class TooFewPoints(Exception):
    """A series is too short for what is asked of it: it has `have` points and takes `need`."""

    def __init__(self, have: int, need: int) -> None:
        super().__init__(f"{have} of at least {need} points")
        self.have = have
        self.need = need


def prepared(samples: Iterable[Sample], minimum: int, *, most: int = MOST) -> list[Sample]:
    """The samples by time, those of the same moment as their median, thinned to `most`.

    Thinning keeps the first, the last, and in between every n-th as evenly as whole positions
    allow, whatever the values are. TooFewPoints on fewer moments than `minimum`; ValueError on
    a time or value that is no number.
    """
    ordered = sorted(samples)
    if not all(math.isfinite(hours) and math.isfinite(value) for hours, value in ordered):
        raise ValueError("a series holds a time or a value that is no number")
    moments = [(hours, float(median(v for _, v in same))) for hours, same in groupby(ordered, key=lambda s: s[0])]
    if len(moments) < minimum:
        raise TooFewPoints(len(moments), minimum)
    if len(moments) <= most:
        return moments
    last = len(moments) - 1
    return [moments[round(place * last / (most - 1))] for place in range(most)]
