"""The checks of the schedule, at several hours of a synthetic day in a real history, and with what spoils it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from checks.history import repeated, scheduled, watched
from golive.history.storage.schema import RUNS
from golive.model import Status
from tests.checks.history.stored import CRITERIA, Begin, Watching, a_gap, probed, run_of, small, told
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
    outcome,
    without_outcome,
    without_run,
)
from tests.watchdays import repeated as with_repetition

# scheduled


def holds(run: Watching, *checkpoints: str, complete: bool = False) -> Judged:
    return run.judge(
        scheduled.test_checkpoints_took_place, scheduled.Params, checkpoints=checkpoints, complete=complete
    )


def test_before_the_first_checkpoint_there_is_nothing_to_judge(begin: Begin) -> None:
    run = begin(small(until="15min"), 0.5)
    assert told(holds(run, "1h", "2 h")) == (
        Status.NOT_APPLICABLE,
        "not yet: 1h is due at 2026-05-01 10:00 UTC, to begin by 2026-05-01 10:15 UTC",
    )
    assert told(holds(run, "15min")) == (Status.PASS, "took place: 1 checkpoints (of 1)")


def test_a_checkpoint_counts_itself_and_what_is_not_due_is_told(begin: Begin) -> None:
    run = begin(small(until="2h"), "2h")
    assert told(holds(run, "1h", "2h", "3h", "4h")) == (
        Status.PASS,
        "took place: 2 checkpoints (of 4; 3h is due at 2026-05-01 12:00 UTC, to begin by 2026-05-01 12:15 UTC)",
    )
    found = holds(run, "1h", "2h", "3h", complete=True)
    assert found.status is Status.UNKNOWN
    assert found.message == "3h is due at 2026-05-01 12:00 UTC, to begin by 2026-05-01 12:15 UTC"
    assert found.value("took place") == 2


def test_the_whole_day_took_place(begin: Begin) -> None:
    found = holds(begin(small(), "24h"), complete=True)
    assert told(found) == (Status.PASS, "took place: 12 checkpoints (of 12)")
    assert "4h began 2026-05-01 13:01 UTC, was due 2026-05-01 13:00 UTC (run 20260501T130100Z-4h)" in found.seen


def test_a_missed_checkpoint_is_named(begin: Begin) -> None:
    run = begin(without_run(small(until="3h"), "2h"), "3h")
    assert told(holds(run, "1h", "2h", "3h")) == (
        Status.FAIL,
        "2h was missed: no run began from 2026-05-01 11:00 UTC to 2026-05-01 11:15 UTC",
    )


def test_a_late_a_broken_off_and_an_early_one_are_told_apart(begin: Begin) -> None:
    record = aborted(small(until="4h"), "2h")
    record = edited_run(record, "1h", started_at=at_hour(record, 1.5))
    record = edited_run(record, "3h", started_at=at_hour(record, 2.9))
    found = holds(begin(record, "4h"), "1h", "2h", "3h")
    assert found.status is Status.FAIL
    assert found.message == (
        "1h was late: run 20260501T100100Z-1h began 15 min after the time allowed, 2026-05-01 10:15 UTC; "
        "2h was not held in time (run 20260501T110100Z-2h was broken off: interrupted by Ctrl-C); "
        "3h was not held in time (run 20260501T120100Z-3h began 6 min before that hour)"
    )


def test_a_broken_off_one_may_be_repeated_until_its_deadline(begin: Begin) -> None:
    record = aborted(small(until="2h"), "2h")
    run = begin(record, 2.1)
    found = holds(run, "2h")
    assert found.status is Status.NOT_APPLICABLE
    assert "2h is due since 2026-05-01 11:00 UTC" in found.message
    assert "was broken off: interrupted by Ctrl-C" in found.message
    assert holds(run, "2h", complete=True).status is Status.UNKNOWN


def test_a_repetition_makes_up_for_it(begin: Begin) -> None:
    record = with_repetition(aborted(small(until="2h"), "2h"), "2h")
    assert holds(begin(record, "2h"), "1h", "2h", complete=True).status is Status.PASS


def test_one_that_goes_on_elsewhere_is_waited_for(begin: Begin) -> None:
    record = edited_run(small(until="2h"), "2h", finished_at=None)
    found = holds(begin(record, 2.1), "2h", complete=True)
    assert told(found) == (Status.UNKNOWN, "2h is going on since 2026-05-01 11:01 UTC")


def test_a_checkpoint_that_the_schedule_has_not_is_a_failure(begin: Begin) -> None:
    found = holds(begin(small(until="2h"), "2h"), "5h", "2h")
    assert found.status is Status.FAIL
    assert found.message.startswith("the schedule has no checkpoint 5h, only 15min, 1h, 2h")


def test_a_trial_says_so(begin: Begin) -> None:
    record = small(time_scale=240.0, until="2h")
    assert "in a trial at 240 times the speed" in holds(begin(record, "2h"), "1h").message


def test_without_a_watch_nothing_is_known(begin: Begin) -> None:
    run = begin(small(until="2h"), "2h")
    run.context.watch = None
    with run.history.writing() as connection:
        connection.execute(sa.update(RUNS).values(watch=None))
    section = run.context.environment.section.model_copy(update={"watch": None})
    object.__setattr__(run.context.environment, "section", section)
    assert told(holds(run, "1h")) == (Status.UNKNOWN, "this run belongs to no watch: its environment has no 'watch'")


def test_a_worker_process_finds_the_watch_by_its_run(begin: Begin) -> None:
    run = begin(small(until="2h"), "2h")
    run.context.watch = run.context.checkpoint = None
    assert holds(run, "1h", "2h", complete=True).status is Status.PASS


# repeated


def same(run: Watching, *criteria: str, complete: bool = False) -> Judged:
    return run.judge(
        repeated.test_checkpoints_judged_the_same,
        repeated.Params,
        criteria=criteria or ("*",),
        complete=complete,
    )


def test_all_checkpoints_judged_the_same(begin: Begin) -> None:
    found = same(begin(small(until="6h"), "6h"))
    assert told(found) == (Status.PASS, "judged in full: 5 checkpoints (of 5, 8 criteria each)")


def test_the_smoke_test_is_not_compared(begin: Begin) -> None:
    found = same(begin(small(until="15min"), 0.5))
    assert told(found) == (
        Status.NOT_APPLICABLE,
        "not yet: 1h is due at 2026-05-01 10:00 UTC, to begin by 2026-05-01 10:15 UTC",
    )


def test_what_a_later_checkpoint_left_out_is_named(begin: Begin) -> None:
    found = same(begin(without_outcome(small(until="4h"), "3h", CPU, MEMORY), "4h"))
    assert told(found) == (Status.FAIL, f"3h did not judge {CPU} and {MEMORY}")
    assert found.value("judged in full") == 3


def test_what_the_first_one_left_out_is_no_excuse_for_the_others(begin: Begin) -> None:
    record = without_outcome(small(until="2h"), "1h", CPU)
    assert told(same(begin(record, "2h"))) == (Status.FAIL, f"1h did not judge {CPU}")


def test_what_only_the_first_one_judged_is_missing_later(begin: Begin) -> None:
    record = small(until="2h")
    own = outcome(criterion("warungin.team.stock"), at_hour(record, 1))
    first = run_of(record, "1h")
    record = edited_run(record, "1h", outcomes=(*first.outcomes, own))
    found = same(begin(record, 2.5))
    assert told(found) == (Status.FAIL, "2h did not judge warungin.team.stock")


def test_this_run_can_still_make_up_for_what_it_left_out(begin: Begin) -> None:
    record = without_outcome(small(until="2h"), "2h", CPU)
    found = same(begin(record, "2h"))
    assert told(found) == (
        Status.UNKNOWN,
        f"2h did not judge {CPU}; it can be made up for by 2026-05-01 11:15 UTC",
    )


def test_what_looks_back_is_still_to_come_in_this_run(begin: Begin) -> None:
    criteria = (*CRITERIA, criterion("warungin.record.answered", "history/answered"))
    record = day(criteria=criteria, signed_by=(), roles=(), until="2h")
    record = without_outcome(record, "2h", "warungin.record.answered")
    assert same(begin(record, "2h", criteria=criteria)).status is Status.PASS


def test_a_group_at_every_checkpoint_of_the_day(begin: Begin) -> None:
    found = same(begin(small(), "24h"), "warungin.functionality.*", complete=True)
    assert told(found) == (Status.PASS, "judged in full: 11 checkpoints (of 11, 1 criteria each)")


def test_a_day_that_is_not_over_is_left_open(begin: Begin) -> None:
    found = same(begin(small(until="20h"), "20h"), LOGIN, complete=True)
    assert told(found) == (
        Status.UNKNOWN,
        "24h is due at 2026-05-02 09:00 UTC, to begin by 2026-05-02 09:15 UTC",
    )


def test_a_checkpoint_that_was_missed_judged_nothing(begin: Begin) -> None:
    found = same(begin(without_run(small(until="3h"), "2h"), "3h"))
    assert found.status is Status.FAIL
    assert found.message.startswith("2h was missed")


def test_a_group_that_no_checkpoint_judges_is_left_open(begin: Begin) -> None:
    found = same(begin(small(until="2h"), "2h"), "warungin.nothing.*")
    assert told(found) == (Status.UNKNOWN, "none of warungin.nothing.* is judged at a checkpoint")


def test_missed_checkpoints_are_no_reason_not_to_apply(begin: Begin) -> None:
    found = same(begin(without_run(small(until="2h"), "1h", "2h"), 2.9))
    assert found.status is Status.FAIL
    assert found.message.startswith("1h was missed")


# watched


def lasted(run: Watching, length: str = "24 h") -> Judged:
    return run.judge(watched.test_watch_left_no_gap, watched.Params, **{"for": length})


def test_a_day_without_a_gap(begin: Begin) -> None:
    assert told(lasted(begin(small(), "24h"))) == (Status.PASS, "watched: 24 h (from 2026-05-01 09:00 UTC on)")


def test_a_day_that_has_not_passed_is_left_open(begin: Begin) -> None:
    found = lasted(begin(small(until="20h"), "20h"))
    assert found.status is Status.UNKNOWN
    assert found.message == (
        "24h is due at 2026-05-02 09:00 UTC, to begin by 2026-05-02 09:15 UTC; it must last until 2026-05-02 09:00 UTC"
    )
    assert found.value("watched") == pytest.approx(20.05)


def test_a_gap_in_the_probes_is_a_gap(begin: Begin) -> None:
    found = lasted(begin(a_gap(small()), "24h"))
    assert told(found) == (
        Status.FAIL,
        "api was not seen for 9 min 50 s of 24 h, at most 8.6 s may go by unseen",
    )
    assert "api up from 2026-05-01 09:00 UTC to 2026-05-01 14:00 UTC, 3601 probes" in found.seen


def test_a_missed_checkpoint_is_a_gap(begin: Begin) -> None:
    found = lasted(begin(without_run(small(), "16h"), "24h"))
    assert found.status is Status.FAIL
    assert found.message.startswith("16h was missed")


def test_right_after_the_deployment_nothing_is_lost(begin: Begin) -> None:
    found = lasted(begin(probed(without_run(small(until="15min"), "15min")), 0.05))
    assert found.status is Status.UNKNOWN
    assert "api is not probed yet; web is not probed yet" in found.message


def test_probes_that_never_came_are_a_gap(begin: Begin) -> None:
    found = lasted(begin(probed(small(until="15min")), 0.5))
    assert found.status is Status.FAIL
    assert "api was not seen for 32 min of 32 min" in found.message


def test_checkpoints_alone_do_not_show_a_whole_day(begin: Begin) -> None:
    found = lasted(begin(small(), "24h", watch={}))
    assert found.status is Status.UNKNOWN
    assert "nothing is probed between the checkpoints" in found.message
