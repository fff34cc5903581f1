"""Checks of critical lines, errors and warnings, on real files."""

import os
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from checks.logs import (
    coverage,
    error_count,
    no_critical,
    recent_errors,
    repeated_errors,
    unexpected_warnings,
    warning_rate,
)
from fixtures.logs import LogWindow
from golive.logs.file import FileSource
from golive.model import Status
from tests.checks.logs.conftest import DEPLOYED, Logs

ACCEPTED = {"pattern": "printer", "reason": "GO-17"}


def critical(**more: Any) -> no_critical.Params:
    return no_critical.Params.model_validate({"logs": ["api"], **more})


def look_critical(logs: Logs, *sources: str, **more: Any) -> Any:
    params = critical(logs=sources or ("api",), **more)
    return logs.look(no_critical.test_no_line_of_the_logs_is_critical, params)


def test_no_critical_line_passes(logs: Logs) -> None:
    logs.write("0 critical errors found")
    found = look_critical(logs)
    assert (found.status, found.message) == (Status.PASS, "critical: 0 lines, at most 0 lines needed (2 lines read)")


@pytest.mark.parametrize("form", ["json", "text", "trace"])
def test_a_critical_line_fails_in_every_form(logs: Logs, form: str) -> None:
    if form == "json":
        logs.write("ledger lost", level="CRITICAL")
    elif form == "trace":
        logs.write("it broke", level="ERROR")
        logs.append("Traceback (most recent call last):\n  File x\nCRITICAL:app:ledger lost\n")
    else:
        stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S,%f")
        logs.append(f"{stamp} CRITICAL [x] ledger lost\n")
    found = look_critical(logs)
    assert found.status is Status.FAIL
    assert found.message.startswith("critical: 1 lines, at most 0 lines needed (the last: [api] ")
    assert "ledger lost" in found.message and "ledger lost" in found.seen


def test_a_critical_line_is_told_once_per_criterion(logs: Logs) -> None:
    logs.write("ledger lost", level="CRITICAL")
    assert look_critical(logs).status is Status.FAIL
    assert look_critical(logs).status is Status.PASS
    assert look_critical(logs, since="deployment").status is Status.FAIL


def test_an_aborted_run_looks_again(logs: Logs) -> None:
    logs.write("ledger lost", level="CRITICAL")
    check = no_critical.test_no_line_of_the_logs_is_critical
    assert logs.look(check, critical(), commit=False).status is Status.FAIL
    assert logs.look(check, critical()).status is Status.FAIL


def test_lines_from_before_a_new_deployment_do_not_count(logs: Logs) -> None:
    look_critical(logs)
    logs.write("ledger lost", level="CRITICAL")
    time.sleep(0.01)
    logs.deployed = datetime.now(UTC)
    logs.write("started")
    assert look_critical(logs).status is Status.PASS


def test_an_accepted_line_does_not_count_until_it_expires(logs: Logs) -> None:
    logs.write("printer on fire", level="FATAL")
    assert look_critical(logs, accepted=[ACCEPTED], since="deployment").status is Status.PASS
    expired = {**ACCEPTED, "expires": "2020-01-01T00:00:00Z"}
    assert look_critical(logs, accepted=[expired], since="deployment").status is Status.FAIL


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="no regular expression"):
        critical(accepted=[{"pattern": "(", "reason": "x"}])
    with pytest.raises(ValidationError):
        critical(logs=[])


def test_a_truncated_log_is_unknown(logs: Logs) -> None:
    look_critical(logs)
    os.truncate(logs.path(), 0)
    logs.write("x")
    found = look_critical(logs)
    assert found.status is Status.UNKNOWN
    assert "was cut from" in found.message and "may be missing" in found.message
    assert look_critical(logs).status is Status.PASS


def test_a_critical_line_in_a_truncated_log_still_fails(logs: Logs) -> None:
    look_critical(logs)
    os.truncate(logs.path(), 0)
    logs.write("x", level="CRITICAL")
    assert look_critical(logs).status is Status.FAIL


