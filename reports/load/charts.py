"""Lines and stacked bars over the time of a load, with its phases behind them. Pure geometry, no markup."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from golive.judge.limits import number
from reports.axes import Frame, Mark, clock, clock_ticks, log_ticks, nice_ticks
from reports.bars import amount
from reports.load.parts import Box, Chart, Level, Rule, Series, Stage, Stretch, Stroke

WIDTH, HEIGHT = 520, 186
LEFT, RIGHT, TOP, BOTTOM = 46, 44, 28, 20
_MOST = 1e300
"""Beyond this, drawing would leave the range of floating point."""
_REACH = 3.0
"""A limit further away than this many times the largest value is named and not drawn."""
_LOGARITHMIC = 30.0
"""Where the largest value is this many times the smallest one, equal steps are equal factors."""
_LETTER = 6.0
"""About how wide a letter is."""
_LINE_APART = 11.0


def line_chart(
    title: str,
    unit: str,
    series: Sequence[Series],
    stage: Stage,
    levels: Sequence[Level] = (),
    *,
    may_log: bool = False,
) -> Chart | None:
    """Lines over time; None where there is nothing that can be drawn."""
    values = [value for one in series for _, value in one.points if value is not None]
    if not values or stage.end_s <= 0 or not all(0 <= value < _MOST for value in values):
        return None
    log = may_log and spans_decades(values)
    drawn = [level for level in levels if near(level.value, values, log=log)]
    frame = framed([*values, *(level.value for level in drawn)], stage.end_s, log=log)
    strokes = [_stroke(one, frame) for one in series if any(value is not None for _, value in one.points)]
    return Chart(
        title=title,
        unit=unit,
        log=log,
        words=_words(title, unit, series),
        beyond=beyond([(level.label, level.value) for level in levels if level not in drawn], values, unit),
        ticks=value_ticks(frame),
        times=_times(frame),
        phases=_phases(frame, stage),
        strokes=apart(strokes),
        rules=named_apart(_rule(level, frame, stage) for level in drawn),
        stopped_x=None if stage.stopped_s is None else frame.x(stage.stopped_s),
    )


def stacked_chart(
    title: str, unit: str, columns: Sequence[tuple[float, float, dict[str, float]]], stage: Stage
) -> Chart | None:
    """Bars over time: each column is its begin and end in seconds, and how high each class stands in it."""
    tallest = max((sum(parts.values()) for _, _, parts in columns), default=0.0)
    if tallest <= 0 or tallest >= _MOST or stage.end_s <= 0:
        return None
    frame = framed([0.0, tallest], stage.end_s, log=False)
    said = {css: max(parts.get(css, 0.0) for _, _, parts in columns) for _, _, all_ in columns for css in all_}
    return Chart(
        title=title,
        unit=unit,
        log=False,
        words=f"{title}: " + ", ".join(f"{css} up to {amount(value, unit)}" for css, value in said.items()),
        beyond="",
        ticks=value_ticks(frame),
        times=_times(frame),
        phases=_phases(frame, stage),
        boxes=tuple(box for column in columns for box in _column(column, frame)),
        stopped_x=None if stage.stopped_s is None else frame.x(stage.stopped_s),
    )


def path_data(points: Iterable[tuple[float, float] | None]) -> tuple[str, ...]:
    """SVG path data of drawn points, a path for each stretch without a gap (None); a lone point is a small ring."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            stretches.append([])
        else:
            stretches[-1].append(point)
    return tuple(_path(stretch) for stretch in stretches if stretch)


