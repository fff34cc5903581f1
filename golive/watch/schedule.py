"""When a watch looks: which checkpoint is due, which were missed, and to which one a run belongs. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from golive.environment.load import Environment
from golive.environment.schedule import slots_of
from golive.history.criteria_sets import digest_of
from golive.history.watch_record import policy
from golive.model import Deployment, RunRecord, Slot, Watch, When, utc_text

__all__ = ["SlotState", "Standing", "is_over", "new_watch", "next_due", "slot_of", "slots_of", "state_of_slots"]

_SLACK = timedelta(seconds=1)
"""How far the clocks of two machines may lie apart before a run counts as begun too early."""
_TO_BEGIN_S = 8.0
"""So long a busy machine takes until a run has begun."""
_SHORT_OF = 0.9
Required = Mapping[When, Collection[str]]
"""The criteria that a run must select in order to count as one of each occasion."""


class Standing(StrEnum):
    """How a scheduled checkpoint stands."""

    DONE = "done"
    RUNNING = "running"
    OPEN = "open"
    MISSED = "missed"
    UPCOMING = "upcoming"


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotState:
    """One checkpoint, how it stands, and the runs that belong to it, oldest first."""

    slot: Slot
    standing: Standing
    due_at: datetime
    deadline: datetime
    runs: tuple[RunRecord, ...] = ()


def new_watch(
    environment: Environment,
    *,
    deployed_at: datetime,
    now: datetime,
    time_scale: float = 1.0,
    replaces: str | None = None,
    reason: str = "",
    anew: bool = False,
) -> Watch:
    """A watch over what was deployed at `deployed_at`; ValueError when the environment has no `watch` section.

    Hour 0 is the deployment; it is `now` when a person begins the watch `anew`, and when time is compressed. The id
    follows from all of this, so that two processes that begin the same watch at once begin one.
    """
    section = environment.section.watch
    if section is None:
        raise ValueError(f"environment {environment.name} has no 'watch'")
    starts_at = now if anew or time_scale != 1.0 else deployed_at
    deployment = Deployment(version=environment.deployment.version, deployed_at=deployed_at)
    told = [environment.system, deployment.version, utc_text(deployed_at), utc_text(starts_at), time_scale, replaces]
    digest = hashlib.sha256(repr(told).encode()).hexdigest()
    return Watch(
        id=f"{environment.name}-{starts_at:%Y%m%dT%H%M%SZ}-{digest[:6]}",
        environment=environment.name,
        system=environment.system,
        deployment=deployment,
        starts_at=starts_at,
        opened_at=now,
        schedule=slots_of(section.schedule),
        tolerance_s=_tolerance_s(section.tolerance, slots_of(section.schedule), time_scale),
        time_scale=time_scale,
        criteria_digest=digest_of(environment.criteria, environment.secrets),
        policy=policy(environment),
        replaces=replaces,
        reason=reason,
    )


def _tolerance_s(asked_s: float, schedule: Sequence[Slot], time_scale: float) -> float:
    """What is asked; in a trial not less real time than a run takes to begin, and short of the next checkpoint."""
    if time_scale <= 1.0:
        return asked_s
    gaps = [later.offset_s - slot.offset_s for slot, later in pairwise(schedule)]
    return max(asked_s, min([_TO_BEGIN_S * time_scale, *(_SHORT_OF * gap for gap in gaps)]))


def slot_of(watch: Watch, selected: Collection[str], required: Required, started_at: datetime) -> Slot | None:
    """The checkpoint that a run belongs to which began at `started_at` and judges the criteria `selected`, or None.

    It began between the time at which that checkpoint is due and its deadline, and selected every criterion of at
    least one of its occasions. Where two such windows overlap it is the later checkpoint.
    """
    chosen = set(selected)
    for slot in reversed(watch.schedule):
        if watch.due_at(slot) <= started_at <= watch.deadline(slot) and _judges_one(slot, chosen, required):
            return slot
    return None


def state_of_slots(
    watch: Watch, runs: Sequence[RunRecord], now: datetime, *, required: Required | None = None
) -> list[SlotState]:
    """How each checkpoint of the schedule stands at `now`, in order of time.

    A checkpoint is open from when it is due to its deadline, until complete runs have judged all of its occasions
    (`required`; without it any complete run is enough). One that had no complete run by then was missed. A run that
    began before its checkpoint was due is left out.
    """
    return [_state(watch, slot, _runs_at(watch, slot, runs), now, required) for slot in watch.schedule]


def next_due(
    watch: Watch, runs: Sequence[RunRecord], now: datetime, *, required: Required | None = None
) -> Slot | None:
    """The first checkpoint that is still to be run, now or later; None when the schedule is over."""
    states = state_of_slots(watch, runs, now, required=required)
    waiting = (Standing.OPEN, Standing.UPCOMING)
    return next((state.slot for state in states if state.standing in waiting), None)


def is_over(watch: Watch, now: datetime) -> bool:
    """Whether no checkpoint can begin in time any more."""
    return now > watch.deadline(watch.schedule[-1])


def is_going_on(run: RunRecord) -> bool:
    """Whether the run has neither come to its end nor been broken off."""
    return run.finished_at is None and run.aborted is None


def _state(
    watch: Watch, slot: Slot, runs: tuple[RunRecord, ...], now: datetime, required: Required | None
) -> SlotState:
    due_at, deadline = watch.due_at(slot), watch.deadline(slot)
    complete = [run for run in runs if run.complete]
    if any(is_going_on(run) for run in runs):
        standing = Standing.RUNNING
    elif complete and (now > deadline or _judges_all(slot, complete, required)):
        standing = Standing.DONE
    elif now < due_at:
        standing = Standing.UPCOMING
    else:
        standing = Standing.OPEN if now <= deadline else Standing.MISSED
    return SlotState(slot=slot, standing=standing, due_at=due_at, deadline=deadline, runs=runs)


def _runs_at(watch: Watch, slot: Slot, runs: Sequence[RunRecord]) -> tuple[RunRecord, ...]:
    """Those that name the checkpoint, without any that began before it was due: they prove nothing of that hour."""
    begins = watch.due_at(slot) - _SLACK
    own = [run for run in runs if run.watch == watch.id and run.checkpoint == slot.label and run.started_at >= begins]
    return tuple(sorted(own, key=lambda run: run.started_at))


def _judges_one(slot: Slot, selected: set[str], required: Required) -> bool:
    """Whether one of the occasions is judged completely; an occasion without criteria is never judged."""
    return any((wanted := set(required.get(occasion, ()))) and wanted <= selected for occasion in slot.occasions)


def _judges_all(slot: Slot, runs: Sequence[RunRecord], required: Required | None) -> bool:
    if required is None:
        return True
    selected = {criterion for run in runs for criterion in run.selected}
    return all(set(required.get(occasion, ())) <= selected for occasion in slot.occasions)
