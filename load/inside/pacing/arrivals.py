"""The open model: when requests arrive, whoever is still busy with earlier ones. Pure."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from itertools import count

from load.inside.pacing.course import Course


class Arrivals:
    """The arrivals of one process: every `of`-th of all, from the `index`-th on, so that all of them are evenly spaced.

    In a Poisson process each has a stream of its own with its share of the rate; together they make up the whole one.
    """

    def __init__(self, course: Course, *, index: int = 0, of: int = 1, poisson: random.Random | None = None) -> None:
        areas = _drawn(poisson, of) if poisson else _even(index, of)
        self._times = course.times(areas)
        self._ahead: deque[float] = deque()
        self._over = False

    def claim(self) -> float | None:
        """The second of the next arrival, which is nobody else's from now on; None when no more come."""
        if not self._ahead and not self._draw():
            return None
        return self._ahead.popleft()

    def queued(self, now_s: float) -> int:
        """How many arrivals are due and claimed by nobody."""
        while (not self._ahead or self._ahead[-1] <= now_s) and self._draw():
            pass
        return len(self._ahead) - (1 if self._ahead and self._ahead[-1] > now_s else 0)

    def _draw(self) -> bool:
        if self._over:
            return False
        arrival = next(self._times, None)
        if arrival is None:
            self._over = True
            return False
        self._ahead.append(arrival)
        return True


def _even(index: int, of: int) -> Iterator[float]:
    for number in count(index, of):
        yield number + 0.5


def _drawn(source: random.Random, of: int) -> Iterator[float]:
    area = 0.0
    while True:
        area += source.expovariate(1.0) * of
        yield area
