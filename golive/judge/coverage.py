"""Whether every checkpoint was held in time and judged all that it requires. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from golive.judge import wording
from golive.judge.course import Checkpoint, Course, is_judged_by_runs, is_watched
from golive.judge.objections import Objection, objection
from golive.model import RunRecord


def coverage(course: Course) -> Iterator[Objection]:
    """What is missing, checkpoint by checkpoint; several that are missing for the same cause are one objection."""
    yield from _nothing_to_judge(course)
    yield from _never_judged(course)
    if course.record.criteria:
        standings = [(c, _standing(c, course.now)) for c in course.checkpoints if c.required]
        yield from _missed([c for c, standing in standings if standing == "missed"], course)
        yield from _to_come([c for c, standing in standings if standing == "to come"])
        for checkpoint, standing in standings:
            if tell := _TOLD.get(standing):
                yield tell(checkpoint, course.now)
            elif standing == "held":
                yield from _going_on_at_the_end(checkpoint, course)
                yield from _partial(checkpoint, course)


def _standing(checkpoint: Checkpoint, now: datetime) -> str:
    """How it stands, the best that can be said of its runs."""
    if checkpoint.counted:
        return "held"
    if checkpoint.going_on:
        return "going on"
    if now < checkpoint.due_at:
        return "to come"
    for standing in ("aborted", "late", "early"):
        if getattr(checkpoint, standing):
            return standing
    return "due" if now <= checkpoint.deadline else "missed"


def _nothing_to_judge(course: Course) -> Iterator[Objection]:
    if not course.record.criteria:
        text = f"environment {course.record.environment} has no criteria, so nothing is judged"
        yield objection("no-criteria", text, at=course.watch.starts_at, final=True, offset_s=0.0)
        return
    empty = [c for c in course.checkpoints if not c.required]
    if empty:
        text = f"{wording.checkpoints([c.label for c in empty])}: no criterion is judged there"
        yield _about(empty, "no-criteria", text, at=course.watch.starts_at, final=True)


def _never_judged(course: Course) -> Iterator[Objection]:
    scheduled = {criterion.id for checkpoint in course.checkpoints for criterion in checkpoint.required}
    left = [c for c in course.record.criteria if is_watched(c) and is_judged_by_runs(c) and c.id not in scheduled]
    if left:
        occasions = sorted({when.value for c in left for when in c.when})
        told = wording.count(len(left), "criterion is", "criteria are")
        text = (
            f"{told} judged at no checkpoint of the schedule, which has none for {wording.listed(occasions)}: "
            f"{wording.criteria(sorted(c.id for c in left))}"
        )
        yield objection("criterion-not-scheduled", text, at=course.watch.starts_at, final=True)


def _missed(missed: Sequence[Checkpoint], course: Course) -> Iterator[Objection]:
    if missed:
        allowed = wording.span(course.watch.tolerance_s / course.watch.time_scale)
        were = "was" if len(missed) == 1 else "were"
        text = (
            f"{wording.checkpoints([c.label for c in missed])} {were} missed: no run began within {allowed} "
            f"after {'it was' if len(missed) == 1 else 'they were'} due"
        )
        if course.watch.opened_at > missed[0].deadline:
            text += f" (the watch was only opened at {wording.moment(course.watch.opened_at)})"
        yield _about(missed, "checkpoint-missed", text, at=missed[0].deadline, final=True)


def _to_come(coming: Sequence[Checkpoint]) -> Iterator[Objection]:
    if coming:
        rest = [c.label for c in coming[1:]]
        then = f", then {wording.listed(rest)}" if rest else ""
        text = f"checkpoint {coming[0].label} is due at {wording.moment(coming[0].due_at)}{then}"
        yield _about(coming, "checkpoint-due", text, at=coming[0].due_at, final=False, acceptable=False)


def _due(checkpoint: Checkpoint, now: datetime) -> Objection:  # noqa: ARG001 - one signature for all of _TOLD
    text = (
        f"checkpoint {checkpoint.label} is due since {wording.moment(checkpoint.due_at)}: "
        f"its run must begin by {wording.moment(checkpoint.deadline)}"
    )
    return _about([checkpoint], "checkpoint-due", text, at=checkpoint.due_at, final=False, acceptable=False)


def _going_on(checkpoint: Checkpoint, now: datetime) -> Objection:  # noqa: ARG001
    began = min(run.started_at for run in checkpoint.going_on)
    text = f"checkpoint {checkpoint.label} is going on since {wording.moment(began)}"
    return _about([checkpoint], "checkpoint-going-on", text, at=began, final=False, acceptable=False)


def _aborted(checkpoint: Checkpoint, now: datetime) -> Objection:
    last = checkpoint.aborted[-1]
    text = f"checkpoint {checkpoint.label}: its run was broken off ({wording.brief(last.aborted or '')})"
    return _unheld(checkpoint, now, "checkpoint-aborted", text, last, "not repeated in time")


def _late(checkpoint: Checkpoint, now: datetime) -> Objection:
    first = checkpoint.late[0]
    by = wording.span((first.started_at - checkpoint.deadline).total_seconds())
    text = f"checkpoint {checkpoint.label} was held late: its run began {by} after the time allowed for it"
    return _unheld(checkpoint, now, "checkpoint-late", text, first, "")


def _early(checkpoint: Checkpoint, now: datetime) -> Objection:
    last = checkpoint.early[-1]
    by = wording.span((checkpoint.due_at - last.started_at).total_seconds())
    text = f"checkpoint {checkpoint.label}: its run began {by} before it was due, which proves nothing of that hour"
    return _unheld(checkpoint, now, "checkpoint-early", text, last, "not repeated in time")


_TOLD: dict[str, Callable[[Checkpoint, datetime], Objection]] = {
    "due": _due,
    "going on": _going_on,
    "aborted": _aborted,
    "late": _late,
    "early": _early,
}


def _unheld(checkpoint: Checkpoint, now: datetime, kind: str, text: str, run: RunRecord, then: str) -> Objection:
    """What its only run is not good for: mended by another until the deadline."""
    if now <= checkpoint.deadline:
        text += f"; repeat it by {wording.moment(checkpoint.deadline)}"
    elif then:
        text += f", and {then}"
    return _about([checkpoint], kind, text, at=run.started_at, final=now > checkpoint.deadline)


def _going_on_at_the_end(checkpoint: Checkpoint, course: Course) -> Iterator[Objection]:
    if checkpoint is course.last and checkpoint.going_on:
        yield _going_on(checkpoint, course.now)


def _partial(checkpoint: Checkpoint, course: Course) -> Iterator[Objection]:
    """Criteria that none of the runs has an outcome of: those of the environment, and those that a run had selected."""
    theirs = {i for run in checkpoint.counted for i in run.selected if i not in course.criteria}
    wanted = sorted({*(c.id for c in checkpoint.required), *theirs})
    left = [i for i in wanted if i not in checkpoint.looks]
    if not left:
        return
    amount = f"{len(left)} of {len(wanted)} criteria were" if len(wanted) > 1 else "its only criterion was"
    text = f"checkpoint {checkpoint.label}: {amount} not judged: {wording.criteria(left)}"
    if checkpoint.aborted:
        text += f" (a run was broken off: {wording.brief(checkpoint.aborted[-1].aborted or '')})"
    final = not checkpoint.is_open(course.now)
    criterion = left[0] if len(left) == 1 else None
    at = checkpoint.counted[0].started_at
    yield _about([checkpoint], "checkpoint-partial", text, at=at, final=final, criterion=criterion)


def _about(
    checkpoints: Sequence[Checkpoint],
    kind: str,
    text: str,
    *,
    at: datetime,
    final: bool,
    acceptable: bool = True,
    criterion: str | None = None,
) -> Objection:
    first = checkpoints[0]
    return objection(
        kind,
        text,
        at=at,
        final=final,
        offset_s=first.slot.offset_s,
        acceptable=acceptable,
        criterion=criterion,
        checkpoint=first.label,
    )
