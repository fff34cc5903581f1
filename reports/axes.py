"""Axes of the pictures in the reports: round ticks, and where a value lies. Pure geometry, no markup."""

from __future__ import annotations

import math
from dataclasses import dataclass

_CLOCK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_DECADE = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Mark:
    """A tick of an axis: where, in units of the picture, and what it says."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A drawing of `width` by `height` units with margins: x from 0 to `end`, y from `low` to `high`.

    `log`: the y axis is logarithmic; `low` must then be above 0.
    """

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float
    end: float
    log: bool = False

    def x(self, value: float) -> float:
        """Where `value` lies from the left; what is outside lies at the edge."""
        share = min(max(value / self.end, 0.0), 1.0) if self.end > 0 else 0.0
        return round(self.left + share * (self.width - self.left - self.right), 1)

    def y(self, value: float) -> float:
        """Where `value` lies from the top."""
        return round(self.floor - self._share(value) * (self.floor - self.top), 1)

    @property
    def floor(self) -> float:
        """Where the x axis lies from the top."""
        return self.height - self.bottom

    def _share(self, value: float) -> float:
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        return math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)


def nice_ticks(low: float, high: float, about: int = 3) -> list[float]:
    """Round numbers within `[low, high]`, roughly `about` of them."""
    raw = (high - low) / about
    if not raw > 0 or not math.isfinite(raw):
        return [low]
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Powers of ten within `[low, high]`, with 2 and 5 of each between them where there is room for them."""
    if not (0 < low <= high and math.isfinite(high)):
        return []
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [factor * 10.0**power for power in powers for factor in _DECADE]
    fitting = [tick for tick in fine if low * 0.999 <= tick <= high * 1.001]
    if len(fitting) <= most:
        return fitting
    whole = [tick for tick in fitting if round(math.log10(tick), 9).is_integer()]
    return whole[:: math.ceil(len(whole) / most)]


def clock_ticks(seconds: float, most: int = 6) -> list[int]:
    """Round moments from 0 up to `seconds`, at most `most` steps of them."""
    step = next((s for s in _CLOCK_STEPS if seconds / s <= most), math.ceil(seconds / most / 86400) * 86400)
    return list(range(0, math.floor(seconds) + 1, step))


def clock(seconds: float) -> str:
    """Time since the beginning as `0:05`, `12:30` or `1:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
