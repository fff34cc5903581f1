"""A series as a small plot for a terminal: braille dots where they can be shown, else ASCII. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

_BRAILLE = 0x2800
# The eight dots of a braille character by column and row, as Unicode numbers their bits.
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_FARTHEST = 4.0
"""A limit that lies so many times the spread of the values away is told and not drawn: it would flatten them."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One value with the limits it was judged by."""

    at: datetime
    value: float
    warning: float | None = None
    critical: float | None = None


@dataclass(frozen=True, slots=True)
class _Style:
    """How many dots a character has in each direction, and what else is drawn."""

    across: int
    up: int
    limits: dict[str, str]
    corner: str
    edge: str


_UNICODE = _Style(2, 4, {"warning": "┄", "critical": "━"}, "└", "│")
_ASCII = _Style(1, 1, {"warning": "-", "critical": "="}, "+", "|")


def plot(dots: Sequence[Dot], *, width: int, height: int = 8, unicode: bool = True) -> list[str]:
    """The finite values over time as lines of at most `width` characters; none if there is no finite value.

    Values that fall into one column are drawn from the smallest to the largest. Limits are drawn where they were in
    force, unless they lie far from all values.
    """
    seen = sorted((d for d in dots if math.isfinite(d.value)), key=lambda d: d.at)
    if not seen:
        return []
    style = _UNICODE if unicode else _ASCII
    low, high = _range(seen)
    labels = [_number(high), _number(low)]
    margin = max(map(len, labels))
    columns = max(8, width - margin - 2)
    cells = _cells(seen, low, high, columns, height, style)
    lines = []
    for row, line in enumerate(cells):
        label = labels[0] if row == 0 else labels[1] if row == height - 1 else ""
        lines.append(f"{label:>{margin}} {style.edge}{line}".rstrip())
    lines.append(f"{'':{margin}} {style.corner}{_axis(seen, columns)}")
    return lines


def marks(*, unicode: bool = True) -> Mapping[str, str]:
    """What stands for the line of each limit."""
    return (_UNICODE if unicode else _ASCII).limits


def far_limits(dots: Sequence[Dot]) -> list[str]:
    """The last limits, if they are not drawn: `critical 80`."""
    seen = [d for d in dots if math.isfinite(d.value)]
    if not seen:
        return []
    low, high = _range(seen)
    last = max(seen, key=lambda d: d.at)
    named = (("warning", last.warning), ("critical", last.critical))
    return [f"{name} {_number(x)}" for name, x in named if x is not None and not low <= x <= high]


def _range(seen: Sequence[Dot]) -> tuple[float, float]:
    """The lowest and highest value that is drawn, limits that are near enough among them."""
    values = [d.value for d in seen]
    low, high = min(values), max(values)
    spread = (high - low) or abs(high) or 1.0
    limits = [x for d in seen for x in (d.warning, d.critical) if x is not None and math.isfinite(x)]
    near = [x for x in limits if low - _FARTHEST * spread <= x <= high + _FARTHEST * spread]
    low, high = min([low, *near]), max([high, *near])
    return (low, high) if high > low else (low - abs(low or 1.0), high + abs(high or 1.0))


def _cells(seen: Sequence[Dot], low: float, high: float, columns: int, height: int, style: _Style) -> Iterator[str]:
    across, up = columns * style.across, height * style.up
    level = _scale(low, high, up)
    place = _places(seen, across)
    lowest: dict[int, int] = {}
    highest: dict[int, int] = {}
    limits: dict[tuple[int, int], str] = {}
    at_limit = _limits_by_column(seen, place, columns, style)
    for dot, x in zip(seen, place, strict=True):
        y = level(dot.value)
        lowest[x], highest[x] = min(y, lowest.get(x, y)), max(y, highest.get(x, y))
    for column, named in enumerate(at_limit):
        for mark, value in named:
            if low <= value <= high:
                limits[column, level(value) // style.up] = mark
    for row in reversed(range(height)):
        yield "".join(_cell(column, row, lowest, highest, limits, style) for column in range(columns))


def _cell(
    column: int,
    row: int,
    lowest: dict[int, int],
    highest: dict[int, int],
    limits: dict[tuple[int, int], str],
    style: _Style,
) -> str:
    bits = 0
    for dx in range(style.across):
        x = column * style.across + dx
        for dy in range(style.up):
            y = row * style.up + dy
            if x in lowest and lowest[x] <= y <= highest[x]:
                bits |= _BITS[dx][3 - dy] if style.up == 4 else 1
    if not bits:
        return limits.get((column, row), " ")
    return chr(_BRAILLE + bits) if style.up == 4 else "*"


def _limits_by_column(
    seen: Sequence[Dot], place: Sequence[int], columns: int, style: _Style
) -> list[list[tuple[str, float]]]:
    """What is in force in each column: the limits of the last value up to it; before the first, its own."""
    found, index = [], 0
    for column in range(columns):
        while index + 1 < len(seen) and place[index + 1] // style.across <= column:
            index += 1
        named = (("warning", seen[index].warning), ("critical", seen[index].critical))
        found.append([(style.limits[name], x) for name, x in named if x is not None and math.isfinite(x)])
    return found


def _scale(low: float, high: float, up: int) -> Callable[[float], int]:
    # Halved first: the distance between two finite numbers may be infinite.
    span = high / 2 - low / 2
    return lambda value: round((value / 2 - low / 2) / span * (up - 1))


def _places(seen: Sequence[Dot], across: int) -> list[int]:
    """The column of each value, by its time; all in the middle if they are of one moment."""
    begin, whole = seen[0].at, (seen[-1].at - seen[0].at).total_seconds()
    if not whole:
        return [across // 2] * len(seen)
    return [round((d.at - begin).total_seconds() / whole * (across - 1)) for d in seen]


def _axis(seen: Sequence[Dot], columns: int) -> str:
    pattern = "%Y-%m-%d %H:%MZ"
    begin, end = (f"{seen[i].at:{pattern}}" for i in (0, -1))
    return f"{begin}{end:>{columns - len(begin)}}" if columns > len(begin) + len(end) and begin != end else begin


def _number(value: float) -> str:
    return f"{value:.6g}"
