"""Keeping a watch: whatever is due is run, once; what was missed is told; nothing is remembered but in the history.

What to do next follows at every look from the history and the clock alone. So a keeper may be killed, the machine may
sleep and its clock may be set: the next look finds what was run and what was not.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from golive.history.runs import mark_dead, run_record, run_records
from golive.history.store import History, HistoryUnusable
from golive.history.watches import watch_by_id
from golive.model import CouldNotLook, Outcome, RunRecord, Severity, Slot, Status, Watch, utc_text
from golive.watch.clock import Clock
from golive.watch.schedule import Required, SlotState, Standing, state_of_slots

LOOK_EVERY_S = 5.0
SHORTEST_LIMIT_S = 120.0
GRACE_S = 15.0
_POLL_S = 0.1
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 60.0
_FAILURES_TOLD = 5


class Ending(StrEnum):
    """Why a keeper came to its end."""

    OVER = "over"
    REPLACED = "replaced"
    STOPPED = "stopped"


class Run(Protocol):
    """The run of a checkpoint that was begun."""

    def poll(self) -> int | None:
        """Its exit code, None while it goes on."""

    def interrupt(self) -> None:
        """Ask it to end in order."""

    def kill(self) -> None:
        """End it at once."""

    def tail(self) -> str:
        """The end of what it printed."""


class NotNow(Exception):
    """A checkpoint cannot be run at the moment; the message says why."""


Begin = Callable[[Slot], Run | None]
"""Begins the run of a checkpoint, or gives None while another one goes on. OSError, NotNow."""


class Keeper:
    """Keeps one watch until its schedule is over.

    `begin` runs a checkpoint; without it others do (cron), and the keeper only follows. `stands` gives the id of the
    watch that a run would take part in now. `stop` ends it in order: a run under way comes to its end first, unless
    `hurry` is set as well. `tell` is called with sentences for a person.
    """

    def __init__(
        self,
        history: History,
        watch: Watch,
        *,
        begin: Begin | None,
        stands: Callable[[], str],
        required: Required,
        clock: Clock,
        tell: Callable[[str], None],
        stop: threading.Event,
        hurry: threading.Event,
        look_every_s: float = LOOK_EVERY_S,
        poll_s: float = _POLL_S,
    ) -> None:
        self._history = history
        self._watch = watch
        self._begin = begin
        self._stands = stands
        self._required = required
        self._clock = clock
        self._tell = tell
        self._stop = stop
        self._hurry = hurry
        self._look_every_s = min(look_every_s, max(0.2, self._tolerance_s / 3))
        self._poll_s = poll_s
        self._missed: set[str] = set()
        self._failed_attempts: dict[str, int] = {}
        self._not_before_s: dict[str, float] = {}
        self._trouble = ""
        self._has_run = False

    def keep(self) -> Ending:
        """Until the last checkpoint was run or missed, another watch took the place of this one, or `stop` is set."""
        while not self._stop.is_set():
            ending = self.look()
            if ending is not None:
                return ending
            # A run took its time, in which another checkpoint may have become due.
            self._clock.wait(0.0 if self._has_run else self._pause_s(), self._stop)
        return Ending.STOPPED

    def look(self) -> Ending | None:
        """Look once, and run what is due; how it ended if there is nothing left to do. A look that fails is told."""
        self._has_run = False
        try:
            stored = watch_by_id(self._history, self._watch.id)
            if stored is None or stored.closed_at is not None:
                return Ending.REPLACED
            states = self.states()
            self._tell_missed(states)
            if all(state.standing in (Standing.DONE, Standing.MISSED) or self._was_run(state) for state in states):
                return Ending.OVER
            due = [s.slot for s in states if s.standing is Standing.OPEN and not self._was_run(s)]
            ready = [slot for slot in due if self._may_run(slot)]
            is_replaced = bool(ready) and not self._run(ready[0])
            if not due:
                self._trouble = ""
        except HistoryUnusable as error:
            self._tell_trouble(f"trying again: {error}")
            return None
        return Ending.REPLACED if is_replaced else None

    def states(self) -> list[SlotState]:
        """How every checkpoint stands now."""
        mark_dead(self._history)
        runs = run_records(self._history, self._watch.environment, watch=self._watch.id, outcomes=False)
        return state_of_slots(self._watch, runs, self._clock.now(), required=self._required)

    def _may_run(self, slot: Slot) -> bool:
        is_time = self._clock.monotonic() >= self._not_before_s.get(slot.label, float("-inf"))
        return self._begin is not None and is_time and not self._stop.is_set()

    def _run(self, slot: Slot) -> bool:
        """Run a checkpoint to its end; False if another watch took the place of this one."""
        assert self._begin is not None  # noqa: S101 - asked by `_may_run`
        try:
            if self._stands() != self._watch.id:
                return False
            run = self._begin(slot)
        except (OSError, NotNow, CouldNotLook) as error:
            self._put_off(slot)
            self._tell_trouble(f"checkpoint {slot.label} cannot be run now, trying again: {error}")
            return True
        if run is None:
            self._tell_trouble(f"checkpoint {slot.label} waits: another run that a watch began still goes on")
            return True
        self._trouble, self._has_run = "", True
        self._tell(f"checkpoint {slot.label} begins ({' and '.join(slot.occasions)})")
        self._judge(slot, run, self._wait_for(slot, run))
        return True

    def _wait_for(self, slot: Slot, run: Run) -> int:
        began_s, limit_s = self._clock.monotonic(), self._limit_s(slot)
        is_told = False
        while (code := run.poll()) is None:
            if self._hurry.is_set():
                return self._end(run)
            if self._clock.monotonic() - began_s > limit_s:
                self._tell(f"checkpoint {slot.label} has taken longer than {limit_s:.0f} s and is told to stop")
                return self._end(run)
            if self._stop.is_set() and not is_told:
                is_told = True
                self._tell(f"stopping once checkpoint {slot.label} has ended; ask again to stop it at once")
            self._clock.wait(self._poll_s, self._hurry)
        return code

    def _end(self, run: Run) -> int:
        """Ask the run to end, and end it if it does not."""
        run.interrupt()
        until_s = self._clock.monotonic() + GRACE_S
        never = threading.Event()
        while (code := run.poll()) is None:
            if self._clock.monotonic() > until_s:
                run.kill()
                return -9
            self._clock.wait(self._poll_s, never)
        return code

    def _limit_s(self, slot: Slot) -> float:
        """How long a run may take: well into the time in which the next checkpoint may still begin."""
        schedule = self._watch.schedule
        position = schedule.index(slot)
        if position + 1 < len(schedule):
            until = self._watch.moment(schedule[position + 1].offset_s + self._watch.tolerance_s / 2)
        else:
            before_s = schedule[position - 1].offset_s if position else 0.0
            until = self._watch.moment(slot.offset_s + max(slot.offset_s - before_s, self._watch.tolerance_s))
        return max(SHORTEST_LIMIT_S, (until - self._clock.now()).total_seconds())

    def _judge(self, slot: Slot, run: Run, code: int) -> None:
        """Say how it went; a checkpoint that has no complete run is tried again after a while, up to its deadline."""
        state = next(state for state in self.states() if state.slot == slot)
        if self._was_run(state) or state.standing is Standing.DONE:
            self._failed_attempts.pop(slot.label, None)
            self._tell_outcomes(state)
            return
        self._put_off(slot)
        again = (
            "it is tried again" if state.standing is Standing.OPEN and not self._stop.is_set() else "too late to repeat"
        )
        self._tell(
            f"checkpoint {slot.label} did not come to its end (exit code {code}); {again}. It printed:\n{run.tail()}"
        )

    def _tell_outcomes(self, state: SlotState) -> None:
        last = run_record(self._history, [run.run for run in state.runs if run.complete][-1])
        outcomes = last.outcomes if last is not None else ()
        counts = Counter(outcome.status for outcome in outcomes)
        told = ", ".join(f"{count} {status.value.replace('_', ' ')}" for status, count in sorted(counts.items()))
        self._tell(f"checkpoint {state.slot.label} has ended: {told or 'nothing was judged'}")
        gravest = list(Severity).index
        blocking = sorted((o for o in outcomes if o.status.blocks), key=lambda o: (gravest(o.severity), o.criterion))
        for outcome in blocking[:_FAILURES_TOLD]:
            self._tell(f"  {outcome.criterion}: {outcome.status.value}: {outcome.message}")
        if len(blocking) > _FAILURES_TOLD:
            self._tell(f"  … and {len(blocking) - _FAILURES_TOLD} more")
        is_mendable = any(outcome.status is Status.UNKNOWN and not _is_by_person(outcome) for outcome in blocking)
        if is_mendable and self._clock.now() <= state.deadline:
            until = utc_text(state.deadline)
            self._tell(
                f"  what is unknown can be mended until {until} by another run, with --checkpoint={state.slot.label}"
            )

    def _was_run(self, state: SlotState) -> bool:
        """Whether a complete run judged what a keeper would have run, whatever is required by now."""
        return any(run.complete and run.selection == selection(state.slot) for run in state.runs)

    def _put_off(self, slot: Slot) -> None:
        attempts = self._failed_attempts[slot.label] = self._failed_attempts.get(slot.label, 0) + 1
        pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(attempts - 1, 10), self._tolerance_s / 4)
        self._not_before_s[slot.label] = self._clock.monotonic() + pause_s

    @property
    def _tolerance_s(self) -> float:
        """How late a checkpoint may begin, in real seconds."""
        return self._watch.tolerance_s / self._watch.time_scale

    def _pause_s(self) -> float:
        """Until the next look: soon, and no later than the next checkpoint is due."""
        now = self._clock.now()
        waits = [(self._watch.due_at(slot) - now).total_seconds() for slot in self._watch.schedule]
        return min([self._look_every_s, *(wait for wait in waits if wait > 0)])

    def _tell_missed(self, states: Sequence[SlotState]) -> None:
        missed = [state for state in states if state.standing is Standing.MISSED]
        for state in missed:
            if state.slot.label not in self._missed:
                self._tell(_missed(state))
        self._missed = {state.slot.label for state in missed}

    def _tell_trouble(self, text: str) -> None:
        if text != self._trouble:
            self._trouble = text
            self._tell(text)


def selection(slot: Slot) -> str:
    """What pytest is told to select for a checkpoint (`-m`)."""
    return " or ".join(slot.occasions)


def _is_by_person(outcome: Outcome) -> bool:
    return (outcome.check or "").startswith("people/")


def _missed(state: SlotState) -> str:
    label, deadline = state.slot.label, utc_text(state.deadline)
    return f"checkpoint {label} was missed: {_what_ran(state.runs)} until {deadline}"


def _what_ran(runs: Sequence[RunRecord]) -> str:
    if not runs:
        return "nothing ran"
    return f"no run came to its end ({', '.join(f'{run.run}: {run.aborted}' for run in runs)})"
