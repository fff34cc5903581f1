"""The checks of the watch, each at several hours of a synthetic day in a real history, and with what spoils it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from checks.history import (
    actions,
    approved,
    available,
    clean,
    issues,
    passed,
    ready,
    recorded,
    repeated,
    scheduled,
    watched,
)
from golive.history.storage.schema import OUTCOMES, RUNS
from golive.model import ProbeSpan, Status, WatchRecord, When
from tests.checks.history.stored import CRITERIA, Watching, during, extra, run_of
from tests.judged import Judged
from tests.watchdays import (
    CPU,
    LOGIN,
    MEMORY,
    aborted,
    at_hour,
    criterion,
    day,
    down,
    edited_run,
    on_second_try,
    outcome,
    the_watch,
    up,
    with_outcome,
    with_run,
    without_outcome,
    without_run,
)
from tests.watchdays import (
    repeated as with_repetition,
)

Begin = Callable[..., Watching]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """A run in progress: that of checkpoint `at`, or an extra one at `hours`."""
    running: list[Watching] = []

    def begun(record: WatchRecord, at: str | float, **more: Any) -> Watching:
        this = run_of(record, at) if isinstance(at, str) else extra(record, at)
        running.append(during(tmp_path, record, this, monkeypatch, **more))
        return running[-1]

    yield begun
    for one in running:
        assert one.context.close() == []


def small(**keys: Any) -> WatchRecord:
    """A synthetic day whose criteria need no signature."""
    return day(criteria=CRITERIA, signed_by=(), roles=(), **keys)


def told(found: Judged) -> tuple[Status, str]:
    return found.status, found.message


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


# clean


def is_clean(run: Watching, until: str = "4 h") -> Judged:
    return run.judge(clean.test_all_was_clean_up_to_that_hour, clean.Params, until=until)


def test_before_its_hour_nothing_is_declared(begin: Begin) -> None:
    found = is_clean(begin(small(until="3h"), "3h"))
    assert told(found) == (
        Status.NOT_APPLICABLE,
        "not yet: hour 0 to 4 h is judged from 2026-05-01 13:00 UTC on",
    )


@pytest.mark.parametrize(("until", "label", "held"), [("4 h", "4h", 5), ("12 h", "12h", 9)])
def test_clean_hours_make_it_stable(begin: Begin, until: str, label: str, held: int) -> None:
    found = is_clean(begin(small(until=label), label), until)
    assert found.status is Status.PASS
    assert found.value(f"held up to {until}") == held
    assert "clean since" in found.message


def test_a_healed_failure_was_one(begin: Begin) -> None:
    record = with_outcome(small(until="4h"), "2h", CPU, Status.FAIL, "91 %, below 80 % needed")
    found = is_clean(begin(record, "4h"))
    assert found.status is Status.FAIL
    assert f"{CPU}" in found.message
    assert "91 %, below 80 % needed" in found.message


def test_what_this_run_finds_counts(begin: Begin) -> None:
    record = with_outcome(small(until="4h"), "4h", CPU, Status.FAIL, "91 %, below 80 % needed")
    assert is_clean(begin(record, "4h")).status is Status.FAIL


def test_a_missed_checkpoint_is_not_clean(begin: Begin) -> None:
    found = is_clean(begin(without_run(small(until="4h"), "3h"), "4h"))
    assert found.status is Status.FAIL
    assert "checkpoint 3h was missed" in found.message


def test_a_pass_on_retry_is_not_clean(begin: Begin) -> None:
    assert is_clean(begin(on_second_try(small(until="4h"), "2h", LOGIN), "4h")).status is Status.FAIL


def test_what_could_not_be_looked_at_leaves_it_open_while_it_can_be_mended(begin: Begin) -> None:
    record = with_outcome(small(until="4h"), "4h", CPU, Status.UNKNOWN, "no answer")
    assert is_clean(begin(record, "4h")).status is Status.UNKNOWN


def test_what_is_still_to_look_back_does_not_count_as_left_out(begin: Begin) -> None:
    criteria = (*CRITERIA, criterion("warungin.verdict.hour4-stable", "history/clean", when=(When.CHECKPOINT,)))
    record = day(criteria=criteria, signed_by=(), roles=(), until="4h")
    record = without_outcome(record, "4h", "warungin.verdict.hour4-stable")
    assert is_clean(begin(record, "4h", criteria=criteria)).status is Status.PASS


def test_what_this_run_has_not_judged_leaves_it_open(begin: Begin) -> None:
    found = is_clean(begin(without_outcome(small(until="4h"), "4h", CPU), "4h"))
    assert found.status is Status.UNKNOWN
    assert f"not judged: {CPU}" in found.message


# available


def was_up(run: Watching, at_least: float = 100, *, complete: bool = False) -> Judged:
    return run.judge(available.test_endpoints_were_up, available.Params, at_least=at_least, complete=complete)


def probed(record: WatchRecord, *spans: ProbeSpan) -> WatchRecord:
    return replace(record, probes=spans)


def test_a_whole_day_up(begin: Begin) -> None:
    found = was_up(begin(small(), "24h"), complete=True)
    up_all_day = "0 % down, at most 0 % down needed (0 s in no outages, over 24 h)"
    assert told(found) == (Status.PASS, f"api: {up_all_day}; web: {up_all_day}")


def an_outage(record: WatchRecord, seconds: float) -> WatchRecord:
    """The API was down in hour 5."""
    begin, end = at_hour(record, 5), at_hour(record, 5) + timedelta(seconds=seconds)
    until = record.probes[0].last_at
    return probed(
        record,
        up("api", the_watch(record).starts_at, begin - timedelta(seconds=5)),
        down("api", begin, end - timedelta(seconds=5), "503 Service Unavailable"),
        up("api", end, until),
        up("web", the_watch(record).starts_at, until),
    )


def test_an_outage_is_told_with_what_the_probe_got(begin: Begin) -> None:
    found = was_up(begin(an_outage(small(), 30), "24h"), complete=True)
    assert found.status is Status.FAIL
    assert found.message == "api: 0.0347 % down, at most 0 % down needed (30 s in one outage, over 24 h)"
    assert "2026-05-01 14:00 UTC, 30 s: 503 Service Unavailable" in found.seen


def test_the_two_levels_judge_the_same_outage_differently(begin: Begin) -> None:
    run = begin(an_outage(small(), 5), "24h")
    assert was_up(run, 99.99, complete=True).status is Status.PASS
    assert was_up(run, 100, complete=True).status is Status.FAIL


def test_a_longer_outage_breaks_both_levels(begin: Begin) -> None:
    found = was_up(begin(an_outage(small(), 30), "24h"), 99.99, complete=True)
    assert found.status is Status.FAIL
    assert "0.0347 % down, at most 0.01 % down needed" in found.message


def a_gap(record: WatchRecord) -> WatchRecord:
    """Nobody looked for ten minutes."""
    until = record.probes[0].last_at
    return probed(
        record,
        up("api", the_watch(record).starts_at, at_hour(record, 5)),
        up("api", at_hour(record, 5) + timedelta(minutes=10), until),
        up("web", the_watch(record).starts_at, until),
    )


def test_time_that_nobody_saw_leaves_it_open(begin: Begin) -> None:
    found = was_up(begin(a_gap(small()), "24h"), complete=True)
    assert told(found) == (
        Status.UNKNOWN,
        "api was not seen for 9 min 50 s of the 24 h, at most 8.6 s may be left open",
    )


def test_without_probes_nothing_is_known(begin: Begin) -> None:
    found = was_up(begin(probed(small(until="2h")), 0.5))
    assert found.status is Status.UNKNOWN
    assert "api was not probed in the" in found.message


def test_an_environment_that_probes_nothing_cannot_claim_it(begin: Begin) -> None:
    found = was_up(begin(small(until="2h"), "2h", watch={}))
    assert told(found) == (
        Status.UNKNOWN,
        "the environment has no 'availability' under 'watch', so nothing is probed",
    )


def test_half_a_day_up_is_no_day(begin: Begin) -> None:
    run = begin(small(until="12h"), "12h")
    assert was_up(run).status is Status.PASS
    assert told(was_up(run, complete=True)) == (
        Status.UNKNOWN,
        "the watch ends 2026-05-02 09:00 UTC, this is what it has come to so far",
    )


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


# approved


def goes(run: Watching) -> Judged:
    return run.judge(approved.test_verdict_is_go, approved.Params)


def test_a_clean_day_is_go(begin: Begin) -> None:
    found = goes(begin(small(), "24h"))
    assert told(found) == (Status.PASS, "against GO: 0 reasons (GO)")


def test_a_day_that_is_not_over_is_pending(begin: Begin) -> None:
    found = goes(begin(small(until="20h"), "20h"))
    assert found.status is Status.UNKNOWN
    assert "checkpoint 24h is due at 2026-05-02 09:00 UTC" in found.message
    assert found.seen.startswith("PENDING at 2026-05-02T05:03:00.000Z")


def test_roles_that_have_not_signed_leave_it_pending(begin: Begin) -> None:
    found = goes(begin(small(), "24h", sign_off={"roles": ["QA Lead", "Tech Lead"]}))
    assert found.status is Status.UNKNOWN
    assert "QA Lead" in found.message


def test_a_failure_of_the_day_is_no_go(begin: Begin) -> None:
    found = goes(begin(with_outcome(small(), "6h", CPU, Status.FAIL, "91 %, below 80 % needed"), "24h"))
    assert found.status is Status.FAIL
    assert "91 %, below 80 % needed" in found.message


def test_a_failure_of_this_very_run_is_no_go(begin: Begin) -> None:
    found = goes(begin(with_outcome(small(), "24h", CPU, Status.FAIL, "91 %, below 80 % needed"), "24h"))
    assert found.status is Status.FAIL


def test_many_reasons_are_bounded_in_the_message_and_whole_in_the_evidence(begin: Begin) -> None:
    record = small()
    for number, label in enumerate(("1h", "2h", "3h", "4h", "6h", "8h", "10h")):
        record = with_outcome(record, label, CRITERIA[number].id, Status.FAIL, f"broken in way {number}")
    found = goes(begin(record, "24h"))
    assert "more (golive verdict)" in found.message
    assert all(f"broken in way {number}" in found.seen for number in range(7))


def test_a_deployment_that_this_run_could_not_read_is_no_go_or_pending(begin: Begin) -> None:
    found = goes(begin(edited_run(small(), "24h", target={}), "24h"))
    assert found.status is Status.UNKNOWN
    assert "what is deployed could not be read" in found.message


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


def test_missed_checkpoints_are_no_reason_not_to_apply(begin: Begin) -> None:
    found = same(begin(without_run(small(until="2h"), "1h", "2h"), 2.9))
    assert found.status is Status.FAIL
    assert found.message.startswith("1h was missed")


# passed, over a watch


def held_throughout(run: Watching, *criteria: str) -> Judged:
    return run.judge(
        passed.test_every_criterion_of_the_group_held, passed.Params, criteria=criteria or ("*",), over="deployment"
    )


def test_everything_held_in_every_run_of_the_watch(begin: Begin) -> None:
    found = held_throughout(begin(small(), "24h"))
    assert found.status is Status.PASS
    assert found.message.startswith("11 earlier runs of the watch; held: ")


def test_a_failure_at_any_hour_counts_also_of_an_extra_run(begin: Begin) -> None:
    record = with_outcome(small(), "6h", CPU, Status.FAIL, "91 %, below 80 % needed")
    of = next(c for c in CRITERIA if c.id == LOGIN)
    record = with_run(record, extra(record, 7.5, [outcome(of, at_hour(record, 7.5), Status.FAIL, "500")]))
    run = begin(record, "24h")
    assert held_throughout(run, MEMORY).status is Status.PASS
    found = held_throughout(run)
    assert found.status is Status.FAIL
    assert found.message.startswith(f"{CPU} failed at 6h; {LOGIN} failed in run ")


def test_an_unknown_is_mended_within_its_checkpoint(begin: Begin) -> None:
    record = with_outcome(small(until="6h"), "4h", CPU, Status.UNKNOWN, "refused")
    assert told(held_throughout(begin(record, "6h"), CPU)) == (
        Status.UNKNOWN,
        f"{CPU} is unknown at 4h",
    )


def test_another_look_at_the_same_checkpoint_mends_it(begin: Begin) -> None:
    record = with_outcome(small(until="4h"), "4h", CPU, Status.UNKNOWN, "refused")
    record = with_repetition(record, "4h")
    assert held_throughout(begin(record, "4h"), CPU).status is Status.PASS


def test_what_an_early_try_of_the_whole_verdict_could_not_know_is_no_stain(begin: Begin) -> None:
    criteria = (*CRITERIA, criterion("warungin.schedule.checkpoint-count", "history/scheduled", when=(When.GOLIVE,)))
    record = day(criteria=criteria, signed_by=(), roles=())
    early = [outcome(c, at_hour(record, 0.3), Status.UNKNOWN, "not yet") for c in criteria if When.GOLIVE in c.when]
    record = with_run(record, extra(record, 0.3, early))
    assert held_throughout(begin(record, "24h", criteria=criteria)).status is Status.PASS


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
