"""What CI systems are told: annotations, job summary, a section of the log."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from golive.model import Status
from reports.ci import System, log_lines, system
from reports.github import annotate, escaped, run_url, summary
from tests.reports.conftest import Tell
from tests.reports.samples import one_of_each, outcome
from tests.reports.test_terminal import record

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, None),
        ({"CI": ""}, None),
        ({"GITHUB_ACTIONS": "true"}, None),
        ({"CI": "true"}, System.OTHER),
        ({"CI": "true", "GITHUB_ACTIONS": "true"}, System.GITHUB),
        ({"CI": "true", "GITLAB_CI": "true"}, System.GITLAB),
    ],
)
def test_the_ci_system_is_known_by_its_variables(variables: dict[str, str], found: System | None) -> None:
    assert system(variables) is found


def test_each_outcome_is_annotated_by_its_level() -> None:
    commands = annotate(record(one_of_each()))
    assert [command.partition(" ")[0] for command in commands] == ["::error", "::error", "::warning"]
    assert commands[0] == (
        "::error title=FAIL critical warungin.security.store-authorization::"
        "Another store's data is refused with 403%0A"
        "GET /api/stores/2/orders answered 200 with orders of store 2, 403 needed%0A"
        "Next: Find the process with `top`, e.g. by CPU time."
    )


@pytest.mark.parametrize("status", [s for s in Status if s not in (Status.FAIL, Status.UNKNOWN, Status.WARN)])
def test_what_is_well_is_not_annotated(status: Status) -> None:
    assert annotate(record([o for o in one_of_each() if o.status is status])) == []


def test_annotations_are_escaped() -> None:
    hostile = "100 % done\r\n::add-mask::x, a:b\n::set-output name=x::y\x1b[31m"
    (command,) = annotate(record([outcome("warungin.a.b[x:1,2]", "fail", says="", message=hostile, runbook={})]))
    assert "\n" not in command
    assert "\r" not in command
    head, _, data = command.removeprefix("::").partition("::")
    assert head == "error title=FAIL medium warungin.a.b[x%3A1%2C2]"
    assert data == "100 %25 done%0A::add-mask::x, a:b%0A::set-output name=x::y\\x1b[31m"


def test_no_more_annotations_than_github_shows() -> None:
    commands = annotate(record([outcome(f"warungin.a.a{i}", "fail", message=f"reason {i}") for i in range(25)]))
    assert len(commands) == 10
    assert commands[-1] == "::error title=And more::16 more are in the report"


def test_an_aborted_run_is_annotated_first() -> None:
    assert annotate(record(one_of_each(), aborted="SIGTERM was received"))[0] == (
        "::error title=The run was aborted::SIGTERM was received"
    )


def test_the_summary_tells_headline_counts_and_what_blocks() -> None:
    text = html.unescape(
        summary(record(one_of_each(), unanswered=58), report="reports/output/staging/latest/report.html")
    )
    assert text.startswith("## warungin on staging: 1 criterion failed, 1 unknown\n")
    assert "| FAIL | 1 |" in text
    assert (
        "| FAIL | critical | Another store's data is refused with 403 [warungin.security.store-authorization] |" in text
    )
    assert "58 criteria unanswered" in text
    assert "Report: reports/output/staging/latest/report.html" in text


def test_the_summary_is_escaped_and_bounded() -> None:
    hostile = (
        "<script>x</script>|![i](https://evil.example/x) [a](javascript:b) **b** @team `c` www.evil.example\n# head "
    )
    outcomes = [outcome(f"warungin.a.a{i}", "fail", message=f"{i} {hostile * 3000}", says=hostile) for i in range(500)]
    text = summary(record(outcomes), report="r")
    assert len(text.encode()) < 1_000_000
    for acting in ("<script", "![", "](", "**b", "@team", "`c`", "https:", "www.", "\n# head"):
        assert acting not in text.replace("## warungin", ""), acting
    assert all(line.count("|") == 6 for line in text.splitlines() if "FAIL" in line and "medium" in line)
    assert "… and 400 more in the report" in text


def test_escaped_text_reads_as_it_was() -> None:
    assert html.unescape(escaped("a|b <c> _d_ `e` *f* http://g.h #1 @i")) == "a|b <c> _d_ `e` *f* http://g.h #1 @i"


def test_a_link_to_the_run_is_made_only_of_what_github_says() -> None:
    told = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/deploy", "GITHUB_RUN_ID": "17"}
    assert run_url(told) == "https://github.com/shop/deploy/actions/runs/17"
    assert run_url({}) == ""
    assert run_url({**told, "GITHUB_REPOSITORY": "x](javascript:y)/z"}) == ""


def test_github_gets_annotations_and_summary(tell: Tell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("what was there\n", encoding="utf-8")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    told = tell(one_of_each())
    told.result.stdout.fnmatch_lines(
        ["::error title=FAIL critical *", "::error title=UNKNOWN high *", "::warning *", "FAIL *"]
    )
    text = file.read_text(encoding="utf-8")
    assert text.startswith("what was there\n## warungin on staging")


def test_a_summary_that_cannot_be_written_is_said_and_costs_nothing(
    tell: Tell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no" / "such" / "folder"))
    told = tell([outcome("warungin.a.a")])
    told.result.stdout.fnmatch_lines(["the job summary could not be written: *"])
    assert told.result.ret == 0


def test_gitlab_gets_everything_that_blocks_in_a_section_that_folds() -> None:
    told = [str(line) for line in log_lines(System.GITLAB, record(one_of_each()))]
    assert re.fullmatch(
        r"\x1b\[0Ksection_start:\d+:golive\[collapsed=true\]\r\x1b\[0KWhat blocks in staging.*", told[0]
    )
    assert re.fullmatch(r"\x1b\[0Ksection_end:\d+:golive\r\x1b\[0K", told[-1])
    assert len(told) == 6
    assert log_lines(System.GITLAB, record([outcome("warungin.a.a")])) == []


@pytest.mark.parametrize("variable", ["GITLAB_CI", "GITHUB_ACTIONS", "JENKINS_URL"])
def test_nothing_in_a_message_is_a_command_of_the_ci_log(
    tell: Tell, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv(variable, "true")
    told = tell(
        [
            outcome(
                "warungin.a.a", "fail", message="##[add-path]/tmp/evil\n::stop-commands::x\n##vso[task] \x1b[0Ksection"
            )
        ]
    )
    lines = told.result.outlines
    assert not any("##[" in line or "##vso" in line for line in lines)
    assert not any(line.lstrip().startswith("::") and not line.startswith("::error title=FAIL") for line in lines)


def test_a_ci_log_gets_whole_lines(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    message = "is too hot " * 15
    told = tell([outcome("warungin.a.a", "fail", message=message)])
    assert sum(message.strip() in line for line in told.result.outlines) == 2
