"""Whether the evidence is about one deployment, judged by one set of rules, and unaltered. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from golive.judge import wording
from golive.judge.course import Course, is_ahead
from golive.judge.identity import differences
from golive.judge.objections import Objection, objection
from golive.model import Deployment, RunRecord

_SAME_MOMENT = timedelta(seconds=1)
_PARTS_SHOWN = 2


def integrity(course: Course) -> Iterator[Objection]:
    """What voids the watch as a whole."""
    yield from _tampered(course)
    yield from _foreign(course)
    yield from _closed(course)
    yield from _replaced(course)
    yield from _other_deployment(course)
    yield from _target_changed(course)
    yield from _target_unread(course)
    yield from _criteria_changed(course)
    yield from _ahead_of_the_clock(course)


def run_name(run: RunRecord, course: Course) -> str:
    """`checkpoint 6h`, or `the extra run of 2026-05-01 11:20 UTC`."""
    if course.of_run(run) is None:
        return f"the extra run of {wording.moment(run.started_at)}"
    return f"checkpoint {run.checkpoint}"


def _tampered(course: Course) -> Iterator[Objection]:
    found = sorted(course.record.tampered)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        text = f"evidence was altered: {wording.brief(found[0])}{more}"
        at = course.watch.starts_at
        yield objection("tampered", text, at=at, final=True, offset_s=0.0, acceptable=False)


def _foreign(course: Course) -> Iterator[Objection]:
    record, watch = course.record, course.watch
    if (watch.environment, watch.system) != (record.environment, record.system):
        text = (
            f"the watch is over {watch.system} on {watch.environment}, not over {record.system} on {record.environment}"
        )
        yield objection("foreign-watch", text, at=watch.starts_at, final=True, offset_s=0.0)
    if course.foreign:
        first, more = course.foreign[0], len(course.foreign) - 1
        whose = f"{first.system} on {first.environment}"
        if (first.environment, first.system) == (record.environment, record.system):
            whose = f"watch {first.watch}" if first.watch else "no watch"
        others = f" (and {more} more)" if more else ""
        text = f"run {first.run} belongs to {whose}, not to this watch{others}"
        yield objection("foreign-run", text, at=course.foreign[-1].started_at, final=True, offset_s=0.0)


def _closed(course: Course) -> Iterator[Objection]:
    watch = course.watch
    if watch.closed_at is not None:
        because = wording.brief(watch.closed_because) or "no reason is given"
        text = f"the watch was closed at {wording.moment(watch.closed_at)}: {because}"
        yield objection("watch-closed", text, at=watch.closed_at, final=True, acceptable=False)


def _replaced(course: Course) -> Iterator[Objection]:
    """What was watched is not what the environment says is deployed now."""
    present = course.record.deployment
    if present is not None and (told := _deployment_differs(present, course)):
        text = f"another deployment is there now, which has to be watched anew: {told}"
        yield objection("deployment-replaced", text, at=course.now, final=True, acceptable=False)


def _other_deployment(course: Course) -> Iterator[Objection]:
    """The first run on another deployment, and the last one with which that changed again."""
    changed, before = [], course.watch.deployment
    for run in course.runs:
        if _deployment_differs(run.deployment, course) and run.deployment != before:
            changed.append(run)
        before = run.deployment
    if changed:
        told = _deployment_differs(changed[0].deployment, course)
        text = f"{run_name(changed[0], course)} was held on another deployment: {told}"
        again = f", and {run_name(changed[-1], course)} on yet another" if len(changed) > 1 else ""
        yield replace(_at(changed[0], "deployment-changed", text + again, course), at=changed[-1].started_at)


def _deployment_differs(theirs: Deployment, course: Course) -> str:
    ours = course.watch.deployment
    if theirs.version != ours.version:
        return f"version {theirs.version or 'unknown'}, the watch is over {ours.version or 'no named version'}"
    if theirs.deployed_at is None or ours.deployed_at is None:
        return ""
    if abs(theirs.deployed_at - ours.deployed_at) < _SAME_MOMENT:
        return ""
    return f"made at {wording.moment(theirs.deployed_at)}, the watch is over that of {wording.moment(ours.deployed_at)}"


def _target_changed(course: Course) -> Iterator[Objection]:
    """The first run that found something else deployed than the one before, and where that happened last."""
    read = [run for run in course.runs if run.target]
    known = course.watch.target or (read[0].target if read else {})
    before, changed = "the start of the watch", []
    for run in read:
        if parts := differences(known, run.target):
            more = f" and {len(parts) - _PARTS_SHOWN} more" if len(parts) > _PARTS_SHOWN else ""
            where = f"between {before} and {run_name(run, course)}"
            changed.append((run, where, f"{'; '.join(parts[:_PARTS_SHOWN])}{more}"))
        before, known = run_name(run, course), run.target
    if changed:
        (first, where, told), (last, again, _) = changed[0], changed[-1]
        text = f"the target changed {where}: {told}" + (f"; it changed again {again}" if last is not first else "")
        yield replace(_at(first, "target-changed", text, course), at=last.started_at)


def _target_unread(course: Course) -> Iterator[Objection]:
    unread = [c for c in course.checkpoints if c.counted and not any(run.target for run in c.counted)]
    for final in (True, False):
        found = [c for c in unread if c.is_open(course.now) is not final]
        if found:
            text = f"{wording.checkpoints([c.label for c in found])}: what is deployed could not be read"
            first = found[0]
            yield objection(
                "target-unread",
                text,
                at=first.counted[0].started_at,
                final=final,
                offset_s=first.slot.offset_s,
                checkpoint=first.label,
            )


def _criteria_changed(course: Course) -> Iterator[Objection]:
    finished = [run for run in course.runs if run.complete]
    known = course.watch.criteria_digest or next((r.criteria_digest for r in finished), course.record.criteria_digest)
    for run in finished:
        if not run.criteria_digest:
            yield _at(run, "criteria-changed", f"{run_name(run, course)}: nobody knows by which criteria", course)
            return
        if run.criteria_digest != known:
            text = f"{run_name(run, course)} was judged by other criteria than the watch began with"
            yield _at(run, "criteria-changed", text, course)
            return
    if course.record.criteria_digest != known:
        text = "the criteria were changed since the watch began"
        yield objection("criteria-changed", text, at=course.now, final=True)


def _ahead_of_the_clock(course: Course) -> Iterator[Objection]:
    ahead = [run for run in course.runs if is_ahead(run, course.now)]
    if ahead:
        text = f"run {ahead[0].run} is dated in the future, so one of the clocks is wrong"
        yield objection("run-in-the-future", text, at=course.now, final=False)


def _at(run: RunRecord, kind: str, text: str, course: Course) -> Objection:
    return objection(
        kind,
        text,
        at=run.started_at,
        final=True,
        offset_s=course.offset_s(run),
        checkpoint=run.checkpoint,
    )
