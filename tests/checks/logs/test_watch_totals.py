"""`since: watch`: what the looks of a watch counted is summed up, if no line can lie between them."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checks.logs import error_count, no_critical
from golive.model import Status
from tests.checks.logs.conftest import Logs
from tests.judged import Judged


def errors(logs: Logs, **more: Any) -> Judged:
    commit = more.pop("commit", True)
    params = error_count.Params.model_validate({"logs": list(logs.sources), "since": "watch", "critical": 4, **more})
    return logs.look(error_count.test_number_of_errors_is_within_its_limit, params, commit=commit)


def critical(logs: Logs, **more: Any) -> Judged:
    params = no_critical.Params.model_validate({"logs": list(logs.sources), "since": "watch", **more})
    return logs.look(no_critical.test_no_line_of_the_logs_is_critical, params)


def test_looks_are_summed_up(logs: Logs) -> None:
    logs.write("a", "b", level="ERROR")
    assert errors(logs).value("errors") == 2
    logs.write("c", level="ERROR")
    found = errors(logs)
    assert (found.value("errors"), found.value("errors of this look"), found.status) == (3, 1, Status.PASS)
    assert (
        "errors in the window: 3 errors, at most 4 errors needed (2 looks without a gap between them since "
        in found.message
    )
    logs.write("d", "e", level="ERROR")
    assert (errors(logs).value("errors"), errors(logs).status) == (5, Status.FAIL)


def test_a_critical_line_is_told_until_the_end_of_the_watch(logs: Logs) -> None:
    logs.write("ledger lost", level="CRITICAL")
    assert critical(logs).status is Status.FAIL
    found = critical(logs)
    assert (found.status, found.value("critical lines of this look"), found.value("critical lines")) == (
        Status.FAIL,
        0,
        1,
    )


def test_lines_that_were_lost_between_two_looks_leave_the_sum_unknown_for_good(logs: Logs) -> None:
    logs.write("a", level="ERROR")
    assert errors(logs).status is Status.PASS
    os.truncate(logs.path(), 0)
    logs.write("b", level="ERROR")
    assert "was cut from" in errors(logs).message
    found = errors(logs)
    assert (found.status, found.value("errors")) == (Status.UNKNOWN, 2)
    assert "was cut from" in found.message and "(look of " in found.message
    logs.write(*"cdef", level="ERROR")
    assert errors(logs).status is Status.FAIL


def test_an_aborted_look_is_made_up_for_by_the_next(logs: Logs) -> None:
    errors(logs)
    logs.write("a", level="ERROR")
    assert errors(logs, commit=False).value("errors") == 1
    found = errors(logs)
    assert (found.value("errors"), found.status) == (1, Status.PASS)


def test_a_source_that_could_not_be_read_once_is_read_on_later(logs: Logs) -> None:
    logs.sources = ("api", "web")
    logs.write("started", source="web", at=datetime.now(UTC) - timedelta(hours=1))
    errors(logs)
    logs.path("web").rename(logs.folder / "aside")
    logs.write("a", level="ERROR")
    assert "web.log on host app: it is not there" in errors(logs).message
    (logs.folder / "aside").rename(logs.path("web"))
    logs.write("b", level="ERROR", source="web")
    found = errors(logs)
    assert (found.value("errors"), found.status) == (2, Status.PASS)


def test_a_source_that_joins_later_is_read_from_the_beginning(logs: Logs) -> None:
    errors(logs)
    logs.sources = ("api", "web")
    logs.write("started", source="web", at=datetime.now(UTC) - timedelta(hours=1))
    logs.write("early", level="ERROR", source="web")
    found = errors(logs)
    assert (found.value("errors"), found.status) == (1, Status.PASS)


def test_a_new_deployment_begins_anew(logs: Logs) -> None:
    logs.write(*"abcde", level="ERROR")
    assert errors(logs).status is Status.FAIL
    time.sleep(0.01)
    logs.deployed = datetime.now(UTC)
    logs.write("f", level="ERROR")
    found = errors(logs)
    assert (found.value("errors"), found.status) == (1, Status.PASS)


def test_looks_of_another_kind_before_do_not_count(logs: Logs) -> None:
    logs.write("a", level="ERROR")
    assert errors(logs, since="last_look").value("errors") == 1
    assert errors(logs).value("errors") == 1


def test_state_that_was_tampered_with_is_unknown(logs: Logs) -> None:
    errors(logs)
    context = logs.opened[-1]
    key = "log looks:shop.area.name"
    kept = context.state.committed(key)
    kept["links"][0]["ends"]["api"] = "elsewhere"
    context.state.put(key, kept)
    context.state.commit()
    found = errors(logs)
    assert found.status is Status.UNKNOWN
    assert "log api: the look of " in found.message and "did not begin where the one of" in found.message


def test_without_watch_and_deployment_it_is_unknown(logs: Logs) -> None:
    logs.deployed = None
    assert "there is neither a watch nor a deployment time" in errors(logs).message


@pytest.mark.parametrize("rubbish", [5, {"begin": "x"}, {"links": [{}]}, []])
def test_rubbish_in_the_state_begins_anew(logs: Logs, rubbish: Any) -> None:
    logs.write("a", level="ERROR")
    context = logs.context()
    context.state.put("log looks:shop.area.name", rubbish)
    context.state.commit()
    assert errors(logs).value("errors") == 1
