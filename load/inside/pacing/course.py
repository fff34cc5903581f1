"""How high the load is at what time: straight lines between points. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class _Leg:
    """A straight line from `(from_s, low)` to `(to_s, high)`; `before`: the area under all earlier ones."""

    from_s: float
    to_s: float
    low: float
    high: float
    before: float

    @property
    def area(self) -> float:
        return (self.low + self.high) / 2 * (self.to_s - self.from_s)

    def level(self, at_s: float) -> float:
        return self.low + (self.high - self.low) * (at_s - self.from_s) / (self.to_s - self.from_s)

    def when(self, area: float) -> float:
        """The time at which the area under this line comes to `area`."""
        slope = (self.high - self.low) / (self.to_s - self.from_s)
        root = math.sqrt(max(0.0, self.low * self.low + 2 * slope * area))
        return min(self.to_s, self.from_s + 2 * area / (self.low + root)) if self.low + root else self.to_s


class Course:
    """Two points at the same second are a jump: from that second on the later one holds."""

    def __init__(self, levels: Sequence[tuple[float, float]]) -> None:
        self._legs: list[_Leg] = []
        area = 0.0
        for (from_s, low), (to_s, high) in pairwise(levels):
            if to_s > from_s:
                leg = _Leg(from_s, to_s, low, high, area)
                area += leg.area
                self._legs.append(leg)
        self._starts = [leg.from_s for leg in self._legs]
        self.end_s = self._legs[-1].to_s if self._legs else 0.0
        self.area = area

    def at(self, at_s: float) -> float:
        """The level at that second; 0 before the first point and from the last one on."""
        index = bisect_right(self._starts, at_s) - 1
        return self._legs[index].level(at_s) if index >= 0 and at_s < self.end_s else 0.0

    def mean(self, from_s: float, to_s: float) -> float:
        """The average level of a time in which the line is straight."""
        last = [leg for leg in self._legs if leg.from_s < to_s <= leg.to_s]
        high = last[0].level(to_s) if last else 0.0
        return (self.at(from_s) + high) / 2

    def next_bend(self, after_s: float) -> float:
        """The next second at which the line bends or ends; `end_s` when there is none."""
        return next((leg.to_s for leg in self._legs if leg.to_s > after_s), self.end_s)

    def times(self, areas: Iterator[float]) -> Iterator[float]:
        """For each of the rising `areas` the second at which the area under the line comes to it, until its end."""
        legs = iter(self._legs)
        leg = next(legs, None)
        for area in areas:
            while leg is not None and area >= leg.before + leg.area:
                leg = next(legs, None)
            if leg is None:
                return
            yield leg.when(area - leg.before)
