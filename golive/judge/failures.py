"""What the criteria came to in the runs of a watch, as far as it stands against GO. Pure.

Criteria that first came to the same at the same checkpoint are one objection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from golive.judge import wording
from golive.judge.course import DERIVED, Checkpoint, Course, Look, in_order, is_watched
from golive.judge.integrity import run_name
from golive.judge.objections import Objection, objection, weight_of
from golive.judge.waivers import covering
from golive.model import Outcome, RunRecord, Severity, Status


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sight:
    """An outcome that stands against GO, the run that it comes from, and what is to be said of it."""

    outcome: Outcome
    run: RunRecord
    message: str


def failures(course: Course) -> Iterator[Objection]:
    """Criteria that failed, flapped, could not be looked at, are no longer waived, or are answered by nobody."""
    yield from _failed(course)
    if course.record.flapping_blocks:
        yield from _flapping(course)
    yield from _unknown(course)
    yield from _no_longer_waived(course)
    yield from _unanswered(course)


def is_blamed(run: RunRecord, course: Course) -> bool:
    """Whether something that this run found stands against GO."""
    flapping = course.record.flapping_blocks
    return any(
        (_failure(o, course) is not None or (flapping and o.flapping)) and course.counts(o) for o in run.outcomes
    )


def _failure(outcome: Outcome, course: Course) -> str | None:
    """What was found to be bad; also where the attempt that stands could not look and one before it did."""
    if outcome.status is Status.FAIL:
        return outcome.message
    if outcome.status is not Status.UNKNOWN or not course.record.flapping_blocks:
        return None
    return next((attempt.message for attempt in outcome.earlier if attempt.status is Status.FAIL), None)


def _failed(course: Course) -> Iterator[Objection]:
    latest = {o.criterion: o for run in course.runs for o in in_order(run)}
    for group in _folded(_sights(course, lambda o: _failure(o, course)), course):
        healed = not any(latest[sight.outcome.criterion].status.blocks for sight in group)
        they = "it" if len({sight.outcome.criterion for sight in group}) == 1 else "they"
        what = f"failed, though {they} held again later" if healed else "failed"
        yield _told("criterion-failed", what, group, course)


def _flapping(course: Course) -> Iterator[Objection]:
    def message(outcome: Outcome) -> str | None:
        if not outcome.flapping:
            return None
        return next(attempt.message for attempt in outcome.earlier if attempt.status.blocks)

    for group in _folded(_sights(course, message), course):
        yield _told("criterion-flapping", "held only when tried again", group, course)


def _unknown(course: Course) -> Iterator[Objection]:
    """Unknown in a run that counts, and not found in order by another run of the same checkpoint."""
    for final in (True, False):
        found = [c for c in course.checkpoints if c.is_open(course.now) is not final]
        sights = [sight for checkpoint in found for sight in _unknown_at(checkpoint, course)]
        for group in _folded(sights, course):
            yield _told("criterion-unknown", "could not be looked at", group, course, final=final)


def _unknown_at(checkpoint: Checkpoint, course: Course) -> Iterator[_Sight]:
    required = {criterion.id for criterion in checkpoint.required}
    for criterion, looks in checkpoint.looks.items():
        if criterion in course.criteria and criterion not in required:
            continue
        if all(look.status is Status.UNKNOWN and course.counts(look.outcome) for look in looks):
            yield from (_Sight(outcome=look.outcome, run=look.run, message=look.outcome.message) for look in looks)


def _no_longer_waived(course: Course) -> Iterator[Objection]:
    """Failures that were accepted when they were last looked at and are accepted by no waiver any more."""
    last = {criterion: looks for checkpoint in course.checkpoints for criterion, looks in checkpoint.looks.items()}
    waived = [look for looks in last.values() for look in looks if look.status is Status.WAIVED]
    sights = [sight for look in waived if course.counts(look.outcome) for sight in _uncovered(look, course)]
    for group in _folded(sights, course):
        told = _told("waiver-expired", "failed, and that is accepted no longer", group, course, offset=False)
        ends = [s.outcome.waiver.expires for s in group if s.outcome.waiver is not None]
        yield replace(told, at=max([told.at, *(end for end in ends if end <= course.now)]))


def _uncovered(look: Look, course: Course) -> Iterator[_Sight]:
    outcome = look.outcome
    waiver, refusals = covering(course.record.waivers, outcome.criterion, outcome.measurements, now=course.now)
    if waiver is None:
        why = refusals[0] if refusals else "its waiver was withdrawn"
        yield _Sight(outcome=outcome, run=look.run, message=why)


def _unanswered(course: Course) -> Iterator[Objection]:
    left = [c for c in course.record.criteria if c.answer == "unanswered" and is_watched(c)]
    if left:
        are = "criterion is" if len(left) == 1 else "criteria are"
        text = f"{len(left)} {are} answered by nobody: {wording.criteria(sorted(c.id for c in left))}"
        weight = min(weight_of(c.severity) for c in left)
        one = left[0].id if len(left) == 1 else None
        at = course.watch.starts_at
        yield objection("criterion-unanswered", text, at=at, final=False, weight=weight, criterion=one)


# Folding


def _sights(course: Course, message: Callable[[Outcome], str | None]) -> list[_Sight]:
    """Every outcome of every run of which there is something to say."""
    return [
        _Sight(outcome=outcome, run=run, message=told)
        for run in course.runs
        for outcome in in_order(run)
        if (told := message(outcome)) is not None
        and course.counts(outcome)
        and not _is_tried_again(outcome, run, course)
        # At no checkpoint of the schedule, what only looks back is early; what it found there is judged by itself.
        and not (outcome.check in DERIVED and course.of_run(run) is None)
    ]


def _is_tried_again(outcome: Outcome, run: RunRecord, course: Course) -> bool:
    """Whether the run, which is still going on, has attempts left for it."""
    criterion = course.criteria.get(outcome.criterion)
    going_on = run.finished_at is None and run.aborted is None
    return going_on and criterion is not None and len(outcome.earlier) < criterion.retries


def _folded(sights: Iterable[_Sight], course: Course) -> list[list[_Sight]]:
    """The sights of the criteria that were first seen so at the same checkpoint, or in the same extra run."""
    by_criterion: dict[str, list[_Sight]] = {}
    for sight in sights:
        by_criterion.setdefault(sight.outcome.criterion, []).append(sight)
    groups: dict[str, list[_Sight]] = {}
    for theirs in by_criterion.values():
        groups.setdefault(run_name(theirs[0].run, course), []).extend(theirs)
    return list(groups.values())


def _told(
    kind: str, what: str, group: Sequence[_Sight], course: Course, *, final: bool = True, offset: bool = True
) -> Objection:
    """One line for a group: where, which criteria, and what was found of the gravest of them when it was first seen."""

    def rank(sight: _Sight) -> tuple[bool, int]:
        """Causes before what follows from them."""
        return sight.outcome.check in DERIVED, weight_of(_severity(sight.outcome, course))

    worst = min(group, key=lambda s: (*rank(s), s.run.started_at, s.outcome.criterion))
    ids = sorted(
        {sight.outcome.criterion: sight for sight in reversed(group)}.values(),
        key=lambda s: (*rank(s), s.outcome.criterion),
    )
    first = group[0].run
    name, message = worst.outcome.criterion, wording.brief(worst.message)
    if len(ids) == 1:
        told = f"{name} {what}: {message}"
    else:
        told = f"{len(ids)} criteria {what}: {wording.criteria(s.outcome.criterion for s in ids)} ({name}: {message})"
    return objection(
        kind,
        f"{_places(group, course)}: {told}",
        at=first.started_at,
        final=final,
        weight=weight_of(_severity(worst.outcome, course)),
        offset_s=course.offset_s(first) if offset else None,
        criterion=name if len(ids) == 1 else None,
        checkpoint=first.checkpoint,
    )


def _places(group: Sequence[_Sight], course: Course) -> str:
    """The checkpoints and extra runs of a group; where its criteria differ in them, the first and `later`."""
    by_criterion: dict[str, dict[str, RunRecord]] = {}
    for sight in group:
        by_criterion.setdefault(sight.outcome.criterion, {})[run_name(sight.run, course)] = sight.run
    seen = list(by_criterion.values())
    first, *rest = seen[0]
    if any(places.keys() != seen[0].keys() for places in seen):
        return f"{first} and later"
    if not rest:
        return first
    labels = [str(run.checkpoint) for run in seen[0].values() if course.of_run(run) is not None]
    extra = len(seen[0]) - len(labels)
    told = [wording.checkpoints(labels)] if labels else []
    return wording.listed([*told, wording.count(extra, "extra run", "extra runs")] if extra else told)


def _severity(outcome: Outcome, course: Course) -> Severity:
    """What it weighs now, or what it weighed then if nothing says it now."""
    criterion = course.criteria.get(outcome.criterion)
    return outcome.severity if criterion is None else criterion.severity
