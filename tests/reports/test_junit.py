"""junit.xml: one test case per criterion, with the verdict that JUnit has for its outcome."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from golive.model import Status
from reports.junit import properties
from tests.reports.conftest import Tell
from tests.reports.samples import cpu, many, one_of_each, outcome

pytest_plugins = ["pytester"]

VERDICTS = {"fail": "failure", "unknown": "error", "waived": "skipped", "not_applicable": "skipped"}


def held(case: ET.Element) -> dict[str, str]:
    return {p.get("name", ""): p.get("value", "") for p in case.iterfind("properties/property")}


@pytest.mark.parametrize(
    ("status", "phase"),
    [*((status, "call") for status in Status), (Status.FAIL, "setup"), (Status.UNKNOWN, "setup")],
)
def test_each_outcome_has_its_verdict_whatever_phase_told_it(tell: Tell, status: Status, phase: str) -> None:
    found = next(o for o in one_of_each() if o.status is status)
    case = tell([{**found.as_data(), "phase": phase}]).suite.find("testcase")
    assert case is not None
    children = [child for child in case if child.tag != "properties"]
    assert [child.tag for child in children] == ([VERDICTS[status.value]] if status.value in VERDICTS else [])
    assert all(child.get("message") == found.message for child in children)
    assert held(case)["outcome"] == status.value


def test_properties_are_flat_text(tell: Tell) -> None:
    told = tell([outcome("warungin.health.cpu", "fail", measurements=(cpu(91.2),), message="too hot")])
    case = told.suite.find("testcase")
    assert case is not None
    assert held(case) == {
        "criterion": "warungin.health.cpu",
        "outcome": "fail",
        "severity": "medium",
        "check": "hosts/cpu",
        "measurement.cpu": "91.2 %, below 80 % needed",
    }
    assert "golive'" not in told.junit


def test_the_counts_agree_with_the_cases(tell: Tell) -> None:
    found = tell(many(20)).suite
    assert {name: found.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "20",
        "failures": "1",
        "errors": "1",
        "skipped": "2",
    }


def test_trouble_in_teardown_stays_one_case(tell: Tell) -> None:
    told = tell(
        [
            {
                **outcome("warungin.a.a", "fail", message="broken").as_data(),
                "then": outcome("warungin.a.a", "fail", message="broken, and the host was lost").as_data(),
            }
        ]
    )
    cases = told.suite.findall("testcase")
    assert [case.find("failure").get("message") for case in cases] == ["broken, and the host was lost"]  # type: ignore[union-attr]


def test_workers_and_one_process_write_the_same_cases(tell: Tell) -> None:
    def cases(suite: ET.Element) -> list[tuple[str | None, dict[str, str]]]:
        return [(case.get("name"), held(case)) for case in suite.findall("testcase")]

    assert cases(tell(many(12)).suite) == cases(tell(many(12), "-n", "2", subprocess=True).suite)


def test_hostile_text_leaves_the_file_readable(tell: Tell) -> None:
    text = "]]></failure><testcase/>\x00\x1b[2J\u202e" + "A" * 1_000_000
    told = tell(
        [outcome("warungin.a.a", "fail", message=text, says=text, check=text, measurements=(cpu(1, name=text),))]
    )
    assert len(told.suite.findall("testcase")) == 1
    assert len(told.junit) < 20_000


def test_ordinary_tests_keep_what_pytest_says_of_them(tell: Tell, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_plain="def test_breaks(): assert 1 == 2\ndef test_holds(): pass")
    found = tell(one_of_each()).suite
    plain = [case for case in found.findall("testcase") if case.get("classname") == "test_plain"]
    assert [(case.get("name"), [child.tag for child in case]) for case in plain] == [
        ("test_breaks", ["failure"]),
        ("test_holds", []),
    ]
    assert found.get("tests") == "9"


def test_measurements_are_bounded_in_number() -> None:
    assert len(properties(outcome("warungin.a.a", measurements=tuple(cpu(i) for i in range(500))))) == 54
