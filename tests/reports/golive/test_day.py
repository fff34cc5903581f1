"""The watch checkpoint by checkpoint: how each stands, and what stands of several runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from golive.judge.verdict import decide
from golive.model import Status, WatchRecord, When
from reports.golive.views.day import State, area_of, day_of, spaced
from reports.golive.views.timeline import STATE_WORDS
from tests import watchdays as days
from tests.reports.golive.conftest import looked_at
from tests.watchdays import CPU, LOGIN, MEMORY


def states(record: WatchRecord, hours: float) -> dict[str, State]:
    return {c.label: c.state for c in looked_at(record, days.at_hour(record, hours)).checkpoints}


def begun(label: str, hours: float) -> WatchRecord:
    """A clean day but for one checkpoint, whose run began at that hour."""
    return days.edited_run(days.day(), label, started_at=days.START + timedelta(hours=hours))


def test_each_checkpoint_tells_how_it_was_held() -> None:
    record = days.day(until="10h")
    record = days.without_run(record, "2h")
    record = days.aborted(record, "3h")
    record = days.edited_run(record, "4h", started_at=days.at_hour(record, 4.4))
    record = days.edited_run(record, "6h", started_at=days.at_hour(record, 5.7))
    record = days.without_outcome(record, "8h", CPU)
    record = days.edited_run(record, "10h", finished_at=None)
    assert states(record, 12.1) == {
        "15min": State.DONE,
        "1h": State.DONE,
        "2h": State.MISSED,
        "3h": State.ABORTED,
        "4h": State.LATE,
        "6h": State.EARLY,
        "8h": State.PARTIAL,
        "10h": State.RUNNING,
        "12h": State.DUE,
        "16h": State.AHEAD,
        "20h": State.AHEAD,
        "24h": State.AHEAD,
    }


def test_every_state_has_its_word_and_only_what_went_wrong_spoils() -> None:
    assert STATE_WORDS.keys() == set(State)
    assert {state for state in State if state.spoils} == {
        State.LATE,
        State.EARLY,
        State.PARTIAL,
        State.ABORTED,
        State.MISSED,
    }


def test_a_repeated_checkpoint_is_held() -> None:
    record = days.repeated(days.aborted(days.day(until="2h"), "2h"), "2h")
    assert states(record, 2.5)["2h"] is State.DONE


def test_what_was_not_judged_is_named() -> None:
    day = looked_at(days.without_outcome(days.day(until="1h"), "1h", CPU, MEMORY))
    assert day.checkpoints[1].missing == (CPU, MEMORY)


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        (Status.FAIL, Status.PASS, Status.FAIL),
        (Status.PASS, Status.FAIL, Status.FAIL),
        (Status.UNKNOWN, Status.PASS, Status.PASS),
        (Status.PASS, Status.UNKNOWN, Status.PASS),
        (Status.UNKNOWN, Status.FAIL, Status.FAIL),
        (Status.FAIL, Status.UNKNOWN, Status.FAIL),
        (Status.WARN, Status.PASS, Status.WARN),
        (Status.UNKNOWN, Status.UNKNOWN, Status.UNKNOWN),
    ],
)
def test_runs_of_one_checkpoint_are_judged_together(first: Status, second: Status, stands: Status) -> None:
    record = days.with_outcome(days.day(until="1h"), "1h", CPU, first)
    again = days.checkpoint_run(days.the_watch(record), days.slot_named(record, "1h"), record.criteria, minutes=9)
    outcomes = tuple(replace(o, status=second) if o.criterion == CPU else o for o in again.outcomes)
    day = looked_at(days.with_run(record, replace(again, outcomes=outcomes)), days.at_hour(record, 1.3))
    assert day.checkpoints[1].outcomes[CPU].status is stands


def test_runs_besides_the_schedule_have_a_column_of_their_own() -> None:
    record = days.day(until="2h")
    assert looked_at(record).extra is None
    extra = replace(days.extra_run(record, 1.5), checkpoint="extra")
    day = looked_at(days.with_run(record, extra))
    assert day.extra is not None
    assert [column.label for column in day.columns][-1] == "extra"
    assert [run.run for run in day.extra.runs] == [extra.run]


def test_what_people_answer_and_the_verdict_itself_are_no_ground_of_it() -> None:
    last = looked_at(days.day()).checkpoints[-1]
    assert days.GOAL in last.outcomes
    assert {days.APPROVED, days.QA_SIGNS, days.AFFIRMED}.isdisjoint(last.outcomes)


def test_without_a_watch_or_a_schedule_there_is_no_day() -> None:
    record = days.day()
    assert day_of(replace(record, watch=None), days.START) is None
    assert day_of(days.with_watch(record, schedule=()), days.START) is None


def test_hours_are_hours_of_the_watch() -> None:
    record = days.day(time_scale=240.0)
    day = looked_at(record)
    assert day.hours(days.the_watch(record).starts_at + timedelta(minutes=1)) == pytest.approx(4.0)
    assert day.length_s == 24 * 3600


def test_areas_come_by_name_without_those_that_no_watch_judges() -> None:
    areas = ("functionality", "health", "logging", "material", "performance", "schedule", "verdict")
    maintenance = days.criterion("warungin.after.hourly", when=(When.MAINTENANCE,))
    assert looked_at(days.day(criteria=(*days.CRITERIA, maintenance))).areas == areas


def test_names_for_people() -> None:
    assert [spaced(label) for label in ("4h", "15min", "1.5h", "final", "24")] == [
        "4 h",
        "15 min",
        "1.5 h",
        "final",
        "24",
    ]
    assert (area_of(LOGIN), area_of("shop.disk[/home.x]"), area_of("alone")) == ("functionality", "disk", "alone")


@pytest.mark.parametrize(
    ("record", "kind", "state"),
    [
        (days.without_run(days.day(), "6h"), "checkpoint-missed", State.MISSED),
        (days.aborted(days.day(), "6h"), "checkpoint-aborted", State.ABORTED),
        (days.without_outcome(days.day(), "6h", CPU), "checkpoint-partial", State.PARTIAL),
        (
            days.edited_run(days.day(), "6h", started_at=days.START + timedelta(hours=6.5)),
            "checkpoint-late",
            State.LATE,
        ),
        (
            days.edited_run(days.day(), "6h", started_at=days.START + timedelta(hours=5.5)),
            "checkpoint-early",
            State.EARLY,
        ),
        (days.day(until="4h"), "checkpoint-due", State.AHEAD),
    ],
)
def test_the_report_and_the_verdict_agree_about_a_checkpoint(record: WatchRecord, kind: str, state: State) -> None:
    reasons = decide(record, now=days.after(record)).reasons
    assert [reason.checkpoint for reason in reasons if reason.kind == kind] == ["6h"]
    told = {c.label: c.state for c in looked_at(record).checkpoints}
    assert told["6h"] is state
