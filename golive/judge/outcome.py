"""From what a check found to its outcome. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from golive.judge.waivers import covering
from golive.model import Criterion, Measurement, Status, Waiver, utc_text

_SPECIAL = {"people/attested": Status.ATTESTED, "people/not_applicable": Status.NOT_APPLICABLE}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a check found: its status before waivers and `no_data`, and what it says."""

    status: Status
    message: str
    measurements: Sequence[Measurement] = ()


def conclude(
    criterion: Criterion, finding: Finding, waivers: Iterable[Waiver], *, now: datetime
) -> tuple[Status, str, Waiver | None]:
    """The outcome of a finding: what a pass and what no data mean here, and whether a waiver covers it."""
    status, message = finding.status, finding.message
    if status is Status.PASS and criterion.check in _SPECIAL:
        return _SPECIAL[criterion.check], message, None
    if status is Status.UNKNOWN and criterion.no_data is not Status.UNKNOWN:
        status, message = criterion.no_data, f"no data, which counts as {criterion.no_data.value} here: {message}"
    if status is not Status.FAIL:
        return status, message, None
    waiver, refusals = covering(waivers, criterion.id, finding.measurements, now=now)
    if waiver is not None:
        return (
            Status.WAIVED,
            f"waived until {utc_text(waiver.expires)} by {waiver.approver} ({waiver.reason}): {message}",
            waiver,
        )
    return status, "; ".join([message, *refusals]), None
