"""Up to which hour all was clean. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Sequence

from golive.judge import wording
from golive.judge.availability import availability
from golive.judge.course import Course
from golive.judge.objections import Objection, worst_first
from golive.model import Milestone


def milestones(course: Course, objections: Sequence[Objection]) -> tuple[Milestone, ...]:
    """Each milestone of the record, the earliest first.

    One is reached when its hour has come and every checkpoint up to it is clean; it is missed when something up to it
    cannot be mended. `objections` are all that stand against the watch.
    """
    ordered = sorted(course.record.milestones.items(), key=lambda pair: (pair[1], pair[0]))
    return tuple(_milestone(name, offset_s, course, objections) for name, offset_s in ordered)


def _milestone(name: str, offset_s: float, course: Course, objections: Sequence[Objection]) -> Milestone:
    slots = [c for c in course.checkpoints if c.slot.offset_s <= offset_s]
    hour = next((c.label for c in slots if c.slot.offset_s == offset_s), wording.span(offset_s))
    due_at = course.watch.moment(offset_s)
    before = worst_first(
        [
            *(o for o in objections if o.offset_s is not None and o.offset_s <= offset_s),
            *availability(course, until=min(due_at, course.last.due_at)),
        ]
    )
    if before and before[0].is_final:
        return Milestone(name=name, until=hour, state="missed", text=before[0].reason.text)
    if not slots:
        return Milestone(name=name, until=hour, state="missed", text="no checkpoint is scheduled up to this hour")
    if before:
        return Milestone(name=name, until=hour, state="open", text=before[0].reason.text)
    if course.now < due_at:
        return Milestone(name=name, until=hour, state="open", text=f"at {wording.moment(due_at)}")
    clean = wording.count(len(slots), "checkpoint", "checkpoints")
    return Milestone(name=name, until=hour, state="reached", text=f"{clean} clean since {wording.moment(due_at)}")
