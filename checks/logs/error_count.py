"""The number of errors is recorded, and within its limit.

Why: the total over the watch belongs in the final report, and a number that grows from look to look is a trend.
When it fails: see which source counts the most, then its patterns.
"""

from collections import Counter

from pydantic import Field

from fixtures.logs import LogParams
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count
from golive.logs import LogReading
from golive.logs.levels import CRITICAL, ERROR


class Params(LogParams):
    warning: Count | None = None
    critical: Count = Field(100, description="errors in the whole window that are still allowed")


def test_number_of_errors_is_within_its_limit(
    criterion: Params, log_reading: LogReading, measure: Measure, evidence: EvidenceSink
) -> None:
    counts = Counter(dict.fromkeys(log_reading.sources, 0))
    for text in log_reading.texts:
        counts[text.source] += sum(event.level in (ERROR, CRITICAL) for event in text.heavy)
    evidence("errors by source", "\n".join(f"{source}: {count}" for source, count in counts.most_common()))
    for source, count in counts.items():
        if count:
            measure(count, unit="errors", subject=f"errors of {source}", name=f"errors of {source}")
    measure(
        sum(counts.values()),
        unit="errors",
        subject="errors in the window",
        name="errors",
        warning=criterion.warning,
        critical=criterion.critical,
        inclusive=True,
        detail=f"{log_reading.counts['lines']} lines read",
    )
    if log_reading.gap is not None:
        measure.unknown(log_reading.gap)
