"""The verdict over a day: what makes GO, what makes NO-GO, what is still to come, each with the line that says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from golive.judge.verdict import decide
from golive.model import Attempt, Criterion, Decision, Deployment, Measurement, Status, Verdict, WatchRecord, When
from tests import watchdays as days
from tests.watchdays import CPU, GROWTH, LOGIN, POSTGRES, REDIS, RESTARTS, START, after, at_hour, day

GO, NO_GO, PENDING = Decision.GO, Decision.NO_GO, Decision.PENDING
Spoil = Callable[[WatchRecord], WatchRecord]


def judged(record: WatchRecord, now: datetime | None = None) -> Verdict:
    return decide(record, now=after(record) if now is None else now)


def told(verdict: Verdict) -> list[tuple[Decision, str, str]]:
    return [(reason.decision, reason.kind, reason.text) for reason in verdict.reasons]


def only(verdict: Verdict) -> tuple[Decision, str, str]:
    (reason,) = told(verdict)
    return reason


# GO


def test_a_clean_day_that_all_have_signed_is_go() -> None:
    verdict = judged(day())
    assert (verdict.decision, verdict.reasons) == (GO, ())
    assert (verdict.trial, verdict.override, verdict.earliest) == (False, None, after(day()))
    assert verdict.watch == "demo-20260501T090000Z-abc123"
    assert verdict.forecast == (
        "GO holds until 2026-05-08 07:00 UTC, when the affirmation of warungin.material.rollback-rehearsed expires"
    )
    assert [(m.name, m.until, m.state, m.text) for m in verdict.milestones] == [
        ("stable", "4h", "reached", "five checkpoints clean since 2026-05-01 13:00 UTC"),
        ("very stable", "12h", "reached", "nine checkpoints clean since 2026-05-01 21:00 UTC"),
    ]


def test_a_trial_says_that_it_is_one() -> None:
    verdict = judged(day(time_scale=240.0))
    assert (verdict.decision, verdict.trial) == (GO, True)


def test_without_a_sign_off_nobody_has_to_sign() -> None:
    verdict = judged(replace(day(roles=(), criteria=days.many(3), signed_by=()), signatures=()))
    assert verdict.decision is GO
    assert verdict.forecast == "GO, and nothing that it rests on expires"


def test_criteria_of_other_occasions_are_no_part_of_the_watch() -> None:
    assert days.USERS_TOLD in {c.id for c in day().criteria}
    more = days.criterion("warungin.load.peak", when=(When.LOAD,))
    record = replace(day(), criteria=(*day().criteria, more, replace(more, id="warungin.x.y", answer="unanswered")))
    assert judged(record).decision is GO


# Still to come


def test_mid_watch_it_is_pending_and_says_what_comes_when() -> None:
    verdict = judged(day(until="6h"))
    assert told(verdict) == [
        (PENDING, "checkpoint-due", "checkpoint 8h is due at 2026-05-01 17:00 UTC, then 10h, 12h, 16h, 20h and 24h"),
        (
            PENDING,
            "role-unsigned",
            "not signed by the QA Lead, the Security Lead, the Tech Lead and the Product Manager (0 of 4 signatures)",
        ),
    ]
    assert verdict.earliest == START + timedelta(hours=24)
    assert verdict.forecast == (
        "GO possible at the soonest 2026-05-02 09:00 UTC, after six checkpoints up to 24h and four signatures"
    )
    assert [m.state for m in verdict.milestones] == ["reached", "open"]
    assert verdict.milestones[1].text.startswith("checkpoint 8h is due at ")


def test_before_the_first_checkpoint_it_is_pending() -> None:
    record = replace(day(), runs=(), signatures=(), probes=())
    verdict = judged(record, START + timedelta(seconds=30))
    assert verdict.decision is PENDING
    assert [kind for _, kind, _ in told(verdict)] == ["availability-absent", "checkpoint-due", "role-unsigned"]
    assert "then 1h, 2h" in verdict.reasons[1].text
    assert "api and web were not probed yet, the first probe must come by 2026-05-01 09:05 UTC" in str(told(verdict))


def test_a_checkpoint_that_is_due_says_by_when() -> None:
    now = at_hour(day(), 8.1)
    verdict = judged(days.probed(day(until="6h"), now), now)
    assert verdict.decision is PENDING
    assert (
        verdict.reasons[0].text
        == "checkpoint 8h is due since 2026-05-01 17:00 UTC: its run must begin by 2026-05-01 17:15 UTC"
    )


def test_the_last_run_still_going_on_is_pending() -> None:
    record = days.edited_run(day(), "24h", finished_at=None)
    verdict = judged(record)
    assert verdict.decision is PENDING
    assert verdict.reasons[0].text == "checkpoint 24h is going on since 2026-05-02 09:01 UTC"
    assert verdict.forecast.startswith("GO possible at the soonest 2026-05-02 09:07 UTC, after checkpoint 24h and four")
    assert verdict.milestones[-1].state == "reached"


def test_a_second_run_of_the_last_checkpoint_must_end_as_well() -> None:
    record = days.repeated(day(), "24h", minutes=4, finished_at=None)
    verdict = judged(record)
    assert verdict.decision is PENDING
    assert [r.kind for r in verdict.reasons] == ["checkpoint-going-on", "role-unsigned", "signature-invalid"]


def test_no_watch_is_pending_and_says_how_to_begin_one() -> None:
    record = replace(day(), watch=None, runs=(), criteria=(*day().criteria, unanswered("warungin.x.y")))
    verdict = decide(record, now=START)
    assert told(verdict) == [
        (PENDING, "criterion-unanswered", "one criterion is answered by nobody: warungin.x.y"),
        (PENDING, "no-watch", "no watch of demo has begun: golive watch --env=demo"),
    ]
    assert (verdict.watch, verdict.earliest, verdict.forecast) == (None, None, "GO takes a watch, and none has begun")
    assert decide(replace(record, tampered=("run x was changed",)), now=START).decision is NO_GO


def unanswered(name: str) -> Criterion:
    return days.criterion(name, None, answer="unanswered")


# Checkpoints


def test_a_missed_checkpoint_is_no_go_and_go_is_out_of_reach() -> None:
    now = at_hour(day(), 8.3)
    verdict = judged(days.probed(day(until="6h"), now), now)
    assert told(verdict)[0] == (
        NO_GO,
        "checkpoint-missed",
        "checkpoint 8h was missed: no run began within 15 min after it was due",
    )
    assert (verdict.earliest, verdict.forecast) == (None, f"GO no longer reachable: {verdict.reasons[0].text}")
    assert verdict.reasons[0].checkpoint == "8h"
    assert [m.state for m in verdict.milestones] == ["reached", "missed"]


def test_many_missed_checkpoints_are_one_line() -> None:
    assert only(judged(days.without_run(day(), "6h", "8h")))[2] == (
        "checkpoints 6h and 8h were missed: no run began within 15 min after they were due"
    )
    record = replace(day(until="15min"), signatures=())
    missed = judged(days.probed(record, at_hour(record, 25)), at_hour(record, 25)).reasons[0]
    assert missed.text.startswith("11 checkpoints from 1h to 24h were missed")


def test_checkpoints_before_the_watch_was_opened_are_missed() -> None:
    record = days.with_watch(days.without_run(day(), "15min", "1h"), opened_at=at_hour(day(), 1.5))
    assert only(judged(record))[2].endswith("(the watch was only opened at 2026-05-01 10:30 UTC)")


def test_a_run_that_began_too_late_is_named_as_late() -> None:
    record = days.edited_run(day(), "6h", started_at=at_hour(day(), 6) + timedelta(minutes=22))
    assert only(judged(record)) == (
        NO_GO,
        "checkpoint-late",
        "checkpoint 6h was held late: its run began 7 min after the time allowed for it",
    )


def test_a_run_that_began_before_its_hour_proves_nothing_of_it() -> None:
    record = days.edited_run(day(), "24h", started_at=at_hour(day(), 2), finished_at=at_hour(day(), 2.1))
    decision, kind, text = told(judged(record))[0]
    assert (decision, kind) == (PENDING, "checkpoint-early")
    assert text.endswith(
        "its run began 22 h before it was due, which proves nothing of that hour; repeat it by 2026-05-02 09:15 UTC"
    )
    assert judged(record, after(record, minutes=16)).decision is NO_GO


def test_an_aborted_run_can_be_repeated_until_the_deadline() -> None:
    record = days.aborted(day(signed_by=()), "24h")
    verdict = judged(record)
    assert told(verdict)[0] == (
        PENDING,
        "checkpoint-aborted",
        "checkpoint 24h: its run was broken off (interrupted by Ctrl-C); repeat it by 2026-05-02 09:15 UTC",
    )
    later = judged(record, after(record, minutes=16))
    assert told(later)[0][::2] == (
        NO_GO,
        "checkpoint 24h: its run was broken off (interrupted by Ctrl-C), and not repeated in time",
    )


def test_an_aborted_run_that_was_repeated_in_time_leaves_no_trace() -> None:
    record = days.repeated(days.aborted(day(signed_by=()), "24h"), "24h", minutes=9)
    record = days.with_signatures(days.probed(record, after(record, minutes=14)), days.ROLES)
    assert judged(record, after(record, minutes=14)).decision is GO


def test_a_repetition_after_the_deadline_is_none() -> None:
    record = days.repeated(days.aborted(day(), "6h"), "6h", minutes=16)
    assert only(judged(record))[1] == "checkpoint-aborted"


def test_a_failure_of_an_aborted_run_counts_all_the_same() -> None:
    record = days.with_outcome(day(signed_by=()), "24h", CPU, Status.FAIL, "91 %, below 80 % needed")
    record = days.repeated(days.aborted(record, "24h"), "24h", minutes=4)
    verdict = judged(days.with_signatures(record, days.ROLES))
    assert only(verdict)[::2] == (
        NO_GO,
        "checkpoint 24h: warungin.health.cpu failed, though it held again later: 91 %, below 80 % needed",
    )


def test_a_partial_checkpoint_names_what_was_not_judged() -> None:
    assert only(judged(days.without_outcome(day(), "6h", CPU, LOGIN))) == (
        NO_GO,
        "checkpoint-partial",
        "checkpoint 6h: 2 of 8 criteria were not judged: warungin.functionality.login and warungin.health.cpu",
    )


def test_a_partial_last_checkpoint_can_be_made_whole_in_time() -> None:
    record = days.without_outcome(day(signed_by=()), "24h", GROWTH)
    assert told(judged(record))[0][0] is PENDING
    golive_only = days.repeated(record, "24h", minutes=3)
    assert judged(days.with_signatures(golive_only, days.ROLES)).decision is GO


def test_a_run_without_a_single_outcome_is_not_a_checkpoint() -> None:
    text = only(judged(days.edited_run(day(), "6h", outcomes=())))[2]
    assert text == (
        "checkpoint 6h: 8 of 8 criteria were not judged: warungin.functionality.login, "
        "warungin.health.cpu, warungin.health.memory and 5 more"
    )


def test_what_a_run_had_selected_of_the_teams_own_must_be_judged() -> None:
    selected = (*day().runs[5].selected, "shop.own.stock")
    text = only(judged(days.edited_run(day(), "6h", selected=selected)))[2]
    assert text == "checkpoint 6h: 1 of 9 criteria were not judged: shop.own.stock"


def test_no_criteria_at_all_is_no_go() -> None:
    assert only(judged(replace(day(), criteria=())))[::2] == (
        NO_GO,
        "environment demo has no criteria, so nothing is judged",
    )


def test_a_checkpoint_at_which_nothing_would_be_judged_is_no_go() -> None:
    criteria = tuple(c for c in days.CRITERIA if When.SMOKE not in c.when)
    assert only(judged(day(criteria=criteria)))[::2] == (NO_GO, "checkpoint 15min: no criterion is judged there")


def test_no_runs_at_all_is_no_go_once_something_was_due() -> None:
    record = replace(day(), runs=(), signatures=())
    assert judged(record, START + timedelta(hours=24, minutes=16)).reasons[0].text.startswith("12 checkpoints from ")


def test_criteria_that_no_checkpoint_judges_are_no_go() -> None:
    schedule = tuple(replace(slot, occasions=(When.CHECKPOINT,)) for slot in days.SCHEDULE[1:])
    text = only(judged(day(schedule=schedule)))[2]
    assert text.startswith("three criteria are judged at no checkpoint of the schedule, which has none for ")
    assert GROWTH in text


def test_a_watch_without_schedule_is_no_go() -> None:
    verdict = decide(days.with_watch(day(), schedule=()), now=START)
    assert only(verdict)[::2] == (NO_GO, "the watch has no checkpoints, so nothing was looked at")


# Criteria


def test_a_fault_at_hour_6_stays_no_go_though_it_healed_by_hour_8() -> None:
    verdict = judged(days.with_outcome(day(), "6h", CPU, Status.FAIL, "91 %, below 80 % needed"))
    assert only(verdict) == (
        NO_GO,
        "criterion-failed",
        "checkpoint 6h: warungin.health.cpu failed, though it held again later: 91 %, below 80 % needed",
    )
    assert (verdict.reasons[0].criterion, verdict.reasons[0].checkpoint) == (CPU, "6h")
    assert [m.state for m in verdict.milestones] == ["reached", "missed"]


def test_a_fault_that_stays_is_one_line_with_its_checkpoints() -> None:
    record = day(until="8h")
    for label in ("6h", "8h"):
        record = days.with_outcome(record, label, CPU, Status.FAIL, f"91 % at {label}")
    assert judged(record).reasons[0].text == "checkpoints 6h and 8h: warungin.health.cpu failed: 91 % at 6h"


def test_many_failures_of_one_checkpoint_are_one_line_with_the_gravest() -> None:
    record = day(until="6h")
    for criterion in (CPU, POSTGRES, REDIS, days.MEMORY, days.ERRORS):
        record = days.with_outcome(record, "6h", criterion, Status.FAIL, f"{criterion} is broken")
    assert judged(record).reasons[0].text == (
        "checkpoint 6h: 5 criteria failed: warungin.health.services-running[postgres, redis], warungin.health.cpu, "
        f"warungin.logging.errors and 1 more ({POSTGRES}: {POSTGRES} is broken)"
    )
    assert judged(record).reasons[0].criterion is None


def test_a_whole_checkpoint_that_could_not_look_is_one_line() -> None:
    record = day(criteria=days.many(82))
    for name in [c.id for c in record.criteria]:
        record = days.with_outcome(record, "6h", name, Status.UNKNOWN, "host app: connection refused")
    verdict = judged(record)
    assert only(verdict)[0] is NO_GO
    assert verdict.reasons[0].text.startswith("checkpoint 6h: 82 criteria could not be looked at: warungin.health.")
    assert verdict.reasons[0].text.endswith(" and 79 more (warungin.health.part-0: host app: connection refused)")


def test_a_restarted_service_is_no_go() -> None:
    record = days.with_outcome(day(), "10h", RESTARTS, Status.FAIL, "api restarted at 2026-05-01 18:12 UTC")
    assert only(judged(record))[2] == (
        "checkpoint 10h: warungin.health.no-restarts failed, though it held again later: "
        "api restarted at 2026-05-01 18:12 UTC"
    )


def test_growing_memory_is_no_go() -> None:
    record = days.with_outcome(day(), "24h", GROWTH, Status.FAIL, "api grows by 12 MB/h, full in 31 h")
    assert only(judged(record))[2] == (
        "checkpoint 24h: warungin.performance.memory-growth failed: api grows by 12 MB/h, full in 31 h"
    )


def test_a_failure_in_an_extra_run_counts_as_well() -> None:
    record = day()
    failed = days.outcome(days.CRITERIA[0], at_hour(record, 11.5), Status.FAIL, "95 %, below 80 % needed")
    record = days.with_run(record, days.extra_run(record, 11.5, failed))
    assert only(judged(record))[2] == (
        "the extra run of 2026-05-01 20:30 UTC: warungin.health.cpu failed, though it held again later: "
        "95 %, below 80 % needed"
    )


def test_an_extra_run_that_could_not_look_takes_nothing_away() -> None:
    record = day()
    blind = days.outcome(days.CRITERIA[0], at_hour(record, 11.5), Status.UNKNOWN, "refused")
    assert judged(days.with_run(record, days.extra_run(record, 11.5, blind))).decision is GO


def test_the_care_of_a_live_system_is_no_part_of_the_watch() -> None:
    record, care = day(), days.criterion("warungin.after.review", when=(When.MAINTENANCE,))
    failed = days.outcome(care, at_hour(record, 11.5), Status.FAIL, "no review yet")
    record = days.with_run(replace(record, criteria=(*record.criteria, care)), days.extra_run(record, 11.5, failed))
    assert judged(record).decision is GO


def test_a_failed_load_run_under_the_watch_is_no_go() -> None:
    record, load = day(), days.criterion("warungin.load.peak", when=(When.LOAD,))
    failed = days.outcome(load, at_hour(record, 11.5), Status.FAIL, "p95 910 ms, below 500 ms needed")
    record = days.with_run(replace(record, criteria=(*record.criteria, load)), days.extra_run(record, 11.5, failed))
    assert judged(record).decision is NO_GO


def test_unknown_is_pending_until_the_deadline_and_no_go_after_it() -> None:
    record = days.with_outcome(day(until="6h"), "6h", CPU, Status.UNKNOWN, "host app: connection refused")
    verdict = judged(record)
    assert verdict.decision is PENDING
    assert verdict.reasons[1].text == (
        "checkpoint 6h: warungin.health.cpu could not be looked at: host app: connection refused"
    )
    assert "a repetition of checkpoint 6h" in verdict.forecast
    late = after(record, minutes=16)
    assert judged(days.probed(record, late), late).reasons[0].decision is NO_GO


def test_unknown_is_mended_by_a_run_of_the_same_checkpoint_only() -> None:
    record = days.with_outcome(day(signed_by=()), "6h", CPU, Status.UNKNOWN, "refused")
    mended = days.with_signatures(days.repeated(record, "6h", minutes=9), days.ROLES)
    assert judged(mended).decision is GO
    later = days.with_run(record, days.extra_run(record, 6.5))
    assert judged(days.with_signatures(later, days.ROLES)).decision is NO_GO


def test_an_unknown_of_the_teams_own_blocks_as_well() -> None:
    record = day()
    own = days.outcome(days.criterion("shop.own.stock", None), at_hour(record, 6), Status.UNKNOWN, "no answer")
    record = days.edited_run(record, "6h", outcomes=(*record.runs[5].outcomes, own))
    assert only(judged(record))[2] == "checkpoint 6h: shop.own.stock could not be looked at: no answer"


def test_a_pass_on_retry_spoils_the_watch_unless_it_is_allowed() -> None:
    record = days.on_second_try(day(), "8h", LOGIN)
    assert only(judged(record))[::2] == (
        NO_GO,
        "checkpoint 8h: warungin.functionality.login held only when tried again: HTTP 500",
    )
    assert judged(replace(record, flapping_blocks=False)).decision is GO


def test_what_a_run_is_about_to_try_again_does_not_count_yet() -> None:
    record = days.with_outcome(day(), "24h", CPU, Status.FAIL, "91 %, below 80 % needed")
    record = replace(record, criteria=tuple(replace(c, retries=1) for c in record.criteria))
    assert judged(days.edited_run(record, "24h", finished_at=None)).decision is PENDING
    assert judged(days.edited_run(record, "24h", finished_at=None, aborted="killed")).decision is NO_GO
    assert judged(record).decision is NO_GO


def test_a_waived_failure_is_accepted_while_the_waiver_holds() -> None:
    record = days.accepted(day(), "24h", CPU, expires=at_hour(day(), 30))
    verdict = judged(record)
    assert verdict.decision is GO
    assert verdict.forecast == "GO holds until 2026-05-02 15:00 UTC, when the waiver of warungin.health.cpu expires"


def test_a_waiver_that_expired_no_longer_accepts_the_last_checkpoint() -> None:
    record = days.accepted(day(), "24h", CPU, expires=at_hour(day(), 24.05))
    assert only(judged(record)) == (
        NO_GO,
        "waiver-expired",
        (
            "checkpoint 24h: warungin.health.cpu failed, and that is accepted no longer: "
            "the waiver by Ann expired 2026-05-02T09:03:00.000Z"
        ),
    )


def test_a_waiver_may_expire_once_the_criterion_holds_again() -> None:
    assert judged(days.accepted(day(), "6h", CPU, expires=at_hour(day(), 7))).decision is GO


def test_a_waiver_that_was_withdrawn_accepts_nothing() -> None:
    record = replace(days.accepted(day(), "24h", CPU, expires=at_hour(day(), 30)), waivers=())
    assert only(judged(record))[2].endswith("is accepted no longer: its waiver was withdrawn")


def test_a_renewed_waiver_must_cover_the_value() -> None:
    record = days.accepted(day(), "24h", CPU, expires=at_hour(day(), 30))
    record = days.with_outcome(record, "24h", CPU, Status.WAIVED, "91 %", measurements=(days.cpu_percent(91),))
    (waiver,) = record.waivers
    assert judged(replace(record, waivers=(replace(waiver, at_most=95.0),))).decision is GO
    assert (
        "outside the waiver by Ann (at most 90)"
        in (only(judged(replace(record, waivers=(replace(waiver, at_most=90.0),))))[2])
    )


def test_a_criterion_that_nobody_answers_is_pending() -> None:
    record = replace(day(), criteria=(*day().criteria, unanswered("warungin.x.y"), unanswered("warungin.x.z")))
    verdict = judged(record)
    assert only(verdict)[::2] == (PENDING, "2 criteria are answered by nobody: warungin.x.y and warungin.x.z")
    assert verdict.earliest is None
    assert verdict.forecast.startswith("GO not reachable in this watch: answering a criterion changes the rules")


def test_a_failure_stays_one_though_the_next_attempt_could_not_look_and_another_run_found_nothing() -> None:
    first = Attempt(status=Status.FAIL, message="HTTP 500", at=START)
    record = days.with_outcome(day(), "6h", LOGIN, Status.UNKNOWN, "timed out", earlier=(first,))
    record = days.repeated(record, "6h", minutes=8)
    record = days.with_signatures(replace(record, signatures=()), days.ROLES)
    text = f"checkpoint 6h: {LOGIN} failed, though it held again later: HTTP 500"
    assert only(judged(record)) == (NO_GO, "criterion-failed", text)
    assert judged(replace(record, flapping_blocks=False)).decision is GO


# One deployment, one set of rules, unaltered evidence


@pytest.mark.parametrize(
    ("version", "hours", "why"),
    [
        ("2.5.0", 0.0, "version 2.5.0, the watch is over 2.4.1"),
        ("", 0.0, "version unknown, the watch is over 2.4.1"),
        ("2.4.1", 30.0, "made at 2026-05-02 15:00 UTC, the watch is over that of 2026-05-01 09:00 UTC"),
    ],
)
def test_a_watch_says_nothing_of_the_next_deployment(version: str, hours: float, why: str) -> None:
    deployment = Deployment(version=version, deployed_at=START + timedelta(hours=hours))
    record = replace(days.with_override(day()), deployment=deployment)
    text = f"another deployment is there now, which has to be watched anew: {why}"
    assert only(judged(record)) == (NO_GO, "deployment-replaced", text)


def test_a_deployment_that_the_environment_does_not_date_is_the_watched_one() -> None:
    assert judged(replace(day(), deployment=Deployment(version="2.4.1"))).decision is GO


def test_a_changed_binary_is_no_go_and_says_what_changed_and_when() -> None:
    changed = {**days.TARGET, "all/api image": "sha256:" + "9f9f" * 16}
    record = day()
    for label in ("8h", "10h"):
        record = days.edited_run(record, label, target=changed)
    assert only(judged(record)) == (
        NO_GO,
        "target-changed",
        (
            "the target changed between checkpoint 6h and checkpoint 8h: "
            "all/api image changed from sha256:1a2b1a2b1a2b to sha256:9f9f9f9f9f9f; "
            "it changed again between checkpoint 10h and checkpoint 12h"
        ),
    )


def test_a_target_that_was_never_what_the_watch_began_with_is_no_go() -> None:
    record = days.with_watch(day(), target={"all/api image": "x", "a": "1", "b": "2"})
    text = only(judged(record))[2]
    assert text.startswith(
        "the target changed between the start of the watch and checkpoint 15min: a is gone, it was 1"
    )
    assert text.endswith(" and 4 more")


def test_a_target_that_nobody_read_at_the_start_is_compared_with_the_first_run() -> None:
    record = days.with_watch(day(), target={})
    assert judged(record).decision is GO
    assert judged(days.edited_run(record, "1h", target={"a": "1"})).decision is NO_GO


def test_an_unread_target_is_like_an_unknown() -> None:
    text = "checkpoint 6h: what is deployed could not be read"
    assert only(judged(days.edited_run(day(), "6h", target={})))[::2] == (NO_GO, text)
    assert told(judged(days.edited_run(day(until="6h"), "6h", target={})))[0][::2] == (PENDING, text)


def test_a_run_against_another_deployment_is_no_go() -> None:
    other = Deployment(version="2.4.2", deployed_at=START)
    assert only(judged(days.edited_run(day(), "6h", deployment=other)))[::2] == (
        NO_GO,
        "checkpoint 6h was held on another deployment: version 2.4.2, the watch is over 2.4.1",
    )
    again = Deployment(version="2.4.1", deployed_at=at_hour(day(), 5))
    assert only(judged(days.edited_run(day(), "6h", deployment=again)))[2].endswith(
        "made at 2026-05-01 14:00 UTC, the watch is over that of 2026-05-01 09:00 UTC"
    )


def test_criteria_that_changed_during_the_watch_are_no_go() -> None:
    assert only(judged(days.edited_run(day(), "6h", criteria_digest="0" * 64)))[2] == (
        "checkpoint 6h was judged by other criteria than the watch began with"
    )
    assert (
        only(judged(replace(day(), criteria_digest="0" * 64)))[2] == "the criteria were changed since the watch began"
    )
    assert only(judged(days.edited_run(day(), "6h", criteria_digest="")))[0] is NO_GO


def test_edited_results_are_no_go() -> None:
    record = replace(day(), tampered=("run b: outcome of x was changed", "run a: outcome of y was changed"))
    assert only(judged(record))[::2] == (
        NO_GO,
        "evidence was altered: run a: outcome of y was changed (and 1 more)",
    )


def test_the_history_of_another_environment_proves_nothing() -> None:
    verdict = judged(replace(day(), environment="prod"))
    assert verdict.decision is NO_GO
    assert [r.text for r in verdict.reasons if r.kind.startswith("foreign")] == [
        "the watch is over warungin on demo, not over warungin on prod",
        "run 20260501T091600Z-15min belongs to warungin on demo, not to this watch (and 11 more)",
    ]


@pytest.mark.parametrize(
    ("change", "whose"),
    [
        ({"environment": "staging"}, "warungin on staging"),
        ({"system": "other"}, "other on demo"),
        ({"watch": "demo-1"}, "watch demo-1"),
        ({"watch": None}, "no watch"),
    ],
)
def test_a_foreign_run_under_the_watch_is_no_go(change: dict[str, str | None], whose: str) -> None:
    record = day()
    stranger = replace(record.runs[3], run="stranger", **change)  # type: ignore[arg-type]
    assert only(judged(days.with_run(record, stranger)))[::2] == (
        NO_GO,
        f"run stranger belongs to {whose}, not to this watch",
    )


def test_a_closed_watch_says_why_it_is_one() -> None:
    record = days.with_watch(day(), closed_at=at_hour(day(), 25), closed_because="a new deployment, 2.5.0")
    assert only(judged(record))[::2] == (
        NO_GO,
        "the watch was closed at 2026-05-02 10:00 UTC: a new deployment, 2.5.0",
    )


def test_a_run_from_the_future_is_pending() -> None:
    record = days.with_run(day(), days.extra_run(day(), 25))
    assert judged(record, after(day())).reasons[0].text.endswith("dated in the future, so one of the clocks is wrong")
    assert judged(record, after(day())).decision is PENDING


# Availability


def test_an_outage_between_checkpoints_is_no_go() -> None:
    record, begin = day(), at_hour(day(), 5)
    spans = (
        days.up("web", START, after(record)),
        days.up("api", START, begin),
        days.down("api", begin + timedelta(seconds=5), begin + timedelta(seconds=60), "503 Service Unavailable"),
        days.up("api", begin + timedelta(seconds=65), after(record)),
    )
    verdict = judged(replace(record, probes=spans))
    assert only(verdict)[::2] == (
        NO_GO,
        (
            "availability: api was down for 1 min from 2026-05-01 14:00:05 UTC (503 Service Unavailable), "
            "which makes 99.93 % up, at least 100 % needed"
        ),
    )
    assert [m.state for m in verdict.milestones] == ["reached", "missed"]


def test_an_outage_that_the_rest_of_the_day_can_make_up_for_is_pending() -> None:
    record, begin = day(until="6h"), at_hour(day(), 5)
    policy = replace(days.POLICY, endpoints=("api",), at_least_percent=99.9)
    spans = (
        days.up("api", START, begin),
        days.down("api", begin + timedelta(seconds=5), begin + timedelta(seconds=60)),
        days.up("api", begin + timedelta(seconds=65), after(record)),
    )
    record = replace(record, probes=spans, probe_policy=policy)
    verdict = judged(record)
    assert verdict.decision is PENDING
    assert "which makes 99.72 % up, at least 99.9 % needed" in str(told(verdict))
    longer = (*spans, days.down("api", begin, begin + timedelta(minutes=3)))
    assert judged(replace(record, probes=longer)).decision is NO_GO


def test_time_that_nobody_probed_is_no_go() -> None:
    assert only(judged(replace(day(), probes=())))[::2] == (NO_GO, "availability: api and web were never probed")
    gap = (days.up("api", START, at_hour(day(), 3)), days.up("api", at_hour(day(), 4), after(day())))
    record = replace(day(), probes=(*gap, days.up("web", START, after(day()))))
    assert only(judged(record))[2] == "availability: 59 min 50 s of api passed unseen, at most 8.6 s may"


def test_a_policy_without_endpoints_shows_nothing() -> None:
    record = replace(day(), probe_policy=replace(days.POLICY, endpoints=()))
    assert only(judged(record))[2] == "no endpoint is probed between the checkpoints"


def test_without_a_policy_nothing_is_probed() -> None:
    assert judged(day(policy=None)).decision is GO


# Order


def test_reasons_come_worst_first() -> None:
    record = days.with_outcome(day(until="12h"), "6h", CPU, Status.FAIL, "91 %")
    record = days.with_outcome(record, "8h", POSTGRES, Status.FAIL, "stopped")
    record = days.with_outcome(record, "1h", days.MEMORY, Status.FAIL, "97 %")
    record = days.with_outcome(record, "12h", days.ERRORS, Status.UNKNOWN, "refused")
    record = days.without_run(record, "10h")
    verdict = judged(replace(record, tampered=("run a was changed",)))
    assert [(r.kind, r.checkpoint) for r in verdict.reasons] == [
        ("tampered", None),
        ("checkpoint-missed", "10h"),
        ("criterion-failed", "8h"),
        ("criterion-failed", "6h"),
        ("criterion-failed", "1h"),
        ("checkpoint-due", "16h"),
        ("criterion-unknown", "12h"),
        ("role-unsigned", None),
    ]
    assert verdict.forecast == "GO no longer reachable: evidence was altered: run a was changed (and 4 more)"


# Milestones


def test_a_milestone_needs_its_hour_and_a_checkpoint() -> None:
    record = replace(day(until="4h"), milestones={"early": 60.0, "half past": 4.5 * 3600, "third": 3 * 3600.0})
    verdict = judged(record)
    assert [(m.name, m.until, m.state) for m in verdict.milestones] == [
        ("early", "1 min", "missed"),
        ("third", "3h", "reached"),
        ("half past", "4 h 30 min", "open"),
    ]
    assert verdict.milestones[0].text == "no checkpoint is scheduled up to this hour"
    assert verdict.milestones[2].text == "at 2026-05-01 13:30 UTC"


def test_a_milestone_once_reached_survives_what_comes_later() -> None:
    record = days.with_outcome(day(), "16h", CPU, Status.FAIL, "91 %")
    assert [m.state for m in judged(record).milestones] == ["reached", "reached"]


# Speed


@pytest.mark.parametrize("status", [Status.PASS, Status.FAIL, Status.UNKNOWN, Status.WAIVED])
def test_twelve_runs_of_five_hundred_criteria_are_judged_in_a_blink(status: Status) -> None:
    record = day(criteria=days.many(500))
    runs = [
        replace(run, outcomes=tuple(replace(o, status=status, measurements=(_VALUE,)) for o in run.outcomes))
        for run in record.runs
    ]
    record = replace(record, runs=runs)
    began = time.process_time()
    verdict = judged(record)
    assert time.process_time() - began < 1.0
    assert len(verdict.reasons) <= 2


_VALUE = Measurement(name="cpu", value=91.0, unit="%", critical=80.0)
