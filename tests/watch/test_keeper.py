"""A keeper through whole days of fake time: nothing is run twice, nothing is forgotten, whatever the clocks do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from golive.history.runs import begin_run, run_records
from golive.history.store import History
from golive.history.watches import close_watch, open_watch
from golive.model import CouldNotLook, Status, Watch
from golive.watch.clock import FakeClock
from golive.watch.keeper import Begin, Ending, Keeper, NotNow, selection
from golive.watch.schedule import slots_of
from tests.watch.made import CPU, HOUR_S, LABELS, REQUIRED, START, FakeRuns, day, held, hours, run_at


@dataclass
class Days:
    """A history, a clock, and keepers one after the other."""

    history: History
    watch: Watch
    clock: FakeClock
    runs: FakeRuns
    said: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    hurry: threading.Event = field(default_factory=threading.Event)

    def keeper(self, *, begin: Begin | None = None, stands: Callable[[], str] | None = None, **more: Any) -> Keeper:
        given = {"look_every_s": 300.0, "poll_s": 5.0, **more}
        return Keeper(
            self.history,
            self.watch,
            begin=begin or self.runs.begin,
            stands=stands or (lambda: self.watch.id),
            required=REQUIRED,
            clock=self.clock,
            tell=self.said.append,
            stop=self.stop,
            hurry=self.hurry,
            **given,
        )

    def at(self, hour: float, action: Callable[[], None]) -> None:
        """Let something happen after so many hours of waiting."""
        self.clock.at(hour * HOUR_S, action)

    @property
    def missed(self) -> list[str]:
        return [line.split()[1] for line in self.said if " was missed: " in line]

    @property
    def complete(self) -> list[str | None]:
        runs = run_records(self.history, "shop", watch=self.watch.id, complete=True)
        return [run.checkpoint for run in runs]


@pytest.fixture
def days(tmp_path: Path) -> Iterator[Days]:
    with History.open(tmp_path / "history.sqlite", timeout_s=0.05) as history:
        clock = FakeClock(START)
        watch = open_watch(history, day())
        yield Days(history, watch, clock, FakeRuns(history, watch, clock))


def test_every_checkpoint_is_run_when_it_is_due(days: Days) -> None:
    assert days.keeper().keep() is Ending.OVER
    assert days.runs.begun == LABELS == days.complete
    late = [at - days.watch.due_at(slot) for at, slot in zip(days.runs.at, days.watch.schedule, strict=True)]
    assert max(late) <= timedelta(seconds=1)
    assert days.missed == []
    assert days.clock.now() - days.watch.ends_at < timedelta(minutes=10)


def test_what_fails_at_a_checkpoint_is_told(days: Days) -> None:
    found = [held(START, f"shop.health.c{n}", Status.FAIL, f"{n} %") for n in range(7)]
    days.runs.outcomes = {"1h": (*found, held(START))}
    days.keeper().keep()
    assert "checkpoint 1h has ended: 7 fail, 1 pass" in days.said
    assert "  shop.health.c0: fail: 0 %" in days.said
    assert "  … and 2 more" in days.said


def test_what_is_unknown_can_be_mended_by_another_run_while_there_is_time(days: Days) -> None:
    unknown = held(START, CPU, Status.UNKNOWN, "host app: cannot be reached")
    asked = replace(held(START, "shop.signoff.qa", Status.UNKNOWN, "not signed yet"), check="people/attested")
    days.runs.outcomes = {"1h": (unknown,), "2h": (asked,)}
    days.keeper().keep()
    hints = [line for line in days.said if "can be mended" in line]
    until = "2026-05-01T10:15:00.000Z"
    assert hints == [f"  what is unknown can be mended until {until} by another run, with --checkpoint=1h"]


def test_what_was_due_while_the_machine_slept_is_missed_and_the_rest_goes_on(days: Days) -> None:
    days.at(4.5, lambda: days.clock.sleep(5 * HOUR_S))
    assert days.keeper().keep() is Ending.OVER
    assert days.missed == ["6h", "8h"]
    assert days.runs.begun == [label for label in LABELS if label not in ("6h", "8h")]
    assert any(line.startswith("checkpoint 6h was missed: nothing ran until 2026-05-01T15:15:00") for line in days.said)


def test_a_machine_that_wakes_within_the_tolerance_runs_what_is_due_at_once(days: Days) -> None:
    days.at(3.5, lambda: days.clock.sleep(0.6 * HOUR_S))
    assert days.keeper(look_every_s=30.0).keep() is Ending.OVER
    assert days.missed == []
    began = dict(zip(days.runs.begun, days.runs.at, strict=True))["4h"]
    assert timedelta(minutes=5) < began - days.watch.due_at(days.watch.schedule[4]) < timedelta(minutes=8)


def test_a_sleep_in_the_middle_of_a_run_neither_loses_nor_repeats_it(days: Days) -> None:
    days.at(4.01, lambda: days.clock.sleep(1.5 * HOUR_S))
    assert days.keeper().keep() is Ending.OVER
    assert days.runs.begun == LABELS
    assert days.runs.told == []


def test_a_clock_that_is_set_back_runs_nothing_twice(days: Days) -> None:
    days.at(10.5, lambda: days.clock.set_back(3 * HOUR_S))
    assert days.keeper().keep() is Ending.OVER
    assert days.runs.begun == LABELS
    assert days.missed == []


def test_a_clock_that_was_wrong_for_a_while_misses_nothing(days: Days) -> None:
    days.at(4.5, lambda: days.clock.sleep(5 * HOUR_S))
    days.at(4.6, lambda: days.clock.set_back(5 * HOUR_S))
    assert days.keeper().keep() is Ending.OVER
    assert days.runs.begun == LABELS
    assert days.missed == ["6h", "8h"]


def test_a_keeper_that_is_started_again_goes_on_where_the_last_one_was(days: Days) -> None:
    for hour in (0.1, 1.001, 3.7, 11.9):
        days.at(hour, days.stop.set)
    endings: list[Ending] = []
    while not endings or endings[-1] is not Ending.OVER:
        days.stop.clear()
        endings.append(days.keeper().keep())
    assert endings == [Ending.STOPPED] * 4 + [Ending.OVER]
    assert days.runs.begun == LABELS == days.complete


def test_one_that_begins_late_says_what_it_missed_once(days: Days) -> None:
    days.clock.sleep(7.1 * HOUR_S)
    assert days.keeper().keep() is Ending.OVER
    assert days.missed == LABELS[:6]
    assert days.runs.begun == LABELS[6:]


def test_a_watch_whose_time_is_over_ends_at_once(days: Days) -> None:
    days.clock.sleep(30 * HOUR_S)
    assert days.keeper().keep() is Ending.OVER
    assert days.runs.begun == []
    assert days.missed == LABELS


def test_a_trial_is_the_same_in_minutes(tmp_path: Path) -> None:
    with History.open(tmp_path / "history.sqlite") as history:
        clock, watch = FakeClock(START), open_watch(history, day(time_scale=240))
        days = Days(history, watch, clock, FakeRuns(history, watch, clock, takes_s=3.0))
        assert days.keeper(look_every_s=5.0, poll_s=0.1).keep() is Ending.OVER
        assert days.runs.begun == LABELS
        assert clock.now() - START < timedelta(minutes=6, seconds=10)


# Runs that do not come to their end


def test_a_run_that_dies_is_repeated_while_there_is_time(days: Days) -> None:
    days.runs.ends = {"4h": ["dies"]}
    assert days.keeper().keep() is Ending.OVER
    assert days.runs.begun.count("4h") == 2
    assert days.missed == []
    told = "checkpoint 4h did not come to its end (exit code -9); it is tried again. It printed:\nthe tail of run-4"
    assert told in days.said


def test_a_run_that_never_succeeds_is_tried_with_pauses_and_then_missed(days: Days) -> None:
    days.runs.takes_s = 1.0
    days.runs.ends = {"4h": ["refuses"] * 100}
    assert days.keeper(look_every_s=30.0).keep() is Ending.OVER
    assert 5 < days.runs.begun.count("4h") < 25
    assert days.missed == ["4h"]
    assert "6h" in days.runs.begun
    assert any("checkpoint 4h did not come to its end (exit code 4)" in line for line in days.said)


def test_too_late_to_repeat_is_said(days: Days) -> None:
    days.runs.takes_s = 1000.0
    days.runs.ends = {"4h": ["dies"]}
    days.keeper().keep()
    assert any("(exit code -9); too late to repeat" in line for line in days.said)
    told = "checkpoint 4h was missed: no run came to its end (run-4: its process died)"
    assert any(line.startswith(told) for line in days.said)


def test_a_checkpoint_that_cannot_be_begun_is_told_once_and_tried_again(days: Days) -> None:
    troubles: list[Exception] = [OSError("no process left"), NotNow("shop.yaml:1: wrong"), CouldNotLook("no host")]

    def begin(slot: Any) -> Any:
        if slot.label == "2h" and troubles:
            raise troubles.pop(0)
        return days.runs.begin(slot)

    assert days.keeper(begin=begin).keep() is Ending.OVER
    assert days.runs.begun == LABELS
    told = [line for line in days.said if "cannot be run now" in line]
    assert told == [
        f"checkpoint 2h cannot be run now, trying again: {why}"
        for why in ("no process left", "shop.yaml:1: wrong", "no host")
    ]


def test_a_run_that_hangs_is_told_to_stop_before_it_costs_the_next_checkpoint(days: Days) -> None:
    days.runs.ends = {"4h": ["hangs"], "6h": ["clings"]}
    assert days.keeper(look_every_s=30.0).keep() is Ending.OVER
    assert days.runs.begun == LABELS
    assert days.runs.told == ["interrupt", "interrupt", "kill"]
    assert days.missed == ["4h", "6h"]
    began = dict(zip(days.runs.begun, days.runs.at, strict=True))
    assert began["6h"] - days.watch.due_at(days.watch.schedule[5]) < timedelta(minutes=8)
    assert any("checkpoint 4h has taken longer than 76" in line for line in days.said)


# Others who run checkpoints


def test_a_checkpoint_that_somebody_else_ran_is_not_run_again(days: Days) -> None:
    at = START + hours(1)
    days.at(0.5, lambda: begin_run(days.history, run_at(days.watch, at, "1h")))
    days.keeper().keep()
    assert "1h" not in days.runs.begun
    assert days.complete.count("1h") == 1


def test_a_checkpoint_that_somebody_ran_too_early_is_run_when_it_is_due(days: Days) -> None:
    early = run_at(days.watch, START + hours(0.6), "1h")
    days.at(0.6, lambda: begin_run(days.history, early))
    days.keeper().keep()
    assert days.runs.begun == LABELS


def test_a_part_of_the_last_checkpoint_that_somebody_ran_does_not_stand_for_all(days: Days) -> None:
    part = run_at(days.watch, START + hours(24), "24h", selected=(CPU,), selection="checkpoint")
    days.at(23.9, lambda: begin_run(days.history, part))
    assert days.keeper().keep() is Ending.OVER
    assert days.runs.begun[-1] == "24h"


def test_a_run_of_its_own_is_not_repeated_because_more_is_required_by_now(days: Days) -> None:
    more = {**REQUIRED, slots_of(["1 h"])[0].occasions[0]: {CPU, "shop.new"}}
    keeper = Keeper(
        days.history, days.watch, begin=days.runs.begin, stands=lambda: days.watch.id, required=more,
        clock=days.clock, tell=days.said.append, stop=days.stop, hurry=days.hurry, look_every_s=300.0, poll_s=5.0,
    )  # fmt: skip
    assert keeper.keep() is Ending.OVER
    assert days.runs.begun == LABELS


def test_while_a_predecessors_run_goes_on_it_waits(days: Days) -> None:
    busy = [None, None, None]

    def begin(slot: Any) -> Any:
        return busy.pop() if busy else days.runs.begin(slot)

    assert days.keeper(begin=begin).keep() is Ending.OVER
    assert days.runs.begun == LABELS
    waits = [line for line in days.said if "waits" in line]
    assert waits == ["checkpoint 15min waits: another run that a watch began still goes on"]


def test_who_only_follows_runs_nothing(days: Days) -> None:
    for hour, label in ((0.25, "15min"), (1.0, "1h")):
        days.at(hour, lambda hour=hour, label=label: begin_run(  # type: ignore[misc]
            days.history, run_at(days.watch, START + hours(hour), label)))  # fmt: skip
    keeper = Keeper(
        days.history, days.watch, begin=None, stands=lambda: days.watch.id, required=REQUIRED, clock=days.clock,
        tell=days.said.append, stop=days.stop, hurry=days.hurry, look_every_s=300.0,
    )  # fmt: skip
    assert keeper.keep() is Ending.OVER
    assert days.missed == LABELS[2:]


def test_a_watch_that_was_replaced_is_kept_no_longer(days: Days) -> None:
    days.at(2.5, lambda: close_watch(days.history, days.watch.id, days.clock.now(), "a fix"))
    assert days.keeper().keep() is Ending.REPLACED
    assert days.runs.begun == LABELS[:3]


def test_before_a_checkpoint_it_asks_whether_the_watch_still_stands(days: Days) -> None:
    assert days.keeper(stands=lambda: "another").keep() is Ending.REPLACED
    assert days.runs.begun == []


# Stopping, and a history that is out of reach


def test_the_running_checkpoint_comes_to_its_end_first(days: Days) -> None:
    days.at(1.01, days.stop.set)
    assert days.keeper().keep() is Ending.STOPPED
    assert days.complete == ["15min", "1h"]
    assert "stopping once checkpoint 1h has ended; ask again to stop it at once" in days.said


def test_asked_twice_it_stops_the_running_checkpoint_at_once(days: Days) -> None:
    days.at(1.01, days.stop.set)
    days.at(1.02, days.hurry.set)
    assert days.keeper().keep() is Ending.STOPPED
    assert days.runs.told == ["interrupt"]
    assert days.complete == ["15min"]
    assert any("checkpoint 1h did not come to its end" in line and "too late" in line for line in days.said)


def test_a_history_that_is_out_of_reach_for_a_while_is_waited_for(days: Days, tmp_path: Path) -> None:
    file, aside = tmp_path / "history.sqlite", tmp_path / "aside"

    def take_away() -> None:
        days.history.engine.dispose()
        file.rename(aside)
        file.write_text("this is no history")

    def bring_back() -> None:
        days.history.engine.dispose()
        aside.rename(file)

    days.at(1.5, take_away)
    days.at(2.1, bring_back)
    assert days.keeper().keep() is Ending.OVER
    assert days.runs.begun == LABELS
    troubles = [line for line in days.said if line.startswith("trying again")]
    assert len(troubles) == 1
    assert "is not a history but some other file" in troubles[0]


def test_what_a_checkpoint_selects() -> None:
    found = [selection(slot) for slot in slots_of(["15 min smoke", "4 h", "24 h golive"])]
    assert found == ["smoke", "checkpoint", "checkpoint or golive"]
