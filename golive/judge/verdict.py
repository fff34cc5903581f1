"""May the system go live? From the record of a watch to GO, NO-GO or PENDING, failing closed. Pure.

There is GO only where nothing at all stands against it. What cannot be mended any more makes NO-GO, what time or a
person can still mend makes PENDING.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from golive.judge import forecast, wording
from golive.judge.availability import availability
from golive.judge.course import Course, course_of, is_watched
from golive.judge.coverage import coverage
from golive.judge.failures import failures
from golive.judge.integrity import integrity
from golive.judge.milestones import milestones
from golive.judge.objections import Objection, objection, worst_first
from golive.judge.policy import loosened
from golive.judge.signoff import override_of, refused_override, signoff
from golive.model import Decision, Signature, Verdict, Watch, WatchRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    """What stands against GO; `standing` is the part of it that no override accepts."""

    objections: Sequence[Objection]
    standing: Sequence[Objection]
    override: Signature | None

    @property
    def decision(self) -> Decision:
        if not self.standing:
            return Decision.GO
        return Decision.NO_GO if any(o.is_final for o in self.standing) else Decision.PENDING


def decide(record: WatchRecord, *, now: datetime) -> Verdict:
    """The verdict over a watch at `now`, its reasons in the order of their weight, the worst first.

    The order within the sequences of `record` does not matter, and nothing that is added to what was found
    (a further failure, an unknown, a broken-off or foreign run) brings it nearer to GO.
    """
    if record.watch is None:
        return _not_begun(record, now)
    course = course_of(record, record.watch, now)
    if not course.checkpoints:
        return _without_schedule(record.watch, now)
    judged = _judged(course)
    earliest, told = _forecast(course, judged)
    return Verdict(
        decision=judged.decision,
        reasons=tuple(o.reason for o in judged.objections),
        at=now,
        watch=record.watch.id,
        trial=record.watch.trial,
        milestones=milestones(course, judged.objections),
        earliest=earliest,
        forecast=told,
        override=None if judged.decision is Decision.NO_GO else judged.override,
    )


def _judged(course: Course) -> _Judged:
    found = [
        *integrity(course),
        *loosened(course),
        *coverage(course),
        *failures(course),
        *availability(course),
        *signoff(course),
    ]
    override, refused = override_of(course, found)
    if found and override is None:
        found += [refused_override(signature, why) for signature, why in refused]
    objections = worst_first(found)
    standing = [o for o in objections if override is None or not o.acceptable]
    return _Judged(objections=objections, standing=standing, override=override if found else None)


def _forecast(course: Course, judged: _Judged) -> forecast.Forecast:
    if judged.decision is Decision.GO:
        return forecast.reached(course, judged.override)
    if judged.decision is Decision.NO_GO:
        return forecast.gone(judged.standing)
    return forecast.possible(course, judged.standing)


def _not_begun(record: WatchRecord, now: datetime) -> Verdict:
    """Nothing was watched yet, so there is nothing to judge but what was prepared."""
    objections = worst_first(_before_any_watch(record, now))
    final = objections[0].is_final
    return Verdict(
        decision=Decision.NO_GO if final else Decision.PENDING,
        reasons=tuple(o.reason for o in objections),
        at=now,
        forecast="GO takes a watch, and none has begun",
    )


def _before_any_watch(record: WatchRecord, now: datetime) -> Iterator[Objection]:
    where = record.environment
    yield objection("no-watch", f"no watch of {where} has begun: golive watch --env={where}", at=now, final=False)
    if record.tampered:
        text = f"evidence was altered: {wording.brief(min(record.tampered))}"
        yield objection("tampered", text, at=now, final=True)
    if not record.criteria:
        text = f"environment {where} has no criteria, so nothing is judged"
        yield objection("no-criteria", text, at=now, final=True)
    left = sorted(c.id for c in record.criteria if c.answer == "unanswered" and is_watched(c))
    if left:
        told = wording.count(len(left), "criterion is", "criteria are")
        text = f"{told} answered by nobody: {wording.criteria(left)}"
        yield objection("criterion-unanswered", text, at=now, final=False)


def _without_schedule(watch: Watch, now: datetime) -> Verdict:
    text = "the watch has no checkpoints, so nothing was looked at"
    found = objection("no-schedule", text, at=now, final=True)
    _, told = forecast.gone([found])
    return Verdict(
        decision=Decision.NO_GO, reasons=(found.reason,), at=now, watch=watch.id, trial=watch.trial, forecast=told
    )