def test_a_log_younger_than_the_window_is_unknown(logs: Logs) -> None:
    logs.path().unlink()
    logs.write("first line")
    found = look_critical(logs, since="deployment")
    assert found.status is Status.UNKNOWN
    assert "the oldest retained line is from" in found.message


def test_one_unreadable_source_of_two_is_unknown_unless_the_other_fails(logs: Logs) -> None:
    logs.sources = ("api", "worker")
    found = look_critical(logs, "api", "worker")
    assert found.status is Status.UNKNOWN and "worker.log on host app: it is not there" in found.message
    logs.write("x", level="CRITICAL")
    assert look_critical(logs, "api", "worker").status is Status.FAIL
    assert look_critical(logs, "worker").status is Status.UNKNOWN


def test_without_a_deployment_since_deployment_is_unknown(logs: Logs) -> None:
    logs.deployed = None
    assert "no deployment time is recorded" in look_critical(logs, since="deployment").message
    assert look_critical(logs).status is Status.UNKNOWN  # the last hour reaches back further than the log
    assert look_critical(logs).status is Status.PASS


def test_a_deployment_yet_to_come_is_unknown(logs: Logs) -> None:
    logs.deployed = datetime.now(UTC) + timedelta(hours=1)
    assert "which is yet to come" in look_critical(logs).message


def repeated(logs: Logs, **more: Any) -> Any:
    params = repeated_errors.Params.model_validate({"logs": ["api"], **more})
    return logs.look(repeated_errors.test_no_error_repeats, params)


def test_an_error_that_repeats_with_other_numbers_fails(logs: Logs) -> None:
    logs.write(*[f"payment {n} timed out after {n * 7} ms" for n in range(3)], level="ERROR")
    logs.write("something else", level="ERROR")
    found = repeated(logs)
    assert found.status is Status.FAIL
    assert found.message == (
        "seen 3 times or more: 1 patterns, at most 0 patterns needed (3x '[api] payment <n> timed out after <n> ms')"
    )
    assert "payment 0 timed out after 0 ms" in found.seen
    assert found.recorder.measurements[0].name == "pattern [api] payment <n> timed out after <n> ms"
    assert found.value("pattern [api] payment <n> timed out after <n> ms") == 3


def test_errors_that_do_not_repeat_pass(logs: Logs) -> None:
    logs.write("payment 1 failed", "payment 2 failed", "disk", level="ERROR")
    logs.write(*["slow"] * 9, level="WARNING")
    assert repeated(logs).status is Status.PASS
    logs.write(*["printer jam"] * 9, level="ERROR")
    assert repeated(logs, accepted=[ACCEPTED]).status is Status.PASS


def rate(logs: Logs, **more: Any) -> Any:
    params = warning_rate.Params.model_validate({"logs": ["api"], **more})
    return logs.look(warning_rate.test_rate_of_warnings_is_normal, params)


def test_a_flood_of_warnings_fails(logs: Logs) -> None:
    logs.write(*[f"slow write {n}" for n in range(400)], level="WARNING")
    found = rate(logs)
    assert found.status is Status.FAIL
    assert re.match(
        r"warnings: 1[23]\.?\d* per min, below 10 per min needed \(400 in 3\d min, 0 of our own left out", found.message
    )
    assert "'[api] slow write <n>'" in found.message


def test_warnings_of_our_own_probes_are_left_out(logs: Logs) -> None:
    logs.write(*["refused"] * 400, level="WARNING", request_id="run-1-main-3")
    logs.write(*["refused"] * 3, level="WARNING")
    found = rate(logs)
    assert (found.status, found.recorder.measurements[0].samples) == (Status.PASS, 3)


def test_more_warnings_than_are_kept_are_counted(logs: Logs) -> None:
    logs.write(*["w"] * 6_000, level="WARNING")
    assert rate(logs).recorder.measurements[0].samples == 6_000


def test_a_short_window_counts_as_five_minutes(logs: Logs) -> None:
    rate(logs)
    logs.write(*["w"] * 10, level="WARNING")
    assert rate(logs).value("warnings") == 2


def unexpected(logs: Logs, **more: Any) -> Any:
    params = unexpected_warnings.Params.model_validate({"logs": ["api"], **more})
    return logs.look(unexpected_warnings.test_every_warning_is_of_an_expected_kind, params)


