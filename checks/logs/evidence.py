"""The logs show that it happened.

Why: a safeguard that leaves no trace in the log cannot be shown to have worked, nor an attack on it be followed.
When it fails: see whether the code path that should log still does, at a level that is kept.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

from fixtures.context import RunContext
from fixtures.logs import LogParams, LogWindow
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Duration
from golive.logs import Found, LogReading, Sought
from golive.logs.meaning.expected import Pattern

_SHOWN = 5
_PAUSE_S = 0.2
_MASKED = re.compile(r"[A-Za-z0-9+/_.=-]{24,}")


class Params(LogParams):
    pattern: Pattern = Field(description="regular expression of the lines that are looked for")
    at_least: int = Field(1, ge=1, description="how many such lines there must be")
    only_own: bool = Field(False, description="count only lines that the probes of this very run caused")
    within: Duration = Field(2.0, description="how long to wait for lines that are about to be written")
    forbid: Pattern | None = Field(None, description="regular expression that no line may match, such as a whole token")

    def sought(self) -> Sequence[Sought]:
        return tuple(Sought(pattern=pattern) for pattern in (self.pattern, self.forbid) if pattern is not None)


def test_logs_show_that_it_happened(
    criterion: Params, context: RunContext, log_window: LogWindow, measure: Measure, evidence: EvidenceSink
) -> None:
    reading, found = _awaited(criterion, log_window, context.run if criterion.only_own else "")
    evidence("lines", "\n".join(event.shown for event in found.events[-_SHOWN:]) or "none")
    whose = "of this run's probes " if criterion.only_own else ""
    count = len(found.events)
    # What could not be read may hold what is looked for.
    incomplete = reading.gap or found.incomplete if count < criterion.at_least else None
    if incomplete:
        measure.unknown(f"{count} lines found, {criterion.at_least} needed; {incomplete}")
    else:
        measure(
            count,
            unit="lines",
            subject=f"lines {whose}with /{criterion.pattern}/",
            name="lines",
            critical=criterion.at_least,
            better="higher",
        )
    if criterion.forbid is not None:
        _judge_forbidden(Sought(pattern=criterion.forbid), reading, measure, evidence)


def _awaited(criterion: Params, window: LogWindow, mark: str) -> tuple[LogReading, Found]:
    """The lines with `mark` in them, read again for a while as long as too few are there."""
    sought = Sought(pattern=criterion.pattern)
    deadline = time.monotonic() + criterion.within
    reading = window.read(fresh=True)
    while True:
        found = reading.find(sought)
        marked = replace(found, events=tuple(event for event in found.events if mark in event.raw))
        if len(marked.events) >= criterion.at_least or time.monotonic() >= deadline:
            return reading, marked
        time.sleep(_PAUSE_S)
        reading = window.read(fresh=True)


def _judge_forbidden(sought: Sought, reading: LogReading, measure: Measure, evidence: EvidenceSink) -> None:
    found = reading.find(sought)
    breaches, pattern = found.events, sought.expression
    # The line holds what must not be told, so it is not told here either.
    evidence("forbidden", "\n".join(_MASKED.sub("…", pattern.sub("…", e.shown)) for e in breaches[-_SHOWN:]) or "none")
    measure(
        len(breaches),
        unit="lines",
        subject="lines with what must not be in a log",
        name="forbidden lines",
        critical=0,
        inclusive=True,
        detail=f"in {', '.join(sorted({e.source for e in breaches}))}" if breaches else "",
    )
    if reading.gap or found.incomplete:
        measure.unknown(str(reading.gap or found.incomplete))
