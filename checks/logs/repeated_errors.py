"""No error repeats.

Why: the same error many times, each time with another number in it, is one fault that goes on.
When it fails: the template names what repeats, the evidence has an example of each; fix the cause, not the line.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from fixtures.logs import LogParams
from fixtures.measure import EvidenceSink, Measure
from golive.logs import LogReading
from golive.logs.event import LogEvent
from golive.logs.levels import CRITICAL, ERROR
from golive.logs.meaning.expected import Expected, split
from golive.logs.meaning.patterns import Pattern, group
from golive.model import Measurement

_SHOWN = 10
_NAMED = 3
_LONGEST = 160


class Params(LogParams):
    times: int = Field(3, ge=2, description="a pattern that occurs this often repeats")
    accepted: tuple[Expected, ...] = ()


def test_no_error_repeats(
    criterion: Params, log_reading: LogReading, measure: Measure, evidence: EvidenceSink, now: datetime
) -> None:
    errors, _ = split(log_reading.of_level(ERROR, CRITICAL), criterion.accepted, now=now)
    patterns = _patterns(errors)
    evidence(
        "patterns", "\n".join(f"{p.count}x {p.template}\n    {p.example[:400]}" for p in patterns[:_SHOWN]) or "none"
    )
    for p in patterns[:_SHOWN]:
        # One course for each pattern, so that one that comes back at a later look is known again.
        name = f"pattern {p.template[:_LONGEST]}"
        measure.measurements.append(Measurement(name=name, value=p.count, unit="lines"))
    repeated = [pattern for pattern in patterns if pattern.count >= criterion.times]
    measure(
        len(repeated),
        unit="patterns",
        subject=f"seen {criterion.times} times or more",
        name="repeated patterns",
        critical=0,
        inclusive=True,
        samples=len(errors),
        detail=", ".join(f"{p.count}x '{p.template[:_LONGEST]}'" for p in repeated[:_NAMED]),
    )
    unseen = log_reading.not_at_hand(ERROR, CRITICAL) if not repeated else None
    if unseen is not None:
        measure.unknown(f"errors: {unseen}")
    if log_reading.gap is not None:
        measure.unknown(log_reading.gap)


def _patterns(errors: Sequence[LogEvent]) -> list[Pattern]:
    return group(f"[{event.source}] {event.message}" for event in errors)