def named_apart(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The same with a place for each name: above its line (below it at the top), right of names that are there."""
    found: list[Rule] = []
    for rule in sorted(rules, key=lambda r: r.y):
        x = rule.x1 + 3
        y = round(rule.y - 3 if rule.y > TOP + _LINE_APART else rule.y + _LINE_APART, 1)
        for other in sorted(found, key=lambda r: r.label_x):
            end = other.label_x + _LETTER * len(other.label)
            if abs(other.label_y - y) < _LINE_APART and other.label_x <= x + _LETTER * len(rule.label) and x <= end:
                x = round(end + _LETTER, 1)
        found.append(replace(rule, label_x=x, label_y=y))
    return tuple(found)


def _path(points: Sequence[tuple[float, float]]) -> str:
    if len(points) == 1:
        x, y = points[0]
        return f"M{x - 1.5:g} {y:g}a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0 -3 0"
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def framed(values: Sequence[float], end: float, *, log: bool) -> Frame:
    """The frame in which `values` and an x axis up to `end` have room; logarithmic from the smallest above 0 on."""
    high = max(values)
    return Frame(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=RIGHT,
        top=TOP,
        bottom=BOTTOM,
        low=min(value for value in values if value > 0) / 1.2 if log else 0.0,
        high=high * (1.3 if log else 1.08) or 1.0,
        end=end,
        log=log,
    )


def spans_decades(values: Sequence[float]) -> bool:
    """Whether equal factors tell more than equal steps."""
    low = min((value for value in values if value > 0), default=0.0)
    return low > 0 and max(values) > _LOGARITHMIC * low


def near(value: float, values: Sequence[float], *, log: bool) -> bool:
    """Whether drawing `value` too leaves room to see how `values` move."""
    if not math.isfinite(value) or value < 0 or (log and value <= 0):
        return False
    return value <= max(values) * (10 if log else _REACH)


def value_ticks(frame: Frame) -> tuple[Mark, ...]:
    """The ticks of the y axis."""
    found = log_ticks(frame.low, frame.high) if frame.log else nice_ticks(frame.low, frame.high, about=4)
    return tuple(Mark(frame.y(tick), number(tick)) for tick in found)


def _times(frame: Frame) -> tuple[Mark, ...]:
    return tuple(Mark(frame.x(tick), clock(tick)) for tick in clock_ticks(frame.end))


def _phases(frame: Frame, stage: Stage) -> tuple[Box, ...]:
    return tuple(_phase(phase, frame, odd=i % 2 == 1) for i, phase in enumerate(stage.phases))


def _phase(phase: Stretch, frame: Frame, *, odd: bool) -> Box:
    x, end = frame.x(phase.start_s), frame.x(phase.end_s)
    fits = len(phase.name) * _LETTER <= end - x
    return Box(
        css="phase-odd" if odd else "phase",
        x=x,
        y=frame.top,
        width=round(end - x, 1),
        height=frame.floor - frame.top,
        label=phase.name if fits else "",
    )


def _stroke(series: Series, frame: Frame) -> Stroke:
    drawn = [None if value is None else (frame.x(at), frame.y(value)) for at, value in series.points]
    last = next(point for point in reversed(drawn) if point is not None)
    return Stroke(css=series.css, label=series.label, paths=path_data(drawn), label_y=last[1] + 3.5)


def apart(strokes: Iterable[Stroke]) -> tuple[Stroke, ...]:
    """The same with names that do not lie upon each other: from the lowest one up, each at least a line higher."""
    found: list[Stroke] = []
    room = HEIGHT - BOTTOM + 4.0
    for stroke in sorted(strokes, key=lambda s: -s.label_y):
        at = min(stroke.label_y, room)
        room = at - _LINE_APART
        found.append(replace(stroke, label_y=round(at, 1)))
    return tuple(found)


def _rule(level: Level, frame: Frame, stage: Stage) -> Rule:
    end = stage.end_s if level.end_s is None else level.end_s
    return Rule(css=level.css, label=level.label, x1=frame.x(level.start_s), x2=frame.x(end), y=frame.y(level.value))


def _column(column: tuple[float, float, dict[str, float]], frame: Frame) -> list[Box]:
    start, end, parts = column
    left, right = frame.x(start), frame.x(end)
    boxes: list[Box] = []
    stood = 0.0
    for css, value in parts.items():
        if value > 0:
            bottom, top = frame.y(stood), frame.y(stood + value)
            boxes.append(
                Box(
                    css=f"e-{css}",
                    x=left,
                    y=top,
                    width=max(round(right - left - 0.4, 1), 0.8),
                    height=round(bottom - top, 1),
                )
            )
            stood += value
    return boxes


def beyond(levels: Iterable[tuple[str, float]], values: Sequence[float], unit: str) -> str:
    """In words the levels (name and value) that have no room in a picture of `values`."""
    told: dict[str, list[str]] = {}
    for label, value in levels:
        told.setdefault("above" if value > max(values) else "below", []).append(f"{label} {amount(value, unit)}")
    return "; ".join(f"{side} the picture: {', '.join(dict.fromkeys(names))}" for side, names in told.items())


def _words(title: str, unit: str, series: Sequence[Series]) -> str:
    told = []
    for one in series:
        values = [value for _, value in one.points if value is not None]
        if values:
            told.append(f"{one.label} {number(min(values))} to {amount(max(values), unit)}")
    return f"{title}: " + "; ".join(told)
