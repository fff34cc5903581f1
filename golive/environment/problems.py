"""What is wrong in an environment: one line each, with the place, the fault and the nearest right name."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from golive.model import Place

_SHOWN = 50
_CHOICES = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One fault: where, and what, as a sentence."""

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class EnvironmentInvalid(Exception):
    """An environment that cannot be used; `problems` holds every fault that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=lambda p: (p.place.file, p.place.line, p.text)))
        lines = [_one_line(str(problem)) for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"… and {len(self.problems) - _SHOWN} more")
        super().__init__("\n".join(lines))


def unknown_name(noun: str, name: object, allowed: Iterable[str]) -> str:
    """`unknown host 'ap'. Did you mean 'app'? Allowed: app, db.`"""
    choices = sorted(set(allowed))
    near = difflib.get_close_matches(str(name), choices, n=1, cutoff=0.6)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(choices[:_CHOICES]) + (" …" if len(choices) > _CHOICES else "")
    return f"unknown {noun} {short(name)}.{hint} Allowed: {shown or 'none is defined'}."


def short(value: object, limit: int = 60) -> str:
    """A value as it would be typed, on one line and not longer than `limit`."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shown_path(file: Path) -> str:
    """The path as the user would type it from the current directory, where that is shorter."""
    try:
        relative = os.path.relpath(file)
    except ValueError:
        return str(file)
    return relative if not relative.startswith("..") else str(file)


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:600]
