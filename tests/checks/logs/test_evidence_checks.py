"""Checks of what a log shows: evidence, refusals, break-ins, and whether a collector takes it in."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checks.logs import aggregated, break_in, evidence, refused_access
from golive.environment.sections import EndpointSection
from golive.model import Status
from tests.checks.logs.conftest import Logs
from tests.judged import Judged, judged
from tests.logs.loki_double import LokiDouble, serving

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"


def shown(logs: Logs, **more: Any) -> Judged:
    params = evidence.Params.model_validate({"logs": ["api"], "pattern": "2FA", "within": "100 ms", **more})
    return logs.look(evidence.test_logs_show_that_it_happened, params)


def test_evidence_that_is_there_passes(logs: Logs) -> None:
    logs.write("2FA ok for ann")
    found = shown(logs)
    assert (found.status, found.message) == (Status.PASS, "lines with /2FA/: 1 lines, at least 1 lines needed")
    assert "2FA ok for ann" in found.seen


def test_evidence_that_is_not_there_fails(logs: Logs) -> None:
    found = shown(logs)
    assert (found.status, found.message) == (Status.FAIL, "lines with /2FA/: 0 lines, at least 1 lines needed")


def test_only_lines_of_this_run_count_where_that_is_asked(logs: Logs) -> None:
    logs.write("2FA ok for ann")
    assert shown(logs, only_own=True).status is Status.FAIL
    logs.write("2FA ok for probe", request_id="run-0-main-7")  # of an earlier run
    assert shown(logs, only_own=True).status is Status.FAIL
    logs.write("2FA ok for probe", request_id="run-1-main-7")
    assert shown(logs, only_own=True).status is Status.PASS


def test_a_line_that_is_about_to_come_is_waited_for(logs: Logs) -> None:
    timer = threading.Timer(0.3, logs.write, ("2FA ok",))
    timer.start()
    assert shown(logs, within="5 s").status is Status.PASS
    timer.join()


def test_missing_evidence_in_a_log_with_a_gap_is_unknown(logs: Logs) -> None:
    logs.path().unlink()
    logs.write("first")
    found = shown(logs)
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("0 lines found, 1 needed; log api: ")


def test_a_whole_token_in_the_log_fails_and_is_not_told_again(logs: Logs) -> None:
    logs.write("2FA ok", authorization=f"Bearer {TOKEN}")
    found = shown(logs, forbid=r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
    assert found.status is Status.FAIL
    assert "lines with what must not be in a log: 1 lines, at most 0 lines needed (in api)" in found.message
    forbidden = next(e.text for e in found.recorder.evidence if e.title == "forbidden")
    assert TOKEN[:20] not in forbidden and "2FA ok" in forbidden


def refused(logs: Logs, **more: Any) -> Judged:
    params = refused_access.Params.model_validate({"logs": ["api"], **more})
    return logs.look(refused_access.test_nobody_but_our_own_probes_was_refused, params)


def access(logs: Logs, status: int, path: str = "/api/orders", **fields: Any) -> None:
    level = "WARNING" if status >= 400 else "INFO"
    logs.write(f"GET {path} {status}", level=level, status=status, path=path, **{"remote": "203.0.113.66", **fields})


def test_foreign_refusals_fail_with_source_and_count(logs: Logs) -> None:
    for _ in range(3):
        access(logs, 403, user="ann")
    access(logs, 401, remote="198.51.100.7")
    access(logs, 200)
    found = refused(logs)
    assert found.status is Status.FAIL
    assert found.message == (
        "not ours: 4 refusals, at most 0 refusals needed (3x from 203.0.113.66 as ann, 1x from 198.51.100.7)"
    )


def test_our_own_refusals_pass_also_where_only_one_of_two_lines_tells(logs: Logs) -> None:
    access(logs, 403, user_agent="golive/0.1.0 (run run-1)", request_id="abc")
    access(logs, 403, request_id="abc")
    access(logs, 401, request_id="run-1-main-2")
    found = refused(logs)
    assert (found.status, "2 of our own left out" in found.message) == (Status.PASS, True)


def test_refusals_up_to_the_allowed_number_pass(logs: Logs) -> None:
    access(logs, 401)
    assert refused(logs, allowed=1).status is Status.PASS


def test_refusals_in_a_log_with_a_gap_are_unknown(logs: Logs) -> None:
    logs.path().unlink()
    access(logs, 200)
    assert refused(logs).status is Status.UNKNOWN


def broken_in(logs: Logs, **more: Any) -> Judged:
    params = break_in.Params.model_validate({"logs": ["api"], **more})
    return logs.look(break_in.test_no_login_succeeded_after_a_row_of_failures, params)


def login(logs: Logs, status: int, **fields: Any) -> None:
    access(logs, status, "/api/auth/login", **fields)
    time.sleep(0.002)


@pytest.mark.parametrize("by", ["source", "user"])
def test_a_success_after_many_failures_is_a_break_in(logs: Logs, by: str) -> None:
    for n in range(6):
        login(logs, 429 if n == 4 else 401, **({"user": "ann", "remote": f"10.0.0.{n}"} if by == "user" else {}))
    login(logs, 200, user="ann")
    found = broken_in(logs)
    assert found.status is Status.FAIL
    who = "user ann" if by == "user" else "source 203.0.113.66 as ann"
    assert (
        f"succeeded after 5 failures or more: 1 logins, at most 0 logins needed ({who} after 6 failures"
        in found.message
    )


def test_a_mistyped_password_is_no_break_in(logs: Logs) -> None:
    for _ in range(4):
        login(logs, 401, user="ann")
    login(logs, 200, user="ann")
    for _ in range(4):
        login(logs, 401, user="ann")
    login(logs, 200, user="ann")
    assert broken_in(logs).status is Status.PASS


def test_our_own_guesses_are_no_break_in(logs: Logs) -> None:
    for n in range(6):
        login(logs, 401, user="ann", request_id=f"run-1-main-{n}")
    login(logs, 200, user="ann")
    assert broken_in(logs).status is Status.PASS


@contextmanager
def collector(**more: Any) -> Iterator[LokiDouble]:
    with serving(LokiDouble(**more)) as double:
        yield double


def collected(logs: Logs, double: LokiDouble, **more: Any) -> Judged:
    given = {"collector": "loki", "endpoint": "api", "jobs": ["api"], "within": "400 ms", "max_age": "1 min", **more}
    context = logs.context()
    endpoints = {name: EndpointSection(url=double.url) for name in ("loki", "api")}
    section = context.environment.section.model_copy(update={"endpoints": endpoints})
    object.__setattr__(context.environment, "section", section)
    try:
        return judged(
            aggregated.test_log_collector_takes_in_what_is_written,
            criterion=aggregated.Params.model_validate(given),
            context=context,
        )
    finally:
        context.close()


def test_a_collector_that_takes_everything_in_passes(logs: Logs) -> None:
    with collector() as double:
        found = collected(logs, double)
    assert found.status is Status.PASS
    assert found.value("delay") < 0.4


def test_a_collector_that_stalls_fails(logs: Logs) -> None:
    with collector(stalled=True) as double:
        found = collected(logs, double)
    assert found.status is Status.FAIL
    assert "after 0.4 s it is not among the collector's entries of api" in found.message
    assert "no entry of job api is younger than 60 s" in found.message


def test_an_old_entry_fails(logs: Logs) -> None:
    with collector(stalled=True) as double:
        double.entries.append((datetime.now(UTC) - timedelta(minutes=5), "old"))
        found = collected(logs, double)
    assert re.search(r"newest entry of job api: 30\d s, at most 60 s needed", found.message)


def test_a_collector_that_is_not_ready_fails(logs: Logs) -> None:
    with collector(ready=503) as double:
        found = collected(logs, double)
    assert (found.status, found.message) == (Status.FAIL, "loki: GET /ready answered 503 (Ingester not ready)")


@pytest.mark.parametrize(
    "rubbish", ["<html>", "{}", '{"status":"success","data":{"resultType":"matrix","result":[]}}', "[" * 9999]
)
def test_a_collector_that_answers_rubbish_is_unknown(logs: Logs, rubbish: str) -> None:
    with collector(rubbish=rubbish) as double:
        found = collected(logs, double)
    assert found.status is Status.UNKNOWN
    assert "answered something else than Loki does" in found.message


def test_a_collector_that_refuses_the_query_is_unknown(logs: Logs) -> None:
    with collector(query_status=400) as double:
        found = collected(logs, double)
    assert found.status is Status.UNKNOWN and "answered 400 (parse error)" in found.message


def test_a_collector_that_is_down_is_unknown(logs: Logs) -> None:
    with collector() as double:
        pass
    assert collected(logs, double).status is Status.UNKNOWN
