"""The rate of warnings is normal.

Why: warnings come before errors; many more than usual tell of trouble while there is time.
When it fails: see which patterns make up the most in the evidence, and since when; compare with earlier checkpoints.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fixtures.logs import LogParams
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Duration
from golive.logs import LogReading
from golive.logs.levels import WARNING
from golive.logs.meaning.patterns import group

_SHOWN = 10
_NAMED = 160

PerMinute = Annotated[float, Field(gt=0)]


class Params(LogParams):
    warning: PerMinute | None = None
    critical: PerMinute = Field(10.0, description="warnings per minute, those that our own probes cause left out")
    at_least: Duration = Field(300.0, description="a window that is shorter counts as this long")


def test_rate_of_warnings_is_normal(
    criterion: Params, log_reading: LogReading, measure: Measure, evidence: EvidenceSink, now: datetime
) -> None:
    warnings = log_reading.of_level(WARNING)
    own = sum(event.own for event in warnings)
    patterns = group(f"[{event.source}] {event.message}" for event in warnings if not event.own)
    evidence("warnings by pattern", "\n".join(f"{p.count}x {p.template}" for p in patterns[:_SHOWN]) or "none")
    start = log_reading.window_start
    window_s = max(criterion.at_least, (now - start).total_seconds() if start else 0.0)
    # Counted over all, though only the newest are kept in full.
    count = max(0, log_reading.counts[WARNING] - own)
    most = f", most of them '{patterns[0].template[:_NAMED]}'" if patterns else ""
    measure(
        count / (window_s / 60),
        unit="per min",
        subject="warnings",
        name="warnings",
        warning=criterion.warning,
        critical=criterion.critical,
        samples=count,
        detail=f"{count} in {window_s / 60:.0f} min, {own} of our own left out{most}",
    )
    if log_reading.gap is not None:
        measure.unknown(log_reading.gap)