def test_a_kind_of_warning_never_seen_fails(logs: Logs) -> None:
    logs.write("printer is slow", "certificate runs out in 6 days", level="WARNING")
    logs.write("refused", level="WARNING", request_id="run-1-main-3")
    found = unexpected(logs, expected=[ACCEPTED])
    assert found.status is Status.FAIL
    assert found.message == (
        "of an unexpected kind: 1 warnings, at most 0 warnings needed (1x '[api] certificate runs out in 6 days')"
    )


def test_expected_warnings_pass(logs: Logs) -> None:
    logs.write("printer is slow", level="WARNING")
    assert unexpected(logs, expected=[ACCEPTED]).status is Status.PASS


def recent(logs: Logs, **more: Any) -> Any:
    params = recent_errors.Params.model_validate({"logs": ["api"], **more})
    return logs.look(recent_errors.test_recent_errors_are_collected_and_reviewed, params)


def test_the_last_errors_are_evidence_and_new_ones_fail(logs: Logs) -> None:
    logs.write(*[f"error {n}" for n in range(20)], "printer", level="ERROR")
    found = recent(logs, accepted=[ACCEPTED], lines=3)
    assert found.status is Status.FAIL
    assert found.message == ("not reviewed: 20 errors, at most 0 errors needed (1 accepted, the last: [api] error 19)")
    assert "error 18" in found.seen and "error 17" not in found.seen


def test_reviewed_errors_pass_and_so_do_all_without_review(logs: Logs) -> None:
    logs.write("printer", level="ERROR")
    assert recent(logs, accepted=[ACCEPTED], since="deployment").status is Status.PASS
    assert recent(logs, review=False, since="deployment").status is Status.PASS


def count(logs: Logs, **more: Any) -> Any:
    params = error_count.Params.model_validate({"logs": ["api"], "since": "deployment", **more})
    return logs.look(error_count.test_number_of_errors_is_within_its_limit, params)


def test_the_number_of_errors_is_recorded_and_judged(logs: Logs) -> None:
    logs.write("a", "b", level="ERROR")
    logs.write("c", level="CRITICAL")
    found = count(logs, critical=2)
    assert (found.status, found.value("errors"), found.value("errors of api")) == (Status.FAIL, 3, 3)
    assert found.message == "errors in the window: 3 errors, at most 2 errors needed (4 lines read)"
    assert count(logs, critical=3).status is Status.PASS


def covered(logs: Logs, **more: Any) -> Any:
    params = coverage.Params.model_validate({"logs": ["api"], **more})
    return logs.look(coverage.test_logs_reach_back_to_the_beginning_of_the_window, params)


def test_a_log_that_reaches_back_passes(logs: Logs) -> None:
    found = covered(logs, since="deployment")
    assert found.status is Status.PASS
    assert found.value("oldest line") > found.value("window")


def test_a_log_that_does_not_reach_back_fails(logs: Logs) -> None:
    logs.path().unlink()
    logs.write("first", at=DEPLOYED + timedelta(minutes=1))
    found = covered(logs, since="deployment")
    assert found.status is Status.FAIL
    assert "api.log: the oldest retained line is from" in found.message


def test_twelve_criteria_share_one_reading(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    context = logs.context()
    looks: list[Any] = []
    real = FileSource.read

    def counted(self: FileSource, since: Any, window_start: Any, **more: Any) -> Any:
        looks.append(since)
        return real(self, since, window_start, **more)

    monkeypatch.setattr(FileSource, "read", counted)
    readings = [LogWindow(context, f"c{n}", critical(), datetime.now(UTC)).read() for n in range(12)]
    assert len(looks) == 1
    assert len({id(reading.pieces[0]) for reading in readings}) == 1
    logs.write("x", level="CRITICAL")
    later = LogWindow(context, "c13", critical(), datetime.now(UTC)).read(fresh=True)
    assert (len(looks), later.counts["CRITICAL"], later.counts["lines"]) == (2, 1, 2)
    assert later.pieces[0] is readings[0].pieces[0]
