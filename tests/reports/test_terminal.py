"""What the terminal says: letters and words while it runs, ten lines at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from golive.model import Outcome, RunRecord, Status
from reports.collector import Collector
from reports.terminal import MOST_LINES, Line, everything_blocking, summary
from tests.reports.conftest import Tell
from tests.reports.emulation import info
from tests.reports.samples import many, one_of_each, outcome

pytest_plugins = ["pytester"]

LETTERS = {
    "pass": (".", "PASS"),
    "warn": ("w", "WARN"),
    "fail": ("F", "FAIL"),
    "unknown": ("?", "UNKNOWN"),
    "waived": ("v", "WAIVED"),
    "not_applicable": ("-", "N/A"),
    "attested": ("a", "ATTESTED"),
}


def record(outcomes: Sequence[Outcome], *, aborted: str | None = None, unanswered: int = 0) -> RunRecord:
    made = Collector(info(Path("/tmp"), unanswered=unanswered)).record()
    return RunRecord(
        run=made.run,
        environment=made.environment,
        system=made.system,
        started_at=made.started_at,
        unanswered=made.unanswered,
        aborted=aborted,
        outcomes=tuple(outcomes),
    )


def lines(
    outcomes: Sequence[Outcome], *, width: int | None = 80, aborted: str | None = None, unanswered: int = 0
) -> list[str]:
    told = record(outcomes, aborted=aborted, unanswered=unanswered)
    return [str(line) for line in summary(told, report="reports/output/staging/latest/report.html", width=width)]


@pytest.mark.parametrize("status", list(Status))
def test_each_outcome_has_its_letter_and_its_word(tell: Tell, status: Status) -> None:
    found = [o for o in one_of_each() if o.status is status]
    letter, word = LETTERS[status.value]
    assert f"test_shop.py {letter} " in tell(found).result.stdout.str()
    assert re.search(
        rf"test_claim\[{re.escape(found[0].criterion)}\] {re.escape(word)}\b", tell(found, "-v").result.stdout.str()
    )
    assert re.search(rf"^{re.escape(letter)} +\[100%\]", tell(found, "-q").result.stdout.str(), re.MULTILINE)


def test_words_and_letters_come_through_from_workers(tell: Tell) -> None:
    told = tell(one_of_each(), "-n", "2", "-v", subprocess=True).result.stdout.str()
    for _, word in LETTERS.values():
        assert re.search(rf"\] {re.escape(word)} test_shop", told), word


def test_the_end_says_what_failed_why_and_what_to_do_next(tell: Tell) -> None:
    out = tell(one_of_each(), "--unanswered=58").result
    out.stdout.fnmatch_lines(
        [
            "*1 fail, 1 unknown, 1 warn, 1 waived, 1 attested, 1 n/a, 1 pass",
            "FAIL critical warungin.security.store-authorization",
            "  GET /api/stores/2/orders answered 200 with orders of store 2, 403 needed",
            "  → Find the process with `top`, e.g. by CPU time.",
            "UNKNOWN high warungin.database.blocked",
            "  database main at 127.0.0.1:5432: connection refused",
            "  → Restore the access or the missing data, then run again.",
            "58 criteria unanswered",
            "Report: output/staging/latest/report.html",
            "=*1 failed*1 unknown*",
        ],
        consecutive=True,
    )


@pytest.mark.parametrize("option", [[], ["-q"], ["-v"], ["-vv"], ["-rA"]])
def test_pytests_own_failure_sections_leave_criteria_out(tell: Tell, option: list[str]) -> None:
    out = tell(one_of_each(), *option).result.stdout.str()
    assert "FAILURES" not in out
    assert "short test summary" not in out or option == ["-rA"]
    assert not re.search(r"^(FAILED|ERROR) ", out, re.MULTILINE)
    assert "generated xml" not in out
    assert "Generated html" not in out


def test_failures_of_ordinary_tests_are_still_shown(tell: Tell, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_plain="def test_breaks(): assert 1 == 2")
    out = tell(one_of_each()).result
    out.stdout.fnmatch_lines(["*FAILURES*", "*test_breaks*", "FAILED test_plain.py::test_breaks*", "=*2 failed*"])


def test_a_green_run_is_short() -> None:
    assert lines([outcome("warungin.a.a"), outcome("warungin.a.b")]) == [
        "warungin on staging: 2 pass",
        "Report: reports/output/staging/latest/report.html",
    ]


@pytest.mark.parametrize("width", [80, 120, None])
@pytest.mark.parametrize("number", [1, 3, 50])
@pytest.mark.parametrize("aborted", [None, "SIGTERM was received " * 20])
def test_there_are_never_more_than_ten_lines_nor_longer_ones_than_the_terminal(
    number: int, width: int | None, aborted: str | None
) -> None:
    failing = [
        outcome(f"warungin.a.a{i}", "fail", message=f"host app-{i} " + "is too hot " * 30) for i in range(number)
    ]
    told = lines([*many(20), *failing], width=width, aborted=aborted, unanswered=5)
    assert len(told) <= MOST_LINES
    assert width is None or max(map(len, told)) <= width
    assert told[-1].startswith("Report: ")
    assert any("FAIL critical" in line for line in told)


def test_what_has_no_room_is_counted() -> None:
    told = lines([outcome(f"warungin.a.a{i:02}", "fail", message=f"reason {i}") for i in range(20)])
    shown = sum(line.startswith("FAIL") for line in told)
    assert shown >= 3
    assert told[-2] == f"… and {20 - shown} more"


def test_the_gravest_come_first() -> None:
    told = lines(
        [
            outcome("warungin.a.low", "fail", severity="low", message="a"),
            outcome("warungin.a.lost", "unknown", severity="critical", message="b"),
            outcome("warungin.a.critical", "fail", severity="critical", message="c"),
        ]
    )
    heads = [line.split(":")[0] for line in told if line.startswith(("FAIL", "UNKNOWN"))]
    assert heads == ["FAIL critical warungin.a.critical", "FAIL low warungin.a.low", "UNKNOWN critical warungin.a.lost"]


def test_one_cause_is_told_once() -> None:
    refused = "database main: connection refused after {} ms"
    told = lines([outcome(f"warungin.db.c{i}", "unknown", message=refused.format(i)) for i in range(12)], width=120)
    assert told[1] == "UNKNOWN medium warungin.db.c0 and 11 more alike: database main: connection refused after 0 ms"
    assert len(told) == 4


def test_failures_that_differ_in_a_number_are_told_apart() -> None:
    told = lines(
        [outcome(f"warungin.a.disk{i}", "fail", message=f"/: {91 + i} %, below 80 % needed") for i in range(2)]
    )
    assert sum(line.startswith("FAIL") for line in told) == 2


def test_an_aborted_run_says_why() -> None:
    assert lines(one_of_each(), aborted="SIGTERM was received")[1] == "Aborted: SIGTERM was received"


def test_hostile_text_cannot_steer_the_terminal(tell: Tell) -> None:
    nasty = "\x1b[2J\x1b]0;owned\x07\r\u202e\u0000 and\nmore " + "A" * 1_000_000
    out = tell([outcome("warungin.a.a", "fail", message=nasty, runbook={"when_it_fails": nasty})]).result.stdout.str()
    for acting in ("\x1b", "\x07", "\u202e", "\x00"):
        assert acting not in out
    assert "\\x1b[2J\\x1b]0;owned\\x07 \\u202e\\x00 and more AAA" in out
    assert len(out) < 5_000


def test_colours_only_where_the_terminal_has_them(tell: Tell) -> None:
    assert "\x1b[" not in tell(one_of_each(), "--color=no").result.stdout.str()
    assert "\x1b[31m\x1b[1mFAIL\x1b[0m critical" in tell(one_of_each(), "--color=yes").result.stdout.str()


def test_no_summary_is_respected(tell: Tell) -> None:
    assert "Report:" not in tell(one_of_each(), "--no-summary").result.stdout.str()


def test_hints_are_shown_where_there_is_room() -> None:
    told = summary(record([outcome("warungin.a.a")]), report="r", width=80, hints=("the demo is still up",))
    assert str(told[-1]) == "the demo is still up"
    crowded = [outcome(f"warungin.a.a{i}", "fail", message=f"{i}") for i in range(9)]
    assert len(summary(record(crowded), report="r", width=80, hints=("a", "b"))) <= MOST_LINES


def test_everything_that_blocks_is_told_in_full_where_there_is_room() -> None:
    long = "is too hot " * 20
    told = everything_blocking(record([outcome(f"warungin.a.a{i}", "fail", message=f"{i} {long}") for i in range(30)]))
    assert len(told) == 60
    assert isinstance(told[0], Line)
    assert long.strip() in str(told[0])
