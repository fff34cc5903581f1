"""The checks of the whole watch, at several hours of a synthetic day in a real history, and with what spoils it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checks.history import approved, available, clean, passed
from golive.model import Status, WatchRecord, When
from tests.checks.history.stored import CRITERIA, Begin, Watching, a_gap, extra, probed, run_of, small, told
from tests.judged import Judged
from tests.watchdays import (
    CPU,
    LOGIN,
    MEMORY,
    at_hour,
    attested,
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
from tests.watchdays import repeated as with_repetition

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


def test_what_people_had_not_signed_at_the_first_final_check_is_no_stain(begin: Begin) -> None:
    signed = attested("warungin.signoff.tech-lead", "Tech Lead", signed=True)
    criteria = (*CRITERIA, signed)
    record = day(criteria=criteria, signed_by=(), roles=())
    first = run_of(record, "24h")
    assert {o.criterion: o.status for o in first.outcomes}[signed.id] is Status.UNKNOWN
    run = begin(with_repetition(record, "24h"), "24h", criteria=criteria)
    assert held_throughout(run, "*").status is Status.PASS
