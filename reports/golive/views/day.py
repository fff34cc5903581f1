"""The watch checkpoint by checkpoint: what every view of the go-live report is drawn from. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from golive.judge import course
from golive.judge.course import Course, course_of, is_judged_by_runs, is_watched
from golive.model import EXTRA, Criterion, Outcome, RunRecord, Slot, Status, Watch, WatchRecord
from reports.wording import rank

HOUR_S = 3600.0


class State(StrEnum):
    """What became of one scheduled checkpoint."""

    DONE = "done"
    LATE = "late"
    EARLY = "early"
    PARTIAL = "partial"
    ABORTED = "aborted"
    RUNNING = "running"
    MISSED = "missed"
    DUE = "due"
    AHEAD = "ahead"

    @property
    def spoils(self) -> bool:
        """It was not held as it had to be."""
        return self in (State.LATE, State.EARLY, State.PARTIAL, State.ABORTED, State.MISSED)

    @property
    def is_to_come(self) -> bool:
        """Nothing can be said of it yet."""
        return self in (State.AHEAD, State.DUE, State.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One scheduled checkpoint with everything judged at it, or the runs that belong to none (`slot` is None).

    `outcomes` is what stands for each criterion when all its runs are taken together, `missing` what had to be
    judged and was not. `number` counts from 1. What a person answers, and what repeats the verdict, is left out.
    """

    label: str
    number: int
    state: State
    slot: Slot | None = None
    due_at: datetime | None = None
    runs: tuple[RunRecord, ...] = ()
    outcomes: Mapping[str, Outcome]
    expected: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The label for people: `15 min`, `4 h`."""
        return spaced(self.label)

    @property
    def begun_at(self) -> datetime | None:
        """When its first run began."""
        return min((run.started_at for run in self.runs), default=None)

    @property
    def ended_at(self) -> datetime | None:
        """When its last run that came to an end did so."""
        return max((run.finished_at for run in self.runs if run.finished_at), default=None)

    def of(self, *statuses: Status) -> list[Outcome]:
        """The outcomes of these kinds, by criterion id."""
        return [self.outcomes[name] for name in sorted(self.outcomes) if self.outcomes[name].status in statuses]


@dataclass(frozen=True)
class Day:
    """A watch as it is known at `now`."""

    course: Course
    checkpoints: tuple[Checkpoint, ...]
    extra: Checkpoint | None

    @property
    def record(self) -> WatchRecord:
        """Everything that is known."""
        return self.course.record

    @property
    def watch(self) -> Watch:
        """The watch itself."""
        return self.course.watch

    @property
    def now(self) -> datetime:
        """The moment at which it is looked at."""
        return self.course.now

    @property
    def runs(self) -> tuple[RunRecord, ...]:
        """Every run of the watch, oldest first."""
        return self.course.runs

    @property
    def columns(self) -> tuple[Checkpoint, ...]:
        """The scheduled checkpoints, then the other runs if there are any."""
        return self.checkpoints if self.extra is None else (*self.checkpoints, self.extra)

    @property
    def criteria(self) -> dict[str, Criterion]:
        """The criteria of the environment by id."""
        return self.course.criteria

    @cached_property
    def labels(self) -> frozenset[str]:
        """The labels of the schedule."""
        return frozenset(checkpoint.label for checkpoint in self.checkpoints)

    @property
    def length_s(self) -> float:
        """Watch time from hour 0 to the last checkpoint."""
        return max((checkpoint.slot.offset_s for checkpoint in self.course.checkpoints), default=0.0)

    @cached_property
    def areas(self) -> tuple[str, ...]:
        """Every area that has something to judge or an outcome, by name."""
        seen = {c.area for c in self.record.criteria if is_judged_by_runs(c) and is_watched(c)}
        seen |= {area_of(name) for column in self.columns for name in column.outcomes}
        return tuple(sorted(seen))

    def hours(self, moment: datetime) -> float:
        """Hours of watch time since hour 0."""
        return self.watch.offset_s(moment) / HOUR_S

    def judged(self, run: RunRecord) -> list[Outcome]:
        """The outcomes of a run that a verdict rests on."""
        return [outcome for outcome in run.outcomes if self.course.counts(outcome)]


def day_of(record: WatchRecord, now: datetime) -> Day | None:
    """The record in the order of its schedule; None where no watch was begun, or one without any checkpoint."""
    if record.watch is None or not record.watch.schedule:
        return None
    whole = course_of(record, record.watch, now)
    others = [run for run in whole.runs if whole.of_run(run) is None]
    return Day(
        course=whole,
        checkpoints=tuple(_checkpoint(whole, one, number) for number, one in enumerate(whole.checkpoints, 1)),
        extra=_extra(whole, others) if others else None,
    )


def standing(runs: Iterable[RunRecord], counts: Callable[[Outcome], bool]) -> dict[str, Outcome]:
    """What stands for each criterion when runs (oldest first) are judged together, of the outcomes that count.

    A failure stays, whatever came later; what could not be looked at is mended by a later look; otherwise the worse.
    """
    found: dict[str, Outcome] = {}
    for run in runs:
        for outcome in run.outcomes:
            if counts(outcome):
                known = found.get(outcome.criterion)
                if known is None or _stands_over(outcome.status, known.status):
                    found[outcome.criterion] = outcome
    return found


def area_of(criterion: str) -> str:
    """The second part of a criterion's id."""
    parts = criterion.partition("[")[0].split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def spaced(label: str) -> str:
    """`4h` as `4 h`."""
    digits = len(label) - len(label.lstrip("0123456789."))
    return f"{label[:digits]} {label[digits:]}" if 0 < digits < len(label) else label


def _stands_over(new: Status, known: Status) -> bool:
    if known is Status.UNKNOWN and not new.blocks:
        return True
    if new is Status.UNKNOWN and not known.blocks:
        return False
    return rank(new) <= rank(known)


def _extra(whole: Course, runs: Sequence[RunRecord]) -> Checkpoint:
    return Checkpoint(label=EXTRA, number=0, state=State.DONE, runs=tuple(runs), outcomes=standing(runs, whole.counts))


def _checkpoint(whole: Course, one: course.Checkpoint, number: int) -> Checkpoint:
    runs = tuple(run for run in whole.runs if run.checkpoint == one.label)
    expected = frozenset(criterion.id for criterion in one.required)
    judged = {outcome.criterion for run in one.counted for outcome in run.outcomes}
    missing = tuple(sorted(expected - judged)) if one.counted else ()
    return Checkpoint(
        label=one.label,
        number=number,
        state=_state(one, whole.now, partial=bool(missing)),
        slot=one.slot,
        due_at=one.due_at,
        runs=runs,
        outcomes=standing(runs, whole.counts),
        expected=expected,
        missing=missing,
    )


def _state(one: course.Checkpoint, now: datetime, *, partial: bool) -> State:
    if one.counted:
        return State.PARTIAL if partial else State.DONE
    if one.going_on:
        return State.RUNNING
    if now < one.due_at:
        return State.AHEAD
    for runs, state in ((one.aborted, State.ABORTED), (one.late, State.LATE), (one.early, State.EARLY)):
        if runs:
            return state
    return State.DUE if now <= one.deadline else State.MISSED
