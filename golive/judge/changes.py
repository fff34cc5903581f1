"""What changed since the checkpoint before, in a few lines for whoever takes over. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from golive.judge import wording
from golive.judge.course import Course, Look, course_of, in_order, is_by_person, is_watched
from golive.judge.limits import describe, judge, number
from golive.judge.objections import weight_of
from golive.judge.signoff import affirmed_until, why_not
from golive.model import EXTRA, Measurement, Outcome, RunRecord, Severity, Status, WatchRecord

LINES = 10
"""More nobody reads at the end of a shift."""
_SOON = timedelta(hours=24)
_EACH_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Change:
    """What a criterion came to before, None if nobody had looked at it, and what it came to last."""

    before: Outcome | None
    after: Outcome

    @property
    def was_bad(self) -> bool:
        return self.before is not None and self.before.status.blocks

    def became(self, status: Status) -> bool:
        return self.after.status is status and (self.before is None or self.before.status is not status)


def changes(record: WatchRecord, *, now: datetime) -> list[str]:
    """At most `LINES` lines, the gravest first; [] when nothing changed.

    The outcomes of the last checkpoint and of everything after it are compared with what was seen before it.
    """
    if record.watch is None:
        return []
    course = course_of(record, record.watch, now)
    lines = [*_since_last(course), *_of_the_watch(course), *_expiring(course)]
    if len(lines) <= LINES:
        return lines
    return [*lines[: LINES - 1], f"and {len(lines) - LINES + 1} more changes"]


def _since_last(course: Course) -> Iterator[str]:
    found = list(_compared(course))
    failed = [c for c in found if c.became(Status.FAIL)]
    unknown = [c for c in found if c.became(Status.UNKNOWN)]
    healed = [c for c in found if c.was_bad and not c.after.status.blocks]
    yield from _each(failed, course, "newly failing", lambda c: f"{c.after.criterion} fails: {_message(c.after)}")
    yield from _each(unknown, course, "newly unknown", lambda c: f"{c.after.criterion} is unknown: {_message(c.after)}")
    yield from _each(healed, course, "healed", lambda c: f"{c.after.criterion} holds again: {_message(c.after)}")
    flapping = [c for c in found if c.after.flapping]
    yield from _each(flapping, course, "flapping", lambda c: f"{c.after.criterion} held only when tried again")
    yield from _moved(found)


def _compared(course: Course) -> Iterator[_Change]:
    """Each criterion that was looked at in or after the last checkpoint, with the last look before it.

    Nothing before the first checkpoint is there to compare with, so only what is bad in it is a change.
    """
    held = [run for run in course.runs if course.of_run(run) is not None and run.outcomes]
    if not held:
        return
    label = held[-1].checkpoint
    begin = min(run.started_at for run in held if run.checkpoint == label)
    before = _latest([run for run in course.runs if run.started_at < begin], course)
    for criterion, look in _latest([run for run in course.runs if run.started_at >= begin], course).items():
        earlier = before.get(criterion)
        yield _Change(before=None if earlier is None else earlier.outcome, after=look.outcome)


def _latest(runs: Sequence[RunRecord], course: Course) -> Mapping[str, Look]:
    """The last look at each criterion that a run answers."""
    return {o.criterion: Look(run, o) for run in runs for o in in_order(run) if course.counts(o)}


def _each(found: Sequence[_Change], course: Course, what: str, tell: Callable[[_Change], str]) -> Iterator[str]:
    """A line for each of a few, one line for many; the gravest first."""

    def weight(change: _Change) -> tuple[int, str]:
        criterion = course.criteria.get(change.after.criterion)
        severity: Severity = change.after.severity if criterion is None else criterion.severity
        return weight_of(severity), change.after.criterion

    ordered = sorted(found, key=weight)
    if len(ordered) <= _EACH_SHOWN:
        yield from map(tell, ordered)
    else:
        yield f"{len(ordered)} criteria {what}: {wording.criteria(c.after.criterion for c in ordered)}"


def _moved(found: Sequence[_Change]) -> Iterator[str]:
    """Measurements that passed their warning limit, in the order in which they were taken."""
    moved = []
    for change in found:
        earlier = {m.name: m for m in change.before.measurements} if change.before else {}
        for measurement in change.after.measurements:
            if judge(measurement) is Status.WARN and not _warned(earlier.get(measurement.name)):
                moved.append((change.after.criterion, earlier.get(measurement.name), measurement))
    for criterion, was, measurement in moved[:_EACH_SHOWN]:
        before = f", {number(was.value)} before" if was else ""
        yield f"{criterion}: {measurement.name} passed its warning limit: {describe(measurement)}{before}"
    if len(moved) > _EACH_SHOWN:
        yield f"{len(moved) - _EACH_SHOWN} further measurements passed their warning limit"


def _warned(measurement: Measurement | None) -> bool:
    """Whether it was beyond its warning limit before; a value that was never taken was not."""
    return measurement is not None and judge(measurement) in (Status.WARN, Status.FAIL)


def _of_the_watch(course: Course) -> Iterator[str]:
    """That the watch was begun anew or somebody looked in between, until the next checkpoint."""
    watch = course.watch
    if watch.replaces is not None and sum(bool(c.counted) for c in course.checkpoints) <= 1:
        because = f": {wording.brief(watch.reason)}" if watch.reason else ""
        yield f"the watch began anew at {wording.moment(watch.opened_at)}, in place of {watch.replaces}{because}"
    extra = [run for run in course.runs if run.checkpoint == EXTRA]
    if extra and not any(course.of_run(run) for run in course.runs if run.started_at > extra[-1].started_at):
        yield f"an extra run was held at {wording.moment(extra[-1].started_at)}"


def _expiring(course: Course) -> Iterator[str]:
    """What a verdict rests on and ends soon, the first to end first."""
    ends: list[tuple[datetime, str]] = [(w.expires, f"the waiver of {w.criterion}") for w in course.record.waivers]
    for signature in course.record.signatures:
        if signature.expires is not None and not why_not(signature, course):
            what = "override" if signature.override else "signature"
            ends.append((signature.expires, f"the {what} of the {signature.role}"))
    for criterion in course.record.criteria:
        until = affirmed_until(criterion, course) if is_by_person(criterion) and is_watched(criterion) else None
        if until is not None:
            ends.append((until, f"the affirmation of {criterion.id}"))
    for at, what in sorted(ends):
        if course.now < at <= course.now + _SOON:
            yield f"{what} expires at {wording.moment(at)}"


def _message(outcome: Outcome) -> str:
    return wording.brief(outcome.message)
