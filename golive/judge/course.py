"""The course of a watch: which runs were held at which checkpoint, and what each checkpoint requires. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from golive.model import Criterion, Outcome, RunRecord, Slot, Status, Watch, WatchRecord, When

WATCHED = frozenset({When.SMOKE, When.CHECKPOINT, When.GOLIVE})
"""The occasions of a watch; what is judged only at others is no part of it."""
THE_VERDICT = "history/approved"
BY_PERSON = "people/attested"
DERIVED = frozenset(
    f"history/{name}"
    for name in ("answered", "passed", "clean", "ready", "scheduled", "repeated", "actions", "watched", "available")
)
"""Checks that only say again what the verdict reads from the same records itself."""
CLOCK_SLACK = timedelta(seconds=1)
"""How far the clocks of two machines may lie apart before a run counts as begun too early."""


class Look(NamedTuple):
    """One outcome with the run that it comes from."""

    run: RunRecord
    outcome: Outcome

    @property
    def status(self) -> Status:
        """What it came to."""
        return self.outcome.status


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One slot of the schedule with the runs that name it.

    `counted` are the runs that came to their end in order and began when they should; the other runs of this
    slot were broken off (`aborted`), are `going_on`, or began before it was due (`early`) or too `late`.
    """

    slot: Slot
    due_at: datetime
    deadline: datetime
    required: tuple[Criterion, ...]
    counted: tuple[RunRecord, ...] = ()
    going_on: tuple[RunRecord, ...] = ()
    aborted: tuple[RunRecord, ...] = ()
    early: tuple[RunRecord, ...] = ()
    late: tuple[RunRecord, ...] = ()

    @property
    def label(self) -> str:
        """What the checkpoint is called, `4h`."""
        return self.slot.label

    def is_open(self, now: datetime) -> bool:
        """Whether a run can still be held, or be repeated, or is about to end."""
        return now <= self.deadline or bool(self.going_on)

    @cached_property
    def looks(self) -> dict[str, list[Look]]:
        """What the runs that count came to, by criterion, in order of time."""
        found: dict[str, list[Look]] = {}
        for run in self.counted:
            for outcome in in_order(run):
                found.setdefault(outcome.criterion, []).append(Look(run, outcome))
        return found


@dataclass(frozen=True, kw_only=True)
class Course:
    """A watch at a moment: its checkpoints in order of time, its own runs, and runs that are not its own."""

    record: WatchRecord
    watch: Watch
    now: datetime
    checkpoints: tuple[Checkpoint, ...]
    runs: tuple[RunRecord, ...]
    foreign: tuple[RunRecord, ...]

    @cached_property
    def criteria(self) -> dict[str, Criterion]:
        """The criteria of the environment by id."""
        return {c.id: c for c in self.record.criteria}

    def of_run(self, run: RunRecord) -> Checkpoint | None:
        """The checkpoint that a run names, None for an extra one."""
        return next((c for c in self.checkpoints if c.label == run.checkpoint), None)

    def offset_s(self, run: RunRecord) -> float:
        """The watch time of a run: its checkpoint's, or else its own."""
        checkpoint = self.of_run(run)
        return self.watch.offset_s(run.started_at) if checkpoint is None else checkpoint.slot.offset_s

    def counts(self, outcome: Outcome) -> bool:
        """Whether a failure of it stands against GO; not what a person answers, what follows the verdict, or the care
        of a system that is already live."""
        criterion = self.criteria.get(outcome.criterion)
        if criterion is None:
            return outcome.check not in (THE_VERDICT, BY_PERSON)
        return is_judged_by_runs(criterion) and set(criterion.when) != {When.MAINTENANCE}

    @property
    def last(self) -> Checkpoint:
        """The checkpoint that ends the watch."""
        return self.checkpoints[-1]

    @property
    def is_over(self) -> bool:
        """Whether the last checkpoint was held, or can be held no more."""
        return not self.last.going_on and (bool(self.last.counted) or self.now > self.last.deadline)


def course_of(record: WatchRecord, watch: Watch, now: datetime) -> Course:
    """The course of `watch` at `now`; a schedule without any slot gives one without checkpoints."""
    ordered = sorted(record.runs, key=_begin)
    own = tuple(run for run in ordered if _is_own(run, record, watch))
    slots = sorted(watch.schedule, key=lambda slot: (slot.offset_s, slot.label))
    return Course(
        record=record,
        watch=watch,
        now=now,
        checkpoints=tuple(_checkpoint(slot, watch, record.criteria, own, now) for slot in slots),
        runs=own,
        foreign=tuple(run for run in ordered if not _is_own(run, record, watch)),
    )


def in_order(run: RunRecord) -> list[Outcome]:
    """The outcomes of a run by criterion: the order in which they arrived must not show anywhere."""
    return sorted(run.outcomes, key=lambda o: (o.criterion, o.started_at, o.status.value, o.message))


def is_judged_by_runs(criterion: Criterion) -> bool:
    """Whether a run has an outcome of it that counts."""
    return criterion.answer in ("check", "not_applicable") and criterion.check not in (THE_VERDICT, BY_PERSON)


def is_by_person(criterion: Criterion) -> bool:
    """Whether a person answers it."""
    return criterion.answer == "attest" or criterion.check == BY_PERSON


def is_watched(criterion: Criterion) -> bool:
    """Whether it belongs to the watch at all."""
    return not WATCHED.isdisjoint(criterion.when)


def is_ahead(run: RunRecord, now: datetime) -> bool:
    """Whether it is dated in the future, so that one of the clocks is wrong."""
    return run.started_at > now + CLOCK_SLACK


def is_finished(run: RunRecord, now: datetime) -> bool:
    """Came to its end in order, as far as anybody can know at `now`."""
    return run.complete and run.finished_at is not None and run.finished_at <= now + CLOCK_SLACK


def _begin(run: RunRecord) -> tuple[datetime, str, str]:
    return run.started_at, run.run, run.environment


def _is_own(run: RunRecord, record: WatchRecord, watch: Watch) -> bool:
    return (run.environment, run.system, run.watch) == (record.environment, record.system, watch.id)


def _checkpoint(
    slot: Slot, watch: Watch, criteria: Iterable[Criterion], runs: Iterable[RunRecord], now: datetime
) -> Checkpoint:
    due_at, deadline = watch.due_at(slot), watch.deadline(slot)
    sorts: dict[str, list[RunRecord]] = {"counted": [], "going_on": [], "aborted": [], "early": [], "late": []}
    for run in runs:
        if run.checkpoint == slot.label and not is_ahead(run, now):
            sorts[_sort_of(run, due_at, deadline, now)].append(run)
    required = tuple(c for c in criteria if is_judged_by_runs(c) and not set(slot.occasions).isdisjoint(c.when))
    sorted_runs = {name: tuple(found) for name, found in sorts.items()}
    return Checkpoint(slot=slot, due_at=due_at, deadline=deadline, required=required, **sorted_runs)


def _sort_of(run: RunRecord, due_at: datetime, deadline: datetime, now: datetime) -> str:
    if run.started_at < due_at - CLOCK_SLACK:
        return "early"
    if run.started_at > deadline:
        return "late"
    if run.aborted is not None:
        return "aborted"
    return "counted" if is_finished(run, now) else "going_on"
