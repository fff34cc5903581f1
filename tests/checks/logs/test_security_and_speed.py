"""Slow entries and events of security in a log: what is counted, what is ours, what is not known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from checks.logs import security_events, slow_entries
from golive.model import Status
from tests.checks.logs.conftest import Logs
from tests.judged import Judged

NOW = datetime.now(UTC).astimezone()
SSHD = f"{NOW:%b %e %H:%M:%S} h sshd[1]: Failed password for bob from 203.0.113.9 port 1 ssh2\n"


def slow(logs: Logs, **more: Any) -> Judged:
    params = slow_entries.Params.model_validate({"logs": ["api"], "limit": "1 s", **more})
    return logs.look(slow_entries.test_few_entries_took_too_long, params)


def test_quick_entries_pass(logs: Logs) -> None:
    logs.write("GET /", duration_ms=20)
    logs.write("report took 900 ms")
    found = slow(logs)
    assert (found.status, found.value("slowest"), found.value("slow entries")) == (Status.PASS, 900, 0)
    assert "longer than 1000 ms: 0 entries, at most 0 entries needed (of 2 with a duration)" in found.message


def test_a_slow_entry_fails_and_is_named(logs: Logs) -> None:
    logs.write("GET /reports", duration_ms=1530)
    logs.append("LOG:  duration: 2530.1 ms  statement: select pg_sleep(2)\n")
    found = slow(logs)
    assert found.status is Status.FAIL
    assert found.message.startswith(
        "longer than 1000 ms: 2 entries, at most 0 entries needed (the slowest: 2530.1 ms, "
    )
    assert found.seen.splitlines()[0].startswith("2530.1 ms: [api]")
    assert slow(logs, since="deployment", allowed=2).status is Status.PASS


def test_no_duration_at_all_is_unknown_where_one_is_expected(logs: Logs) -> None:
    logs.write("all is well")
    found = slow(logs)
    assert (found.status, found.message) == (Status.UNKNOWN, "no entry of api tells how long something took")
    assert slow(logs, since="deployment", expects=False).status is Status.PASS


def test_a_field_and_its_unit(logs: Logs) -> None:
    logs.write("x", http={"wait": 2.5})
    assert slow(logs, field="http.wait", unit="s", since="deployment").value("slowest") == 2500
    assert slow(logs, field="http.wait", unit="ms", since="deployment").status is Status.PASS


def test_slow_entries_in_a_log_with_a_gap_are_unknown(logs: Logs) -> None:
    logs.path().unlink()
    logs.write("x", duration_ms=1)
    assert slow(logs).status is Status.UNKNOWN


def test_slow_entries_are_found_among_more_than_can_be_carried(logs: Logs) -> None:
    logs.limit = "200 kB"
    logs.write(*["GET /orders"] * 30_000, duration_ms=12)
    logs.write("GET /report", duration_ms=5_300)
    found = slow(logs)
    assert (found.status, found.value("slow entries")) == (Status.FAIL, 1)
    assert "the slowest: 5300 ms, GET /report" in found.message


def test_quick_entries_beyond_what_can_be_carried_pass(logs: Logs) -> None:
    logs.limit = "200 kB"
    logs.write(*["GET /orders"] * 30_000, duration_ms=12)
    assert slow(logs).status is Status.PASS


def judge(logs: Logs, **more: Any) -> Judged:
    params = security_events.Params.model_validate({"logs": ["api"], **more})
    return logs.look(security_events.test_logs_tell_of_no_attack, params)


def test_a_quiet_log_passes(logs: Logs) -> None:
    logs.write("GET /api/auth/login 200", status=200, path="/api/auth/login", remote="203.0.113.9")
    found = judge(logs)
    assert found.status is Status.PASS
    assert {m.name for m in found.recorder.measurements} == {
        *("failed login", "refused access", "invalid token", "sudo failure", "injection")
    }


@pytest.mark.parametrize(
    ("noun", "line"),
    [
        pytest.param("failed login", SSHD, id="failed login"),
        ("refused access", '9.9.9.9 - - [01/May/2026:10:00:00 +0000] "GET /admin HTTP/1.1" 403 5\n'),
        ("invalid token", "WARNING: invalid token of 9.9.9.9\n"),
        ("sudo failure", "sudo: bob : user NOT in sudoers ; TTY=pts/0 ; COMMAND=/bin/sh\n"),
        ("injection", '9.9.9.9 - - [01/May/2026:10:00:00 +0000] "GET /?q=1+union+select+1 HTTP/1.1" 200 5\n'),
    ],
)
def test_each_kind_fails_and_shows_its_line(logs: Logs, noun: str, line: str) -> None:
    logs.write("fine")
    logs.append(line)
    found = judge(logs)
    assert found.status is Status.FAIL
    assert found.message.startswith(f"{noun}: 1 lines, at most 0 lines needed (")
    assert line.strip()[-30:] in found.seen


def test_up_to_the_allowed_number_passes_and_more_fails(logs: Logs) -> None:
    logs.write("fine")
    logs.append(SSHD * 3)
    allowed = {"failed_login": 3}
    assert judge(logs, allowed=allowed, since="deployment").status is Status.PASS
    logs.append(SSHD.replace("bob", "eve"))
    found = judge(logs, allowed=allowed, since="deployment")
    assert found.message == "failed login: 4 lines, at most 3 lines needed (4x from 203.0.113.9)"


def test_lines_of_our_own_probes_do_not_count(logs: Logs) -> None:
    logs.write("invalid token", status=401, path="/api/me", request_id="run-1-main-3")
    logs.write("GET /api/me 401", status=401, path="/api/me", request_id="abc", user_agent="golive (run run-1)")
    logs.write("GET /api/me 401", status=401, path="/api/me", request_id="abc")
    assert judge(logs).status is Status.PASS


def test_patterns_of_ones_own(logs: Logs) -> None:
    logs.write("chargeback of order 7")
    given: dict[str, Any] = {"allowed": {"fraud": 0}, "patterns": {"fraud": "chargeback"}, "since": "deployment"}
    assert judge(logs, **given).message == "fraud: 1 lines, at most 0 lines needed (the last: chargeback of order 7)"
    assert judge(logs, **{**given, "patterns": {"fraud": "charge back"}}).status is Status.PASS


def test_a_kind_that_nobody_knows_is_refused_at_load() -> None:
    given = {"logs": ["api"], "allowed": {"faild_login": 0}}
    assert "there is no kind 'faild_login'" in str(security_events.Params.model_validate(given).asserts_nothing())
    given = {"logs": ["api"], "patterns": {"x": "y"}}
    assert "has no number in 'allowed'" in str(security_events.Params.model_validate(given).asserts_nothing())
    assert security_events.Params.model_validate({"logs": ["api"]}).asserts_nothing() is None


def test_a_log_with_a_gap_is_unknown_unless_something_is_found(logs: Logs) -> None:
    logs.path().unlink()
    logs.write("first")
    assert judge(logs).status is Status.UNKNOWN
    logs.append(SSHD)
    assert judge(logs).status is Status.FAIL


def test_attacks_are_found_among_more_than_can_be_carried(logs: Logs) -> None:
    logs.limit = "200 kB"
    logs.write(*["GET /orders 200"] * 30_000, status=200)
    logs.append(SSHD)
    logs.write("GET /admin 403", status=403, path="/admin", remote="203.0.113.9")
    found = judge(logs)
    assert (found.value("failed login"), found.value("refused access"), found.value("injection")) == (1, 1, 0)


def test_what_too_many_lines_may_be_is_unknown(logs: Logs) -> None:
    logs.limit = "200 kB"
    logs.write(*["select what is on the table"] * 40_000)
    found = judge(logs)
    assert found.status is Status.UNKNOWN
    assert "MB of lines may be lines with select" in found.message
