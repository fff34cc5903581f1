"""What a criterion looks for in lines of any level, and the fixed texts by which a host can pick such lines. Pure."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from golive.logs.event import LogEvent

_SHORTEST = 2
_MOST_TEXTS = 40
_parser: Any = importlib.import_module("re._parser")
_constants: Any = importlib.import_module("re._constants")


@dataclass(frozen=True, kw_only=True)
class Sought:
    """Lines that a criterion looks for: those that `pattern` (Python's) is found in, or that hold one of `words`.

    Words are lower case and ASCII, and are found in any case. `narrow` is an extended regular expression (POSIX) that
    every line which matters matches too; where lines are picked on a host it spares the others the journey.
    """

    pattern: str = ""
    words: tuple[str, ...] = ()
    narrow: str = ""

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """What finds such a line here."""
        return re.compile(self.pattern or "|".join(map(re.escape, self.words)), 0 if self.pattern else re.IGNORECASE)

    @cached_property
    def texts(self) -> Texts | None:
        """Texts of which every such line holds at least one; None when the expression has none."""
        return Texts(parts=self.words, any_case=True) if not self.pattern else _texts_of(self.expression)

    @property
    def told(self) -> str:
        """How it is named in a message."""
        return f"/{self.pattern}/" if self.pattern else f"lines with {', '.join(self.words[:3])} …"


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """Fixed texts, of which a line must hold one."""

    parts: tuple[str, ...]
    any_case: bool


@dataclass(frozen=True, kw_only=True)
class Found:
    """The lines that were found; `incomplete` says why there may be more, None when these are all (or the limit's)."""

    events: tuple[LogEvent, ...] = ()
    incomplete: str | None = None


@dataclass
class _Run:
    """Parts of a concatenation while they are walked through: `text` is what is certain to stand together."""

    text: str = ""
    best: tuple[str, ...] | None = None
    any_case: bool = field(default=False)

    def offer(self, parts: Iterable[str]) -> None:
        """Take `parts` as what a match holds one of, if that says more than what was known."""
        found = tuple(dict.fromkeys(parts))
        if not found or len(found) > _MOST_TEXTS or min(map(len, found)) < _SHORTEST:
            return
        if self.best is None or min(map(len, found)) > min(map(len, self.best)):
            self.best = found

    def end(self) -> None:
        """What comes next need not stand beside `text`."""
        self.offer([self.text] if self.text else [])
        self.text = ""


def _texts_of(expression: re.Pattern[str]) -> Texts | None:
    try:
        parsed = _parser.parse(expression.pattern, expression.flags & ~re.DEBUG)
        any_case = bool((parsed.state.flags | expression.flags) & re.IGNORECASE)
        run = _Run(any_case=any_case)
        _walk(parsed, run)
    except (re.error, RecursionError, AttributeError, TypeError):
        return None
    run.end()
    if run.best is None or (run.any_case and not all(map(str.isascii, run.best))):
        return None
    return Texts(parts=run.best, any_case=run.any_case) if not any("\n" in part for part in run.best) else None


def _walk(parsed: Any, run: _Run) -> None:
    """Follow one concatenation; whatever is not certain to be there ends the text that is."""
    for kind, value in parsed:
        if kind is _constants.LITERAL:
            run.text += chr(value)
        elif kind is _constants.AT:
            continue
        elif kind is _constants.SUBPATTERN:
            _into_group(value, run)
        elif kind is _constants.BRANCH:
            run.end()
            run.offer(_of_branches(value[1], run))
        elif kind in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and value[0] >= 1:
            run.end()
            _walk(value[2], run)
            run.end()
        else:
            run.end()


def _into_group(value: Sequence[Any], run: _Run) -> None:
    _, added, _, inner = value
    if added & re.IGNORECASE:
        run.any_case = True
    _walk(inner, run)


def _of_branches(branches: Iterable[Any], run: _Run) -> list[str]:
    """One text of every branch; none at all if a branch has none."""
    found: list[str] = []
    for branch in branches:
        inner = _Run(any_case=run.any_case)
        _walk(branch, inner)
        inner.end()
        run.any_case = run.any_case or inner.any_case
        if inner.best is None:
            return []
        found += inner.best
    return found
