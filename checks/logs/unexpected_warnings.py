"""Every warning is of an expected kind.

Why: a kind of warning that was never seen is news, and drowns among the known ones unless these are listed.
When it fails: read the line; act on it, or add its pattern to `expected` with a reason and an expiry.
"""

from datetime import datetime

from fixtures.logs import LogParams
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count
from golive.logs import LogReading
from golive.logs.levels import WARNING
from golive.logs.meaning.expected import Expected, split
from golive.logs.meaning.patterns import group

_SHOWN = 10
_NAMED = 3


class Params(LogParams):
    expected: tuple[Expected, ...] = ()
    allowed: Count = 0


def test_every_warning_is_of_an_expected_kind(
    criterion: Params, log_reading: LogReading, measure: Measure, evidence: EvidenceSink, now: datetime
) -> None:
    foreign = [event for event in log_reading.of_level(WARNING) if not event.own]
    unexpected, known = split(foreign, criterion.expected, now=now)
    patterns = group(f"[{event.source}] {event.message}" for event in unexpected)
    evidence(
        "unexpected", "\n".join(f"{p.count}x {p.template}\n    {p.example[:400]}" for p in patterns[:_SHOWN]) or "none"
    )
    evidence("expected", f"{len(known)} warnings match {len(criterion.expected)} expected patterns")
    measure(
        len(unexpected),
        unit="warnings",
        subject="of an unexpected kind",
        name="unexpected warnings",
        critical=criterion.allowed,
        inclusive=True,
        samples=len(foreign),
        detail=", ".join(f"{p.count}x '{p.example[:160]}'" for p in patterns[:_NAMED]),
    )
    unseen = log_reading.not_at_hand(WARNING) if len(unexpected) <= criterion.allowed else None
    if unseen is not None:
        measure.unknown(f"warnings: {unseen}")
    if log_reading.gap is not None:
        measure.unknown(log_reading.gap)
