"""The record of each checkpoint: when it was held, what it found and measured, and whether the next may come. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from golive.model import Outcome, Severity, Status
from reports.golive.views import readings
from reports.golive.views.day import Checkpoint, Day, State
from reports.golive.views.incidents import Incident, named
from reports.golive.views.readings import Value
from reports.golive.views.timeline import STATE_WORDS
from reports.text import plural
from reports.wording import counts, worst_first

IssueClass = Literal["none", "minor", "critical", "not known"]


@dataclass(frozen=True, kw_only=True)
class CheckpointRecord:
    """One checkpoint as its record tells it. `ready` is None while it is still to come."""

    checkpoint: Checkpoint
    of: int
    counts: dict[Status, int]
    issue_class: IssueClass
    issues: tuple[Outcome, ...]
    values: tuple[Value, ...]
    services: readings.Services | None
    ready: bool | None
    why_not_ready: tuple[str, ...]
    followed_up: tuple[str, ...]


def checkpoint_records(day: Day, found: Sequence[Incident]) -> list[CheckpointRecord]:
    """A record for each checkpoint of the schedule, in order."""
    return [_record(day, checkpoint, found) for checkpoint in day.checkpoints]


def _record(day: Day, checkpoint: Checkpoint, found: Sequence[Incident]) -> CheckpointRecord:
    issues = worst_first(checkpoint.of(Status.FAIL, Status.UNKNOWN))
    why_not = tuple(_why_not_ready(checkpoint, issues))
    return CheckpointRecord(
        checkpoint=checkpoint,
        of=len(day.checkpoints),
        counts=counts(checkpoint.outcomes.values()),
        issue_class=_class(checkpoint, issues),
        issues=tuple(issues),
        values=tuple(readings.values(day, checkpoint)),
        services=readings.services(day, checkpoint.outcomes),
        ready=None if checkpoint.state.is_to_come else not why_not,
        why_not_ready=why_not,
        followed_up=tuple(_followed_up(checkpoint, issues, found)),
    )


def _class(checkpoint: Checkpoint, issues: Sequence[Outcome]) -> IssueClass:
    """`none` only where all was judged and nothing failed or stayed unseen."""
    if any(issue.severity is Severity.CRITICAL for issue in issues):
        return "critical"
    if issues:
        return "minor"
    return "none" if checkpoint.state is State.DONE else "not known"


def _why_not_ready(checkpoint: Checkpoint, issues: Sequence[Outcome]) -> Iterator[str]:
    if checkpoint.state is not State.DONE:
        yield f"the checkpoint is {STATE_WORDS[checkpoint.state]}"
    failed = sum(issue.status is Status.FAIL for issue in issues)
    if failed:
        yield plural(failed, "criterion failed", "criteria failed")
    if len(issues) > failed:
        yield plural(len(issues) - failed, "criterion is unknown", "criteria are unknown")


def _followed_up(checkpoint: Checkpoint, issues: Sequence[Outcome], found: Sequence[Incident]) -> Iterator[str]:
    """What is known of the issues since: only what the records show."""
    by_subject = {incident.subject: incident for incident in found}
    for issue in issues:
        incident = by_subject.get(issue.criterion)
        healed = incident is not None and incident.healed_at is not None
        if incident is not None and healed and named(checkpoint.label) == incident.checkpoints[-1]:
            yield f"{issue.criterion} held again at {incident.healed_in}"
