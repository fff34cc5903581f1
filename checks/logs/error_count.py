"""The number of errors is recorded, and within its limit.

Why: the total over the watch belongs in the final report, and a number that grows from look to look is a trend.
When it fails: see which source counts the most, then its patterns.
"""

from collections import Counter

from pydantic import Field

from fixtures.logs import LogParams, LogWindow
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count
from golive.logs import LogReading
from golive.logs.levels import CRITICAL, ERROR


class Params(LogParams):
    warning: Count | None = None
    critical: Count = Field(100, description="errors in the whole window that are still allowed")


def test_number_of_errors_is_within_its_limit(
    criterion: Params, log_reading: LogReading, log_window: LogWindow, measure: Measure, evidence: EvidenceSink
) -> None:
    counts = Counter({source: log_reading.count_of(source, ERROR, CRITICAL) for source in log_reading.sources})
    evidence("errors by source", "\n".join(f"{source}: {count}" for source, count in counts.most_common()))
    for source, count in counts.items():
        if count:
            measure(count, unit="errors", subject=f"errors of {source}", name=f"errors of {source}")
    count = sum(counts.values())
    total = log_window.total("errors", count)
    if total is not None:
        measure(count, unit="errors", subject="errors in this look", name="errors of this look")
    measure(
        count if total is None else total.value,
        unit="errors",
        subject="errors in the window",
        name="errors",
        warning=criterion.warning,
        critical=criterion.critical,
        inclusive=True,
        detail=log_reading.amount if total is None else f"{total.told}; {log_reading.amount}",
    )
    if total is not None and total.gap is not None:
        measure.unknown(total.gap)
    if log_reading.gap is not None:
        measure.unknown(log_reading.gap)
