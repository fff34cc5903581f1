"""Values of good runs as something to compare with, and how far another run is from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from golive.model import Measurement, Outcome, Status

Key = tuple[str, str, str]
"""Criterion, name of the measurement, unit."""
CLOCK = " up"
"""How the name of a measurement ends that tells how long something has been up."""
_GOOD = (Status.PASS, Status.WARN)


def is_clock(name: str, unit: str) -> bool:
    """Whether a measurement tells how long something has been up: that always grows, and nothing follows from it."""
    return name.endswith(CLOCK) and unit == "s"


def typical(runs: Iterable[Sequence[Outcome]]) -> dict[Key, tuple[float, int]]:
    """The median of each value over runs, and out of how many runs it is.

    Left out are criteria that did not hold (also where that was waived), checks that look back
    themselves, how long services have been up, and values that are no number.
    """
    values: dict[Key, list[float]] = {}
    for outcomes in runs:
        once: dict[Key, list[float]] = {}
        for key, measurement in _comparable(o for o in outcomes if o.status in _GOOD):
            once.setdefault(key, []).append(measurement.value)
        for key, found in once.items():
            values.setdefault(key, []).append(median(found))
    return {key: (float(median(found)), len(found)) for key, found in values.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A value beside the one of the baseline. `percent` is infinite where the baseline is 0 and the value is not."""

    criterion: str
    name: str
    unit: str
    value: float
    base: float
    better: Literal["lower", "higher"]

    @property
    def percent(self) -> float:
        """How much it is above (below: negative) the baseline, in percent of it."""
        if self.value == self.base:
            return 0.0
        if self.base == 0:
            return math.copysign(math.inf, self.value)
        return 100 * (self.value - self.base) / abs(self.base)

    @property
    def worse_percent(self) -> float:
        """The same, counted in the bad direction."""
        return -self.percent if self.better == "higher" else self.percent

    @property
    def word(self) -> str:
        """`worse`, `better` or `same`."""
        if self.value == self.base:
            return "same"
        return "worse" if self.worse_percent > 0 else "better"


def compared(outcomes: Iterable[Outcome], base: Mapping[Key, float]) -> list[Change]:
    """Every value of a run that the baseline has as well, the one that is worst first."""
    found = [
        Change(criterion=key[0], name=key[1], unit=key[2], value=m.value, base=base[key], better=m.better)
        for key, m in _comparable(outcomes)
        if key in base
    ]
    return sorted(found, key=lambda change: (-change.worse_percent, change.criterion, change.name))


def _comparable(outcomes: Iterable[Outcome]) -> Iterator[tuple[Key, Measurement]]:
    for outcome in outcomes:
        if (outcome.check or "").startswith("history/"):
            continue
        for m in outcome.measurements:
            if math.isfinite(m.value) and not is_clock(m.name, m.unit):
                yield (outcome.criterion, m.name, m.unit), m
