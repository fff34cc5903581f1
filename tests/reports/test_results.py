"""results.json: its schema, its order, and what must never be in it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from golive.history.records import read_record
from golive.model import Evidence, Measurement
from golive.targets.hosts.cost import Cost
from reports.collector import Collector
from reports.results import as_text, results
from tests.reports.conftest import Tell
from tests.reports.emulation import SECRET, info
from tests.reports.samples import cpu, many, one_of_each, outcome

pytest_plugins = ["pytester"]

RUN_FIELDS = {
    "schema": int,
    "environment": str,
    "system": str,
    "run": str,
    "started_at": str,
    "finished_at": str,
    "counts": dict,
    "cost": dict,
    "outcomes": list,
    "says": str,
    "deployment": dict,
    "selection": str,
    "selected": int,
    "unanswered": list,
}
OUTCOME_FIELDS = {
    "criterion": str,
    "check": str,
    "outcome": str,
    "severity": str,
    "message": str,
    "measurements": list,
    "duration_s": float,
    "evidence": list,
    "runbook": dict,
    "says": str,
}


def test_results_follow_the_schema(tell: Tell) -> None:
    data = tell(one_of_each(), "--unanswered=2").results
    assert data["schema"] == 1
    for name, kind in RUN_FIELDS.items():
        assert isinstance(data[name], kind), name
    for told in data["outcomes"]:
        for name, kind in OUTCOME_FIELDS.items():
            assert isinstance(told[name], kind), name
        for measurement in told["measurements"]:
            assert {"name", "value", "unit", "warning", "critical"} <= measurement.keys()
    assert data["aborted"] is None
    assert data["deployment"] == {"version": "2.4.1", "deployed_at": "2026-11-20T17:52:05.000Z"}
    assert len(data["unanswered"]) == 2


def test_times_are_utc_and_in_order(tell: Tell) -> None:
    data = tell(one_of_each()).results
    started, finished = data["started_at"], data["finished_at"]
    assert started.endswith("Z")
    assert finished.endswith("Z")
    assert datetime.fromisoformat(started) <= datetime.fromisoformat(finished)


def test_every_outcome_is_counted_also_where_there_is_none(tell: Tell) -> None:
    data = tell([outcome("warungin.health.cpu")]).results
    assert data["counts"] == {
        "fail": 0,
        "unknown": 0,
        "warn": 0,
        "waived": 0,
        "attested": 0,
        "not_applicable": 0,
        "pass": 1,
    }


def test_outcomes_are_sorted_by_criterion_so_that_runs_can_be_compared(tell: Tell) -> None:
    named = [told["criterion"] for told in tell(many(20)).results["outcomes"]]
    assert named == sorted(named)
    assert "warungin.http.latency[endpoint-3]" in named


def test_what_is_written_can_be_read_back_by_the_history(tell: Tell) -> None:
    outcomes = one_of_each()
    told = tell(outcomes)
    record = read_record(told.directory / "results.json")
    assert list(record.outcomes) == sorted(outcomes, key=lambda o: o.criterion)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_workers_and_one_process_tell_the_same(tell: Tell, workers: str) -> None:
    alone = tell(one_of_each()).results
    spread = tell(one_of_each(), "-n", workers, subprocess=True).results
    for changing in ("finished_at",):
        del alone[changing], spread[changing]
    assert spread == alone


def test_groups_of_workers_do_not_change_the_ids(tell: Tell, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        grouped="""
        import pytest
        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.xdist_group("app"))
        """
    )
    told = tell(one_of_each(), "-n", "2", "--dist=loadgroup", "-p", "grouped", subprocess=True)
    assert len(told.results["outcomes"]) == 7
    assert "@app" not in told.junit
    assert "@app" not in told.page


def test_a_secret_that_became_known_late_is_masked_everywhere(tell: Tell) -> None:
    leaking = outcome(
        "warungin.security.leak",
        "fail",
        message=f"the answer held {SECRET}",
        evidence=(Evidence(title=f"GET /?key={SECRET}", text="x" * 15_990 + SECRET + "x" * 9_000),),
    )
    told = tell([{**leaking.as_data(), "act": "print"}], "-vv", "-rA")
    for file in told.directory.iterdir():
        assert SECRET not in file.read_text(encoding="utf-8"), file.name
    assert SECRET not in told.result.stdout.str()
    assert "the answer held ••••" in told.results["outcomes"][0]["message"]


def test_numbers_that_json_does_not_know_become_null(tmp_path: Path) -> None:
    collector = Collector(info(tmp_path))
    data = results(collector.record())
    data["outcomes"] = [
        outcome("warungin.x.y", measurements=(cpu(1.0, critical=float("inf")),)).as_data(),
        outcome("warungin.x.z", measurements=(Measurement(name="n", value=float("nan"), unit=""),)).as_data(),
    ]
    read = json.loads(as_text(data))
    assert read["outcomes"][0]["measurements"][0]["critical"] is None
    assert read["outcomes"][1]["measurements"][0]["value"] is None


def test_a_later_worse_outcome_supersedes_and_a_better_one_does_not(tell: Tell) -> None:
    worse = {
        **outcome("warungin.a.a").as_data(),
        "then": outcome("warungin.a.a", "unknown", message="cleaning up: lost the host").as_data(),
    }
    better = {
        **outcome("warungin.a.b", "fail", message="broken").as_data(),
        "then": outcome("warungin.a.b", "unknown", message="cleaning up: lost the host").as_data(),
    }
    told = tell([worse, better])
    assert [o["outcome"] for o in told.results["outcomes"]] == ["unknown", "fail"]
    assert told.junit.count("<testcase") == 2


def test_ordinary_tests_leave_nothing_behind(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("from tests.reports.emulation import *")
    pytester.makepyfile(test_plain="def test_plain(): pass")
    before = {path.name for path in pytester.path.iterdir()}
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    assert result.ret == 0
    assert {path.name for path in pytester.path.iterdir()} - before <= {"__pycache__"}
    result.stdout.no_fnmatch_line("*Report:*")


@pytest.mark.parametrize("option", ["--collect-only", "--markers", "--fixtures", "--setup-plan"])
def test_options_that_only_tell_leave_nothing_behind(tell: Tell, option: str) -> None:
    assert not tell(one_of_each(), option).directory.exists()


def test_a_run_that_selects_nothing_says_so_and_is_no_success(tell: Tell) -> None:
    told = tell(one_of_each(), "-k", "no_such_test")
    assert told.result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    told.result.stdout.fnmatch_lines(["Nothing was selected*"])
    assert not told.directory.exists()


def test_a_folder_that_cannot_be_written_is_one_line_and_exit_code_4(pytester: pytest.Pytester, tell: Tell) -> None:
    (pytester.path / "output").write_text("in the way", encoding="utf-8")
    told = tell(one_of_each())
    assert told.result.ret == pytest.ExitCode.USAGE_ERROR
    told.result.stderr.fnmatch_lines(["*the report cannot be written there: Not a directory*"])


def test_files_the_user_wants_elsewhere_are_also_in_the_folder_of_the_run(
    tell: Tell, pytester: pytest.Pytester
) -> None:
    told = tell(one_of_each(), "--junitxml=mine/j.xml", "--html=mine/r.html")
    assert (pytester.path / "mine" / "j.xml").read_text(encoding="utf-8") == told.junit
    assert (pytester.path / "mine" / "r.html").read_text(encoding="utf-8") == told.page
    assert "<error " in told.junit


def test_an_outcome_that_blocks_fails_the_run_whatever_pytest_thinks(tell: Tell, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        lenient="""
        import pytest
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport():
            report = yield
            report.outcome = "passed"
            report.longrepr = None
            return report
        """
    )
    pytester.syspathinsert()
    told = tell([outcome("warungin.a.a", "unknown")], "-p", "lenient")
    assert told.result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(("plugin", "missing"), [("html", "report.html"), ("junitxml", "junit.xml")])
def test_a_plugin_that_is_switched_off_costs_only_its_own_file(tell: Tell, plugin: str, missing: str) -> None:
    told = tell([outcome("warungin.a.a")], "-p", f"no:{plugin}")
    assert told.result.ret == 0, told.result.outlines
    written = {path.name for path in told.directory.iterdir()}
    assert written == {"report.html", "junit.xml", "results.json"} - {missing}


def test_without_a_terminal_the_files_are_still_written(tell: Tell) -> None:
    assert tell(one_of_each(), "-p", "no:terminal", subprocess=True).results["counts"]["fail"] == 1


def test_what_looking_at_each_host_cost_is_told(tmp_path: Path) -> None:
    record = Collector(info(tmp_path)).record()
    cost = Cost(connections=1, commands=3, bytes_sent=1200, bytes_received=98_000, seconds=1.23456)
    told = json.loads(as_text(results(record, costs={"web": cost, "app": Cost()})))["cost"]
    assert list(told) == ["app", "web"]
    assert told["web"] == {
        "connections": 1, "commands": 3, "bytes_sent": 1200, "bytes_received": 98_000, "seconds": 1.235
    }  # fmt: skip
    assert results(record)["cost"] == {}
