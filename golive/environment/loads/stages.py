"""The shape of a load: stages as they are written, and the level and phases that follow from them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from golive.environment.loads.values import Level, Rate, Users
from golive.environment.params import Duration, Strict
from golive.model import Phase

Kind = Literal["ramp", "hold", "spike", "steps", "soak"]
KINDS: tuple[Kind, ...] = ("ramp", "hold", "spike", "steps", "soak")
Point = tuple[float, float]
"""Seconds after the load began, and the level (users, or requests per second) at that time."""
_Length = Annotated[Duration, Field(gt=0)]


class Stage(Strict):
    """A part of the shape of a load; which one is told by the key that carries its duration."""

    ramp: _Length | None = Field(None, description="goes evenly from where it is to `users` or `rate` in this time")
    hold: _Length | None = Field(None, description="stays where it is for this time")
    spike: _Length | None = Field(None, description="at once to `users` or `rate` for this time, and at once back")
    steps: _Length | None = Field(None, description="one step (`by`) more, each for this time, up to `until`")
    soak: _Length | None = Field(None, description="as `hold`, named so in reports")
    users: Users | None = Field(None, description="how many users (closed model)")
    rate: Rate | None = Field(None, description="requests that begin in a second (open model)")
    by: Level | None = Field(None, description="how much one step adds: a number of users, or a rate")
    until: Level | None = Field(None, description="the level of the last step: a number of users, or a rate")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"a stage is one of {', '.join(KINDS)}, as in '{{ramp: 10 s, users: 20}}'")
        levels = [key for key in ("users", "rate", "by", "until") if getattr(self, key) is not None]
        if (wrong := _wrong_levels(given[0], levels)) is not None:
            raise ValueError(wrong)
        if self.by is not None and self.until is not None and self.by.is_rate != self.until.is_rate:
            raise ValueError("'by' and 'until' are both numbers of users or both rates")
        return self

    @property
    def kind(self) -> Kind:
        """What it does: ramp, hold, spike, steps or soak."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def duration(self) -> float:
        """Seconds that it was written with: of one step, where it has several."""
        return float(getattr(self, self.kind))

    @property
    def target(self) -> float | None:
        """The users or requests per second that it goes to; None where it stays (`hold`, `soak`)."""
        return self.until.amount if self.until is not None else self.rate if self.users is None else float(self.users)

    @property
    def is_rate(self) -> bool | None:
        """Whether its target is a rate; None where it has no target."""
        if self.until is not None:
            return self.until.is_rate
        return None if self.target is None else self.rate is not None


def _wrong_levels(kind: Kind, levels: list[str]) -> str | None:
    """What is wrong with the levels that a stage was given."""
    if kind == "steps":
        right, wish = levels == ["by", "until"], "needs 'by' and 'until', as in '{steps: 10 s, by: 10, until: 100}'"
    elif kind in ("hold", "soak"):
        right, wish = not levels, "stays at the level before it and takes none of its own"
    else:
        right, wish = levels in (["users"], ["rate"]), f"needs 'users' or 'rate', as in '{{{kind}: 10 s, users: 20}}'"
    return None if right else f"'{kind}' {wish}"


def number_of_steps(stage: Stage, before: float) -> int:
    """How many steps a stage of steps has that follows the level `before`; 0 if `until` lies no higher."""
    if stage.by is None or stage.until is None or stage.until.amount <= before:
        return 0
    # Rounded, since tenths of a request per second do not add up exactly.
    return max(1, math.ceil(round((stage.until.amount - before) / stage.by.amount, 6)))


def _steps(stage: Stage, before: float) -> Iterator[float]:
    """The level of each step."""
    for number in range(number_of_steps(stage, before)):
        if stage.by is not None and stage.until is not None:
            yield min(before + stage.by.amount * (number + 1), stage.until.amount)


def _pieces(stages: Sequence[Stage]) -> Iterator[tuple[Kind, float, float, float, float]]:
    """(kind, duration, level at its beginning, level up to its end, level right after it) of each phase."""
    level = 0.0
    for stage in stages:
        kind, target = stage.kind, stage.target
        if kind == "steps":
            for step in _steps(stage, level):
                yield kind, stage.duration, step, step, step
            level = max(level, target or 0.0)
        elif kind == "spike" and target is not None:
            yield kind, stage.duration, target, target, level
        elif kind == "ramp" and target is not None:
            yield kind, stage.duration, level, target, target
            level = target
        else:
            yield kind, stage.duration, level, level, level


def phases_of(stages: Sequence[Stage]) -> list[Phase]:
    """The phases in order of time, numbered by kind; each step of `steps` is a phase of its own."""
    found: list[Phase] = []
    numbers: Counter[str] = Counter()
    for kind, duration, _, level, _ in _pieces(stages):
        numbers[kind] += 1
        start = found[-1].end_s if found else 0.0
        name = f"{kind} {numbers[kind]}"
        found.append(Phase(kind=kind, name=name, start_s=start, end_s=start + duration, level=level))
    return found


def points_of(stages: Sequence[Stage]) -> list[Point]:
    """The level over time, straight between the points; where it jumps, two points have the same time."""
    points: list[Point] = []
    at = 0.0
    for _, duration, begin, end, _ in _pieces(stages):
        points += [point for point in ((at, begin),) if points[-1:] != [point]]
        at += duration
        points.append((at, end))
    return points


def level_at(points: Sequence[Point], elapsed_s: float) -> float:
    """The level at that time: where it jumps the later one, 0 before the first and from the last point on."""
    if not points or elapsed_s < points[0][0] or elapsed_s >= points[-1][0]:
        return 0.0
    later = next(i for i, (at, _) in enumerate(points) if at > elapsed_s)
    (start, low), (end, high) = points[later - 1], points[later]
    return low + (high - low) * (elapsed_s - start) / (end - start)
