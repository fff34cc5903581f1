"""The checks of a checkpoint's record, at several hours of a synthetic day in a real history, and what spoils it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from checks.history import actions, issues, ready, recorded
from golive.history.storage.schema import OUTCOMES, RUNS
from golive.model import Status, WatchRecord, When
from tests.checks.history.stored import CRITERIA, Begin, Watching, extra, run_of, small, told
from tests.judged import Judged
from tests.watchdays import (
    CPU,
    LOGIN,
    MEMORY,
    aborted,
    at_hour,
    criterion,
    day,
    edited_run,
    with_outcome,
    with_run,
    without_outcome,
)
from tests.watchdays import repeated as with_repetition

# actions


def noted(run: Watching) -> Judged:
    return run.judge(actions.test_actions_are_written_down, actions.Params)


def broken(until: str = "3h") -> WatchRecord:
    return with_outcome(small(until=until), "2h", CPU, Status.FAIL, "91 %, below 80 % needed")


def test_before_any_checkpoint_there_is_nothing_to_note(begin: Begin) -> None:
    found = noted(begin(small(until="15min"), "15min"))
    assert told(found) == (Status.NOT_APPLICABLE, "no checkpoint of this watch was held before this run")


def test_without_issues_there_is_nothing_to_write(begin: Begin) -> None:
    found = noted(begin(small(until="3h"), "3h"))
    assert told(found) == (Status.PASS, "issues written down: 0 checkpoints (of 0 with issues, 3 held before)")


def test_an_issue_without_a_note_is_named(begin: Begin) -> None:
    found = noted(begin(broken(), "3h"))
    assert told(found) == (
        Status.UNKNOWN,
        f"2h had issues ({CPU}), and nobody has written what was done: golive note --checkpoint=2h",
    )


@pytest.mark.parametrize("about", [{"checkpoint": "2h"}, {"criterion": CPU}])
def test_a_note_about_the_checkpoint_or_the_criterion_is_enough(begin: Begin, about: dict[str, str]) -> None:
    record = broken()
    run = begin(record, "3h").noted("restarted the worker", at=at_hour(record, 2.5), **about)
    found = noted(run)
    assert told(found) == (Status.PASS, "issues written down: 1 checkpoints (of 1 with issues, 3 held before)")
    assert "Ann" in found.seen


@pytest.mark.parametrize(
    ("about", "hours"),
    [({"checkpoint": "1h"}, 2.5), ({"criterion": MEMORY}, 2.5), ({}, 2.5), ({"checkpoint": "2h"}, 1.9)],
)
def test_a_note_about_something_else_or_from_before_is_none(begin: Begin, about: dict[str, str], hours: float) -> None:
    record = broken()
    run = begin(record, "3h").noted("all fine", at=at_hour(record, hours), **about)
    assert noted(run).status is Status.UNKNOWN


def test_its_own_checkpoint_is_not_over_yet(begin: Begin) -> None:
    assert noted(begin(broken("2h"), "2h")).status is Status.PASS


def test_a_broken_off_run_with_issues_asks_for_a_note_too(begin: Begin) -> None:
    record = aborted(broken("2h"), "2h", after_outcomes=20)
    assert noted(begin(with_run(record, extra(record, 2.5)), 2.6)).status is Status.UNKNOWN


def test_what_only_repeats_an_earlier_failure_needs_no_note_of_its_own(begin: Begin) -> None:
    stable = "warungin.verdict.hour4-stable"
    criteria = (*CRITERIA, criterion(stable, "history/clean", when=(When.CHECKPOINT,)))
    record = day(criteria=criteria, signed_by=(), roles=(), until="6h")
    record = with_outcome(record, "2h", CPU, Status.FAIL, "91 %, below 80 % needed")
    record = with_outcome(record, "4h", stable, Status.FAIL, "not clean")
    run = begin(record, "6h", criteria=criteria).noted("moved a job", at=at_hour(record, 2.5), checkpoint="2h")
    assert noted(run).status is Status.PASS


def test_what_a_repetition_answered_needs_no_note(begin: Begin) -> None:
    record = with_outcome(small(until="3h"), "2h", CPU, Status.UNKNOWN, "refused")
    assert noted(begin(with_repetition(record, "2h"), "3h")).status is Status.PASS


def test_what_nobody_could_look_at_does(begin: Begin) -> None:
    record = with_outcome(small(until="3h"), "2h", CPU, Status.UNKNOWN, "refused")
    assert noted(begin(record, "3h")).status is Status.UNKNOWN


# ready


def is_ready(run: Watching) -> Judged:
    return run.judge(ready.test_system_is_ready_for_the_next_checkpoint, ready.Params)


def test_ready_for_the_next_one(begin: Begin) -> None:
    found = is_ready(begin(small(until="2h"), "2h"))
    assert told(found) == (
        Status.PASS,
        "answered: 8 criteria (next: 3h is due at 2026-05-01 12:00 UTC, to begin by 2026-05-01 12:15 UTC)",
    )


def test_ready_right_after_the_deployment(begin: Begin) -> None:
    found = is_ready(begin(small(until="15min"), 0.4))
    assert found.status is Status.PASS
    assert "next: 1h is due at" in found.message


def test_after_the_last_one_none_is_next(begin: Begin) -> None:
    criteria = tuple(c for c in CRITERIA if c.check != "history/approved")
    record = day(criteria=criteria, signed_by=(), roles=())
    found = is_ready(begin(record, "24h", criteria=criteria))
    assert found.status is Status.PASS
    assert "no further checkpoint is scheduled" in found.message


def test_what_failed_in_this_run_stands_in_the_way(begin: Begin) -> None:
    record = with_outcome(small(until="2h"), "2h", CPU, Status.FAIL, "91 %, below 80 % needed")
    record = with_outcome(record, "2h", LOGIN, Status.UNKNOWN, "refused")
    found = is_ready(begin(record, "2h"))
    assert told(found) == (
        Status.FAIL,
        f"one criterion failed: {CPU}; one criterion is unknown: {LOGIN}",
    )


def test_what_was_not_judged_stands_in_the_way(begin: Begin) -> None:
    found = is_ready(begin(without_outcome(small(until="2h"), "2h", CPU), "2h"))
    assert told(found) == (Status.UNKNOWN, f"not judged: {CPU}")


def test_an_open_issue_of_an_earlier_checkpoint_stands_in_the_way(begin: Begin) -> None:
    found = is_ready(begin(broken(), "3h"))
    assert told(found) == (Status.UNKNOWN, f"nobody has written what was done about {CPU} at 2h")


def test_another_deployment_stands_in_the_way(begin: Begin) -> None:
    record = small(until="2h")
    record = edited_run(record, "2h", target={**run_of(record, "2h").target, "all/api replicas": "1"})
    found = is_ready(begin(record, "2h"))
    assert told(found) == (
        Status.FAIL,
        "what is deployed is not what the watch began with: all/api replicas changed from 2 to 1",
    )


def test_a_deployment_that_could_not_be_read_is_left_open(begin: Begin) -> None:
    found = is_ready(begin(edited_run(small(until="2h"), "2h", target={}), "2h"))
    assert told(found) == (Status.UNKNOWN, "what is deployed could not be read")


# recorded


def records(run: Watching, of: str) -> Judged:
    return run.judge(recorded.test_runs_are_on_record, recorded.Params, of=of)


def test_every_run_says_which_checkpoint_it_is_and_when_it_began(begin: Begin) -> None:
    found = records(begin(small(until="2h"), "2h"), "beginning")
    assert told(found) == (Status.PASS, "beginning on record: 3 runs (of 3)")
    assert (
        "20260501T110100Z-2h: checkpoint 2h (3 of 12, due 2026-05-01 11:00 UTC), began 2026-05-01 11:01 UTC, "
        "ended 2026-05-01 11:03 UTC"
    ) in found.seen


def test_an_extra_run_is_on_record_as_one(begin: Begin) -> None:
    assert "extra run" in records(begin(small(until="2h"), 2.5), "beginning").seen


def edit(run: Watching, label: str, **values: Any) -> None:
    with run.history.writing() as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.checkpoint == label).values(**values))


def test_a_run_of_no_checkpoint_at_all_is_named(begin: Begin) -> None:
    run = begin(small(until="2h"), "2h")
    edit(run, "1h", checkpoint="5h")
    assert told(records(run, "beginning")) == (
        Status.FAIL,
        "run 20260501T100100Z-1h: its checkpoint is 5h, which is none of the schedule",
    )


@pytest.mark.parametrize(
    ("hours", "words"),
    [(-1.0, "it began before hour 0, 2026-05-01 08:00 UTC"), (9.0, "it began in the future, 2026-05-01 18:00 UTC")],
)
def test_a_beginning_that_cannot_be_is_named(begin: Begin, hours: float, words: str) -> None:
    record = small(until="2h")
    run = begin(record, "2h")
    edit(run, "1h", started_at=at_hour(record, hours))
    assert told(records(run, "beginning")) == (Status.FAIL, f"run 20260501T100100Z-1h: {words}")


def test_every_end_is_on_record(begin: Begin) -> None:
    assert told(records(begin(small(until="2h"), "2h"), "end")) == (
        Status.PASS,
        "end on record: 2 runs (of 2)",
    )


def test_the_first_run_has_no_end_to_look_at(begin: Begin) -> None:
    found = records(begin(small(until="15min"), "15min"), "end")
    assert told(found) == (Status.NOT_APPLICABLE, "no run of this watch has ended before this one")


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (0.5, "it ended 2026-05-01 09:30 UTC, before it began 2026-05-01 10:01 UTC"),
        (9.0, "it ended in the future, 2026-05-01 18:00 UTC"),
    ],
)
def test_an_end_that_cannot_be_is_named(begin: Begin, hours: float, words: str) -> None:
    record = small(until="2h")
    run = begin(record, "2h")
    edit(run, "1h", finished_at=at_hour(record, hours))
    assert told(records(run, "end")) == (Status.FAIL, f"run 20260501T100100Z-1h: {words}")


# issues


def classes(run: Watching) -> Judged:
    return run.judge(issues.test_issues_are_on_record, issues.Params)


def test_no_issues_is_an_answer(begin: Begin) -> None:
    found = classes(begin(small(until="2h"), "2h"))
    assert told(found) == (Status.PASS, "critical: 0 issues; minor: 0 issues (in 8 criteria)")
    assert found.seen == "none"


def test_issues_are_classed_by_the_severity_of_their_criteria(begin: Begin) -> None:
    record = with_outcome(small(until="2h"), "2h", CPU, Status.FAIL, "91 %, below 80 % needed")
    record = with_outcome(record, "2h", LOGIN, Status.UNKNOWN, "refused")
    found = classes(begin(record, "2h"))
    assert told(found) == (Status.PASS, "critical: 1 issues; minor: 1 issues (in 8 criteria)")
    assert found.seen.splitlines() == [
        f"critical: {LOGIN} (critical) unknown: refused",
        f"minor: {CPU} (high) fail: 91 %, below 80 % needed",
    ]


def test_an_issue_that_the_record_does_not_hold_is_named(begin: Begin) -> None:
    record = with_outcome(small(until="2h"), "2h", CPU, Status.FAIL, "91 %, below 80 % needed")
    run = begin(record, "2h")
    with run.history.writing() as connection:
        connection.execute(sa.delete(OUTCOMES).where(OUTCOMES.c.criterion == CPU))
    assert told(classes(run)) == (Status.FAIL, f"{CPU} is fail in this run, its record says nothing")


def test_an_issue_that_says_nothing_is_named(begin: Begin) -> None:
    of = next(c for c in CRITERIA if c.id == CPU)
    record = with_outcome(small(until="2h"), "2h", CPU, Status.FAIL, of.says)
    assert told(classes(begin(record, "2h"))) == (
        Status.FAIL,
        f"{CPU} is fail, and its record does not say what was found",
    )


def test_a_run_that_has_judged_nothing_has_no_class(begin: Begin) -> None:
    found = classes(begin(edited_run(small(until="2h"), "2h", outcomes=()), "2h"))
    assert told(found) == (Status.UNKNOWN, "nothing was judged in this run yet")
