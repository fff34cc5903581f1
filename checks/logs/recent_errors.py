"""The most recent errors are collected, and each has been reviewed.

Why: errors that nobody reads are normal after a week, and then the one that matters is normal too.
When it fails: review the lines in the evidence: fix the cause, or add a pattern to `accepted` with a reason.
"""

from datetime import datetime

from pydantic import Field

from fixtures.logs import LogParams
from fixtures.measure import EvidenceSink, Measure
from golive.logs import LogReading
from golive.logs.levels import CRITICAL, ERROR
from golive.logs.meaning.expected import Expected, split


class Params(LogParams):
    lines: int = Field(10, ge=1, le=200, description="how many are collected of each source")
    review: bool = Field(True, description="an error that no pattern of `accepted` matches fails")
    accepted: tuple[Expected, ...] = ()


def test_recent_errors_are_collected_and_reviewed(
    criterion: Params, log_reading: LogReading, measure: Measure, evidence: EvidenceSink, now: datetime
) -> None:
    errors = log_reading.of_level(ERROR, CRITICAL)
    for source in log_reading.sources:
        last = [event for event in errors if event.source == source][-criterion.lines :]
        if last:
            evidence(f"last errors of {source}", "\n".join(event.shown for event in last))
    new, accepted = split(errors, criterion.accepted, now=now)
    told = f", the last: [{new[-1].source}] {new[-1].told}" if new else ""
    measure(
        len(new),
        unit="errors",
        subject="not reviewed",
        name="errors not reviewed",
        critical=0 if criterion.review else None,
        inclusive=True,
        samples=len(errors),
        detail=f"{len(accepted)} accepted{told}",
    )
    unseen = log_reading.not_at_hand(ERROR, CRITICAL) if criterion.review and not new else None
    if unseen is not None:
        measure.unknown(f"errors: {unseen}")
    if log_reading.gap is not None:
        measure.unknown(log_reading.gap)
