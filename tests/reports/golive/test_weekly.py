"""The weekly report: seven days of runs, what failed in them, and the values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from golive.model import RunRecord, Status
from reports.golive.views.day import State
from reports.golive.weekly import bare, begin_of_week, week_of, weekly_page
from tests import watchdays as days
from tests.reports.golive import warungin
from tests.reports.golive.test_page import HOSTILE, Page

NOW = days.START + timedelta(days=7)


def hourly(count: int, *, every: timedelta = timedelta(hours=1), status: Status = Status.PASS) -> list[RunRecord]:
    """Runs of one checkpoint's criteria, the last one just before NOW; every third comes to `status`."""
    model = measured()
    made = []
    for n in range(count):
        moved = NOW - (n + 1) * every - model.started_at
        outcomes = tuple(
            replace(
                o,
                started_at=o.started_at + moved,
                status=status if n % 3 == 0 and o.criterion == days.LOGIN else o.status,
            )
            for o in warungin.measured(model, n % 24).outcomes
        )
        made.append(
            replace(
                model,
                run=f"run-{n}",
                watch=None,
                checkpoint=None,
                started_at=model.started_at + moved,
                finished_at=model.started_at + moved + timedelta(minutes=1),
                outcomes=outcomes,
            )
        )
    return made


def measured() -> RunRecord:
    return next(run for run in warungin.clean(until="1h").runs if run.checkpoint == "1h")


def drawn(runs: list[RunRecord], says: str = "Warungin POS, production") -> Page:
    return Page(weekly_page(week_of(runs, NOW), warungin.CRITERIA, system="warungin", environment="prod", says=says))


def test_seven_days_have_a_column_each() -> None:
    week = week_of(hourly(24 * 7), NOW)
    assert [column.label for column in week.columns] == [
        "Fri 05-01",
        "Sat 05-02",
        "Sun 05-03",
        "Mon 05-04",
        "Tue 05-05",
        "Wed 05-06",
        "Thu 05-07",
    ]
    assert [len(column.runs) for column in week.columns] == [24] * 7
    assert {column.state for column in week.columns} == {State.DONE}


def test_older_runs_are_left_out_and_none_is_lost_at_the_edges() -> None:
    edges = [begin_of_week(NOW) - timedelta(seconds=1), begin_of_week(NOW), NOW]
    runs = [replace(measured(), run=str(n), started_at=at) for n, at in enumerate(edges)]
    week = week_of(runs, NOW)
    assert [run.run for run in week.runs] == ["1", "2"]
    assert sum(len(column.runs) for column in week.columns) == 2


def test_a_good_week_says_so() -> None:
    text = drawn(hourly(24 * 7)).text
    assert "Warungin POS on prod · weekly report Nothing failed" in text
    assert "Runs 168, 0 of them broken off Days without a run 0" in text
    assert "No criterion failed and none was left unseen." in text


def test_a_week_without_any_run_is_no_good_week() -> None:
    text = drawn([]).text
    assert "Nothing was looked at" in text
    assert "because nothing was looked at" in text
    assert "Days without a run 7" in text


def test_what_failed_is_told_with_its_days_and_whether_it_healed() -> None:
    text = drawn(hourly(24 * 7, status=Status.FAIL)).text
    assert "1 criterion failed or could not be looked at, 1 to this day" in text
    assert "A user can log in" in text
    assert "56 times" in text
    healed = hourly(30, status=Status.FAIL)[1:]
    assert "1 criterion failed or could not be looked at, all healed" in drawn(healed).text


def test_measurements_are_drawn_over_the_days() -> None:
    found = drawn(hourly(24 * 7))
    assert "144 h" in found.text
    assert all(svg["aria-label"] for svg in found.named("svg"))


def test_only_what_is_told_is_kept_in_memory() -> None:
    kept = bare(measured())
    assert all(not o.evidence and not o.runbook for o in kept.outcomes)
    assert any(o.measurements for o in kept.outcomes)


def test_hostile_text_is_shown_and_never_acts() -> None:
    run = measured()
    nasty = replace(run.outcomes[0], status=Status.FAIL, message=HOSTILE, says=HOSTILE, started_at=NOW)
    runs = [replace(run, outcomes=(nasty,), started_at=NOW, deployment=replace(run.deployment, version=HOSTILE))]
    text = weekly_page(week_of(runs, NOW), (), system="warungin", environment="prod", says=HOSTILE)
    assert Page(text).named("script") == []
    assert "\x1b" not in text
    assert "\u202e" not in text
