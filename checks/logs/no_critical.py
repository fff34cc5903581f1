"""No line of the logs is critical.

Why: programs call a line critical or fatal when they cannot go on; nobody should find it a day later.
When it fails: read the lines in the evidence; treat two or more as an incident; roll back if users are affected.
"""

from datetime import datetime

from fixtures.logs import LogParams, LogWindow
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count
from golive.logs import LogReading
from golive.logs.levels import CRITICAL
from golive.logs.meaning.expected import Expected, split

_SHOWN = 20


class Params(LogParams):
    allowed: Count = 0
    accepted: tuple[Expected, ...] = ()


def test_no_line_of_the_logs_is_critical(
    criterion: Params,
    log_reading: LogReading,
    log_window: LogWindow,
    measure: Measure,
    evidence: EvidenceSink,
    now: datetime,
) -> None:
    found, accepted = split(log_reading.of_level(CRITICAL), criterion.accepted, now=now)
    evidence("critical lines", "\n".join(event.shown_in_context for event in found[-_SHOWN:]) or "none")
    evidence("accepted critical lines", "\n".join(event.shown for event in accepted[-_SHOWN:]) or "none")
    # More than are kept in full are counted all the same.
    count = max(len(found), log_reading.counts[CRITICAL] - len(accepted))
    total = log_window.total("critical lines", count)
    if total is not None:
        measure(count, unit="lines", subject="critical in this look", name="critical lines of this look")
    told = f"the last: [{found[-1].source}] {found[-1].told}" if found else log_reading.amount
    measure(
        count if total is None else total.value,
        unit="lines",
        subject="critical",
        name="critical lines",
        critical=criterion.allowed,
        inclusive=True,
        detail=told if total is None else f"{total.told}; {told}",
    )
    if total is not None and total.gap is not None:
        measure.unknown(total.gap)
    if log_reading.gap is not None:
        measure.unknown(log_reading.gap)
