"""What did not hold, from when to when, and whether it healed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from golive.model import EXTRA, Attempt, Outcome, Severity, Status, Waiver
from reports.golive.views.day import Day, spaced

_WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}


class Grade(StrEnum):
    """How an issue counts on the forms."""

    CRITICAL = "critical"
    OPEN = "minor, not resolved"
    RESOLVED = "minor, resolved"


_ORDER = list(Grade)


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One criterion (or endpoint) that failed or could not be looked at, over all runs of the watch.

    `checkpoints` are labels for people, in order; `healed_at` is the first good look after the last bad one.
    One that `follows` only looks back at others, so that its causes are told before it.
    """

    subject: str
    says: str
    status: Status
    severity: Severity
    message: str
    first_at: datetime
    last_at: datetime
    checkpoints: tuple[str, ...]
    times: int
    healed_at: datetime | None
    healed_in: str = ""
    follows: bool = False

    @property
    def grade(self) -> Grade:
        """Critical by its criterion's severity; an unknown one only while nobody has looked since."""
        serious = self.severity is Severity.CRITICAL and (self.status is Status.FAIL or self.healed_at is None)
        return Grade.CRITICAL if serious else Grade.RESOLVED if self.healed_at else Grade.OPEN


@dataclass(frozen=True, kw_only=True)
class Flapping:
    """A criterion that held only when it was tried again."""

    criterion: str
    checkpoint: str
    at: datetime
    earlier: tuple[Attempt, ...]


@dataclass(frozen=True, kw_only=True)
class Waived:
    """A waiver, where it was used, and whether it is over."""

    waiver: Waiver
    checkpoints: tuple[str, ...]
    expired: bool


@dataclass
class _Track:
    """The looks at one criterion, followed in the order of time."""

    bad: list[tuple[str, Outcome]]
    healed: tuple[datetime, str] | None = None


def incidents(day: Day, outages: Iterable[Incident] = ()) -> list[Incident]:
    """Every criterion that blocked in any run, the gravest first; `outages` are added to them."""
    return tracked(((named(run.checkpoint), day.judged(run)) for run in day.runs), outages)


def tracked(looks: Iterable[tuple[str, Iterable[Outcome]]], outages: Iterable[Incident] = ()) -> list[Incident]:
    """The incidents that outcomes make up, each look named and in the order of time."""
    tracks: dict[str, _Track] = {}
    for where, outcomes in looks:
        for outcome in outcomes:
            track = tracks.get(outcome.criterion)
            if outcome.status.blocks:
                track = tracks.setdefault(outcome.criterion, _Track([]))
                track.bad.append((where, outcome))
                track.healed = None
            elif track is not None and track.healed is None:
                track.healed = (outcome.started_at, where)
    found = [*(_incident(track) for track in tracks.values()), *outages]
    return sorted(found, key=lambda i: (_ORDER.index(i.grade), i.follows, _WEIGHT[i.severity], i.first_at, i.subject))


def named(checkpoint: str | None) -> str:
    """The label of a run's checkpoint for people."""
    return "another run" if checkpoint is None or checkpoint == EXTRA else spaced(checkpoint)


def flapping(day: Day) -> list[Flapping]:
    """Every pass that took more than one attempt, oldest first."""
    return [
        Flapping(criterion=o.criterion, checkpoint=named(run.checkpoint), at=o.started_at, earlier=o.earlier)
        for run in day.runs
        for o in run.outcomes
        if o.flapping
    ]


def waived(day: Day) -> list[Waived]:
    """Every waiver of the environment, and those that were used and are gone from it since."""
    used: dict[Waiver, dict[str, None]] = {waiver: {} for waiver in day.record.waivers}
    for run in day.runs:
        for outcome in run.outcomes:
            if outcome.status is Status.WAIVED and outcome.waiver is not None:
                used.setdefault(outcome.waiver, {})[named(run.checkpoint)] = None
    ordered = sorted(used.items(), key=lambda pair: (pair[0].criterion, pair[0].expires))
    return [Waived(waiver=w, checkpoints=tuple(where), expired=w.expires <= day.now) for w, where in ordered]


def worst_grade(found: Sequence[Incident]) -> Grade | None:
    """The grade of the gravest issue, None where there is none."""
    return min((incident.grade for incident in found), key=_ORDER.index, default=None)


def _incident(track: _Track) -> Incident:
    failed = [(where, o) for where, o in track.bad if o.status is Status.FAIL]
    _, told = (failed or track.bad)[-1]
    return Incident(
        subject=told.criterion,
        says=told.says,
        status=told.status,
        severity=told.severity,
        message=told.message,
        first_at=track.bad[0][1].started_at,
        last_at=track.bad[-1][1].started_at,
        checkpoints=tuple(dict.fromkeys(where for where, _ in track.bad)),
        times=len(track.bad),
        healed_at=track.healed[0] if track.healed else None,
        healed_in=track.healed[1] if track.healed else "",
        follows=(told.check or "").startswith("history/"),
    )
