"""Lines that are known and accepted for a while, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from golive.environment.params import Moment, Strict
from golive.logs.event import LogEvent


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_compiles)]
"""A regular expression (Python's), looked for anywhere in a line."""


class Expected(Strict):
    """Lines that are known: what they look like, why they may be there, and until when."""

    pattern: Pattern
    reason: Annotated[str, Field(min_length=1)]
    expires: Moment | None = Field(None, description="from then on such lines are unexpected again")


def split(
    events: Iterable[LogEvent], expected: Sequence[Expected], *, now: datetime
) -> tuple[list[LogEvent], list[LogEvent]]:
    """(unexpected, expected) events; an entry that has expired covers nothing."""
    valid = [re.compile(entry.pattern) for entry in expected if entry.expires is None or entry.expires > now]
    unexpected: list[LogEvent] = []
    known: list[LogEvent] = []
    for event in events:
        (known if any(p.search(event.message) or p.search(event.raw) for p in valid) else unexpected).append(event)
    return unexpected, known
