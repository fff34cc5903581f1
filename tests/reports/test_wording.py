"""The words of a report."""

from __future__ import annotations

import pytest

from golive.model import Evidence
from reports.wording import causes, counted, headline, next_step, runbook
from tests.reports.samples import one_of_each, outcome
from tests.reports.test_terminal import record


def named(**numbers: int) -> list[object]:
    return [outcome(f"warungin.{status}.c{i}", status) for status, number in numbers.items() for i in range(number)]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"fail": 2, "unknown": 1, "pass": 5}, "2 criteria failed, 1 unknown"),
        ({"fail": 1}, "1 criterion failed"),
        ({"unknown": 1, "pass": 5}, "1 criterion is unknown"),
        ({"unknown": 3}, "3 criteria are unknown"),
        ({"pass": 133}, "All 133 criteria passed"),
        ({"pass": 1}, "The one criterion passed"),
        ({"pass": 3, "waived": 1}, "No criterion failed"),
        ({"pass": 3, "warn": 1}, "No criterion failed, 1 warns"),
        ({"pass": 3, "warn": 2, "attested": 1}, "No criterion failed, 2 warn"),
        ({}, "No criterion was judged"),
    ],
)
def test_the_headline_says_what_was_found(numbers: dict[str, int], said: str) -> None:
    assert headline(record(named(**numbers))) == said  # type: ignore[arg-type]


def test_the_headline_of_an_aborted_run_cannot_be_taken_for_a_whole_one() -> None:
    assert headline(record([outcome("warungin.a.a")], aborted="Ctrl-C")) == "Aborted: the one criterion passed"


def test_counts_leave_out_what_did_not_occur() -> None:
    assert counted([outcome("a.b.c"), outcome("a.b.d", "not_applicable")]) == "1 not applicable, 1 pass"
    assert counted([]) == "no outcome"


@pytest.mark.parametrize("heading", ["when_it_fails", "When it fails", "When it fails:"])
def test_the_runbook_is_found_however_its_heading_is_written(heading: str) -> None:
    found = outcome("a.b.c", "fail", runbook={"why": "Because.", heading: "Do this. Then that."})
    assert runbook(found, "when it fails") == "Do this. Then that."
    assert next_step(found) == "Do this."


def test_where_nothing_could_be_looked_at_looking_comes_first() -> None:
    assert next_step(outcome("a.b.c", "unknown")) == "Restore the access or the missing data, then run again."
    broken = outcome("a.b.c", "unknown", evidence=(Evidence(title="traceback", text="ZeroDivisionError"),))
    assert next_step(broken) == "Mend the check itself: its traceback is in the report."
    unsigned = outcome("a.b.c", "unknown", check="people/attested", runbook={"when_it_fails": "Ask the QA Lead."})
    assert next_step(unsigned) == "Ask the QA Lead."


def test_without_a_runbook_there_is_no_next_step() -> None:
    assert next_step(outcome("a.b.c", "fail", runbook={})) == ""


def test_causes_are_only_what_blocks_and_the_worst_come_first() -> None:
    assert [c.first.criterion for c in causes(one_of_each())] == [
        "warungin.security.store-authorization",
        "warungin.database.blocked",
    ]


def test_outcomes_without_a_message_are_not_folded_together() -> None:
    assert len(causes([outcome(f"a.b.c{i}", "fail", message="") for i in range(3)])) == 3
