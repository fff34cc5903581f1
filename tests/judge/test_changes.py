"""What the next shift is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from golive.judge.changes import LINES, changes
from golive.model import Attestation, Measurement, Status, WatchRecord
from tests import watchdays as days
from tests.watchdays import AFFIRMED, CPU, LOGIN, MEMORY, POSTGRES, REDIS, START, after, at_hour, day


def told(record: WatchRecord) -> list[str]:
    return changes(record, now=after(record))


def test_a_clean_watch_has_nothing_to_tell() -> None:
    assert told(day(until="6h")) == []
    assert told(day(until="15min")) == []
    assert changes(replace(day(), watch=None), now=START) == []


def test_what_newly_fails_comes_first_the_gravest_before() -> None:
    record = days.with_outcome(day(until="6h"), "6h", CPU, Status.FAIL, "91 %, below 80 % needed")
    record = days.with_outcome(record, "6h", POSTGRES, Status.FAIL, "stopped")
    record = days.with_outcome(record, "6h", MEMORY, Status.UNKNOWN, "no value was read")
    assert told(record) == [
        f"{POSTGRES} fails: stopped",
        f"{CPU} fails: 91 %, below 80 % needed",
        f"{MEMORY} is unknown: no value was read",
    ]


def test_what_failed_before_as_well_is_no_change_and_what_holds_again_is_one() -> None:
    record = days.with_outcome(day(until="8h"), "6h", CPU, Status.FAIL, "91 %")
    assert told(record) == [f"{CPU} holds again: all as it should be"]
    assert told(days.with_outcome(record, "8h", CPU, Status.FAIL, "92 %")) == []


def test_what_turned_from_unknown_to_failing_is_told() -> None:
    record = days.with_outcome(day(until="8h"), "6h", CPU, Status.UNKNOWN, "refused")
    assert told(days.with_outcome(record, "8h", CPU, Status.FAIL, "92 %")) == [f"{CPU} fails: 92 %"]


def test_a_failure_at_the_first_checkpoint_is_new() -> None:
    record = days.with_outcome(day(until="15min"), "15min", LOGIN, Status.FAIL, "HTTP 500")
    assert told(record) == [f"{LOGIN} fails: HTTP 500"]


def test_many_are_one_line() -> None:
    record = day(until="6h", criteria=days.many(20))
    for criterion in record.criteria:
        record = days.with_outcome(record, "6h", criterion.id, Status.FAIL, "down")
    (line,) = told(record)
    assert line.startswith("20 criteria newly failing: warungin.health.part-0, ")
    assert line.endswith(" and 17 more")


def test_a_pass_on_retry_is_told() -> None:
    assert told(days.on_second_try(day(until="6h"), "6h", LOGIN)) == [f"{LOGIN} held only when tried again"]


def test_a_value_that_passed_its_warning_limit_is_told_with_the_one_before() -> None:
    limits = {"critical": 90.0, "warning": 80.0}
    record = day(until="6h")
    for label, value in (("4h", 71.0), ("6h", 83.0)):
        seen = Measurement(name="cpu", value=value, unit="%", **limits)  # type: ignore[arg-type]
        status = Status.WARN if value > 80 else Status.PASS
        record = days.with_outcome(record, label, CPU, status, f"{value} %", measurements=(seen,))
    assert told(record) == [f"{CPU}: cpu passed its warning limit: 83 %, below 80 % wanted, 71 before"]
    still = Measurement(name="cpu", value=82.0, unit="%", **limits)  # type: ignore[arg-type]
    assert told(days.with_outcome(record, "4h", CPU, Status.WARN, "82 %", measurements=(still,))) == []


def test_a_watch_that_began_anew_is_told_until_its_second_checkpoint() -> None:
    anew = {"replaces": "demo-0", "reason": "hotfix 2.4.1"}
    expected = ["the watch began anew at 2026-05-01 09:00 UTC, in place of demo-0: hotfix 2.4.1"]
    assert told(days.with_watch(day(until="15min"), **anew)) == expected
    assert told(days.with_watch(day(until="1h"), **anew)) == []


def test_an_extra_run_is_told_and_what_it_found() -> None:
    record = day(until="6h")
    failed = days.outcome(record.criteria[0], at_hour(record, 7), Status.FAIL, "95 %")
    record = days.with_run(record, days.extra_run(record, 7, failed))
    now = at_hour(record, 7.2)
    assert changes(record, now=now) == [f"{CPU} fails: 95 %", "an extra run was held at 2026-05-01 16:00 UTC"]


def test_what_expires_within_a_day_is_told_the_first_first() -> None:
    record = days.accepted(day(until="6h"), "6h", CPU, expires=at_hour(day(), 20))
    due = Attestation(criterion=AFFIRMED, by="Agus", role="DevOps", at=START - timedelta(days=6, hours=8))
    assert told(replace(record, attestations=(due,))) == [
        f"the affirmation of {AFFIRMED} expires at 2026-05-02 01:00 UTC",
        f"the waiver of {CPU} expires at 2026-05-02 05:00 UTC",
    ]
    assert told(replace(record, waivers=(replace(record.waivers[0], expires=at_hour(day(), 40)),))) == []


def test_signatures_that_end_are_told() -> None:
    record = days.with_override(days.with_outcome(day(), "6h", CPU, Status.FAIL, "91 %"))
    record = replace(
        record, signatures=(*record.signatures, days.signature(record, "QA Lead", expires=at_hour(record, 26)))
    )
    assert told(record) == [
        "the signature of the QA Lead expires at 2026-05-02 11:00 UTC",
        "the override of the Product Manager expires at 2026-05-03 09:05 UTC",
    ]


def test_nobody_reads_more_than_ten_lines() -> None:
    record = day(until="6h")
    for criterion, status in ((CPU, Status.FAIL), (POSTGRES, Status.FAIL), (REDIS, Status.UNKNOWN)):
        record = days.with_outcome(record, "6h", criterion, status, "x")
    for number in range(12):
        record = days.accepted(record, "6h", MEMORY, expires=at_hour(record, 10 + number))
    found = told(record)
    assert len(found) == LINES
    assert found[0] == f"{POSTGRES} fails: x"
    assert found[-1] == "and 6 more changes"
