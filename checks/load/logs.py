"""No line that the logs got while the load lasted is critical.

Why: under load programs run out of what they never ran out of before, and say so in their logs first.
When it fails: read the lines in the evidence beside the course of the load in the report.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fixtures.load_params import Loaded, LoadParams, cut_short
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count, LogRef
from golive.logs.levels import CRITICAL
from golive.logs.meaning.expected import Expected, split
from golive.model import CouldNotLook

_SHOWN = 20


class Params(LoadParams):
    logs: Annotated[tuple[LogRef, ...], Field(min_length=1, description="the sources that are read, by name")]
    allowed: Count = 0
    accepted: tuple[Expected, ...] = ()

    def log_sources(self) -> tuple[str, ...]:
        return self.logs


def test_no_line_is_critical_under_load(
    criterion: Params, load_run: Loaded, measure: Measure, evidence: EvidenceSink, now: datetime
) -> None:
    result = load_run.trusted
    reading = load_run.logs.get(criterion.logs)
    if reading is None:
        raise CouldNotLook(f"nobody read the logs while {load_run.name} ran")
    if isinstance(reading, CouldNotLook):
        raise CouldNotLook(str(reading))
    found, accepted = split(reading.of_level(CRITICAL), criterion.accepted, now=now)
    evidence("critical lines", "\n".join(event.shown_in_context for event in found[-_SHOWN:]) or "none")
    evidence("accepted critical lines", "\n".join(event.shown for event in accepted[-_SHOWN:]) or "none")
    # More than are kept in full are counted all the same.
    count = max(len(found), reading.counts[CRITICAL] - len(accepted))
    told = f"the last: [{found[-1].source}] {found[-1].told}" if found else reading.amount
    measure(
        count,
        unit="lines",
        name="critical lines under load",
        critical=criterion.allowed,
        inclusive=True,
        detail=f"{told}{cut_short(result)}",
    )
    if reading.gap is not None:
        measure.unknown(reading.gap)
