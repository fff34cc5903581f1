"""What a picture of a load is made of: what goes in (Series, Level, Stage), and what is drawn (Chart)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.axes import Mark

Point = tuple[float, float | None]
"""Seconds since the beginning, and a value; None is a gap."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A named part of the time, in seconds since the beginning."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The time that all pictures of a load share. `stopped_s` is when it was stopped early, None if it was not."""

    end_s: float
    phases: tuple[Stretch, ...] = ()
    stopped_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Series:
    """What becomes one line: its class, what stands at its end, and its points in order of time."""

    css: str
    label: str
    points: Sequence[Point]


@dataclass(frozen=True, kw_only=True)
class Level:
    """A horizontal line, over all the time or from `start_s` to `end_s`: a limit, a warning, a baseline."""

    css: str
    label: str
    value: float
    start_s: float = 0.0
    end_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """A drawn line: SVG path data for each stretch without a gap, and where its name stands."""

    css: str
    label: str
    paths: tuple[str, ...]
    label_y: float


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A drawn level, and where its name stands."""

    css: str
    label: str
    x1: float
    x2: float
    y: float
    label_x: float = 0.0
    label_y: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle: a part of a bar, or a phase with its name (left out where it has no room)."""

    css: str
    x: float
    y: float
    width: float
    height: float
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One picture: what is drawn, and the same in words. `beyond` names the levels that have no room in it."""

    title: str
    unit: str
    log: bool
    words: str
    beyond: str
    ticks: tuple[Mark, ...]
    times: tuple[Mark, ...]
    phases: tuple[Box, ...]
    strokes: tuple[Stroke, ...] = ()
    rules: tuple[Rule, ...] = ()
    boxes: tuple[Box, ...] = ()
    stopped_x: float | None = None
