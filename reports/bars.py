"""A measured value against its limits as a small picture, with the same in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from golive.judge.limits import describe, judge, number
from golive.model import Measurement, Status

_MOST = 1e300
"""Beyond this, drawing would leave the range of floating point."""
_REACH = 3.0
"""A value further out than this many times the limit is drawn at the edge."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A stretch of the bar, in percent of its width."""

    start: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What is drawn: the value's fill, the marks of the limits, and the stretch that is not allowed.

    `torn_at` is where the fill is torn, because the value lies beyond the drawn scale.
    """

    fill: Zone
    forbidden: Zone | None
    critical: float | None
    warning: float | None
    status: Status
    torn_at: float | None
    words: str


def bar(measurement: Measurement) -> Bar | None:
    """The picture of a measurement, or None where there is no limit to hold it against."""
    limits = [x for x in (measurement.warning, measurement.critical) if x is not None and math.isfinite(x)]
    if not limits or not max(map(abs, [measurement.value, *limits])) < _MOST:
        return None
    low, high = _scale(measurement, limits)

    def at(value: float) -> float:
        return round(100 * ((min(max(value, low), high) - low) / (high - low)), 2)

    zero, value = at(0), at(measurement.value)
    return Bar(
        fill=Zone(start=min(zero, value), width=round(abs(value - zero), 2)),
        forbidden=_forbidden(measurement, at),
        critical=_mark(measurement.critical, at),
        warning=_mark(measurement.warning, at),
        status=judge(measurement),
        torn_at=None if low <= measurement.value <= high else 94.0 if measurement.value > high else 4.0,
        words=spoken(measurement),
    )


def spoken(measurement: Measurement) -> str:
    """The measurement as a sentence for those who do not see the bar."""
    judged = {Status.FAIL: "beyond its limit", Status.WARN: "beyond its warning limit"}
    return f"{measurement.name}: {describe(measurement)}; {judged.get(judge(measurement), 'within its limits')}"


def limit_words(measurement: Measurement) -> str:
    """The limits in words: `below 80 %, warning at 70 %`."""
    word = "at least" if measurement.better == "higher" else "at most" if measurement.inclusive else "below"
    needed = "" if measurement.critical is None else f"{word} {amount(measurement.critical, measurement.unit)}"
    wanted = "" if measurement.warning is None else amount(measurement.warning, measurement.unit)
    if needed and wanted:
        return f"{needed}, warning at {wanted}"
    return needed or (f"{word} {wanted} wanted" if wanted else "")


def amount(value: float, unit: str) -> str:
    """A value with its unit."""
    return f"{number(value)} {unit}".rstrip()


def _scale(measurement: Measurement, limits: list[float]) -> tuple[float, float]:
    reach = _REACH * max(abs(x) for x in limits) or max(1.0, abs(measurement.value))
    low = max(-reach, min(0.0, measurement.value, *limits))
    high = min(reach, max(0.0, measurement.value, *limits))
    if measurement.unit == "%" and low >= 0 and high <= 100:
        return 0.0, 100.0
    room = 0.12 * (high - low or 1.0)
    return (low - room if low < 0 else low), high + room


def _forbidden(measurement: Measurement, at: Callable[[float], float]) -> Zone | None:
    if measurement.critical is None or not math.isfinite(measurement.critical):
        return None
    limit = at(measurement.critical)
    if measurement.better == "higher":
        return Zone(start=0.0, width=limit)
    return Zone(start=limit, width=round(100 - limit, 2))


def _mark(limit: float | None, at: Callable[[float], float]) -> float | None:
    return None if limit is None or not math.isfinite(limit) else at(limit)
