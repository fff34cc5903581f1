"""A series as a small picture: points at their hours, limits as lines, gaps as gaps. Pure geometry, no markup."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from golive.judge.limits import number
from golive.judge.trends import TooFewPoints, mann_kendall, theil_sen
from golive.model import Status
from reports.axes import Frame, Mark, nice_ticks
from reports.bars import amount, limit_words
from reports.golive.views.series import Trace
from reports.text import plural

WIDTH, HEIGHT = 320, 128
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 16, 18
_MOST = 1e300
"""Beyond this, drawing would leave the range of floating point."""
_REACH = 3.0
"""A limit further away than this many times the farthest value is named and not drawn."""
_CHANCE = 0.05
"""A trend that chance alone shows this often is none."""
_HOUR_STEPS = (1, 2, 3, 4, 6, 12, 24, 48, 96, 168)
_MOST_HOURS = 5


@dataclass(frozen=True, slots=True)
class Spot:
    """One drawn value."""

    x: float
    y: float
    status: Status


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is drawn of one series. `beyond` says that the limit lies above or below what is drawn."""

    ticks: tuple[Mark, ...]
    hours: tuple[Mark, ...]
    lines: tuple[str, ...]
    spots: tuple[Spot, ...]
    critical: float | None
    warning: float | None
    baseline: float | None
    forbidden: tuple[float, float] | None
    beyond: str
    words: str


def picture(trace: Trace, hours: float) -> Picture | None:
    """The picture of a series over a watch of `hours`; None for values that cannot be drawn."""
    values = trace.values
    limit = _finite(trace.latest.critical)
    others = [v for v in (_finite(trace.latest.warning), _finite(trace.baseline)) if v is not None]
    if not values or max(map(abs, [*values, *others, limit or 0.0])) >= _MOST:
        return None
    drawn = limit if limit is not None and _near(limit, values) else None
    scale = _scale(values, [v for v in others if _near(v, values)], drawn, max(hours, *(d.hour for d in trace.dots)))
    return Picture(
        ticks=tuple(Mark(scale.y(tick), number(tick)) for tick in nice_ticks(scale.low, scale.high)),
        hours=tuple(_hour_marks(scale)),
        lines=tuple(_lines(trace, scale)),
        spots=tuple(Spot(scale.x(d.hour), scale.y(d.value), d.status) for d in trace.dots),
        critical=None if drawn is None else scale.y(drawn),
        warning=_line(trace.latest.warning, scale),
        baseline=_line(trace.baseline, scale),
        forbidden=None if drawn is None else _forbidden(scale.y(drawn), higher=trace.latest.better == "higher"),
        beyond="" if drawn is not None or limit is None else "above" if limit > max(values) else "below",
        words=_words(trace),
    )


def spread(trace: Trace) -> str:
    """The values in a few words: least and most, and the median."""
    low, high = min(trace.values), max(trace.values)
    if number(low) == number(high):
        return amount(high, trace.unit)
    return f"{number(low)}–{amount(high, trace.unit)}, median {amount(median(trace.values), trace.unit)}"  # noqa: RUF001


def slope(trace: Trace) -> str:
    """Whether it rises or falls steadily, and how fast; nothing where too few points were taken to tell."""
    samples = [(dot.hour, dot.value) for dot in trace.dots]
    try:
        trend, line = mann_kendall(samples), theil_sen(samples)
    except TooFewPoints:
        return ""
    if trend.p >= _CHANCE or line.slope == 0:
        return "no trend"
    return f"{'rises' if line.slope > 0 else 'falls'} {amount(abs(line.slope), trace.unit)} per hour"


def _scale(values: Sequence[float], others: Sequence[float], limit: float | None, hours: float) -> Frame:
    seen = [*values, *others, *([] if limit is None else [limit])]
    low, high = min(seen), max(seen)
    if low >= 0 and (limit is not None or low <= 0.6 * high):
        low = 0.0
    room = 0.08 * (high - low) or max(abs(high), 1.0) * 0.1
    return Frame(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=RIGHT,
        top=TOP,
        bottom=BOTTOM,
        low=low if low == 0 else low - room,
        high=high + room,
        end=hours,
    )


def _near(value: float, values: Sequence[float]) -> bool:
    """Whether drawing `value` too leaves room to see how `values` move."""
    reach = max(abs(v) for v in values)
    return abs(value) <= _REACH * reach or value == 0


def _lines(trace: Trace, scale: Frame) -> list[str]:
    """SVG path data, one for each stretch without a gap."""
    stretches: list[list[str]] = []
    for i, dot in enumerate(trace.dots):
        if i == 0 or i in trace.breaks:
            stretches.append([])
        stretches[-1].append(f"{scale.x(dot.hour):g} {scale.y(dot.value):g}")
    return ["M" + "L".join(points) for points in stretches if len(points) > 1]


def _forbidden(limit: float, *, higher: bool) -> tuple[float, float]:
    """Top and height of the stretch beyond the limit."""
    return (limit, round(HEIGHT - BOTTOM - limit, 1)) if higher else (TOP, round(limit - TOP, 1))


def _line(value: float | None, scale: Frame) -> float | None:
    finite = _finite(value)
    return scale.y(finite) if finite is not None and scale.low <= finite <= scale.high else None


def _hour_marks(scale: Frame) -> list[Mark]:
    step = next((s for s in _HOUR_STEPS if scale.end / s <= _MOST_HOURS), math.ceil(scale.end / _MOST_HOURS))
    marks = [float(i * step) for i in range(int(scale.end // step) + 1)]
    if len(marks) < 2:
        marks = [0.0, round(scale.end, 2)]
    return [Mark(scale.x(hour), f"{number(hour)}{' h' if hour == marks[-1] else ''}") for hour in marks]


def _words(trace: Trace) -> str:
    broken = sum(dot.status is Status.FAIL for dot in trace.dots)
    limits = limit_words(trace.latest)
    told = [f"{trace.name}: {plural(len(trace.dots), 'value', 'values')}, {spread(trace)}"]
    told += [limits] if limits else []
    told += [f"{broken} beyond the limit"] if broken else []
    told += [f"{plural(len(trace.breaks), 'gap', 'gaps')}"] if trace.breaks else []
    return "; ".join(told)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
