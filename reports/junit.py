"""The words of JUnit for our outcomes: pytest writes the file, here it is set right.

pytest knows passed, failed and skipped; a criterion that is `unknown` is an `<error>`,
a waived one or one that does not apply is `<skipped>` with its reason, whatever phase of
the test told it. Every criterion is exactly one test case.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

from golive.judge.limits import describe
from golive.model import Outcome, Status
from reports.collector import criterion_of
from reports.files import write_whole
from reports.text import MESSAGE_LIMIT, bounded, one_line, visible
from reports.wording import runbook

_VERDICTS = ("failure", "error", "skipped")
_TAGS = {
    Status.FAIL: "failure",
    Status.UNKNOWN: "error",
    Status.WAIVED: "skipped",
    Status.NOT_APPLICABLE: "skipped",
}
_MOST_MEASUREMENTS = 50


def properties(outcome: Outcome) -> list[tuple[str, str]]:
    """The flat properties of a criterion's test case."""
    measured = [(f"measurement.{m.name}", describe(m)) for m in outcome.measurements[:_MOST_MEASUREMENTS]]
    return [
        ("criterion", outcome.criterion),
        ("outcome", outcome.status.value),
        ("severity", outcome.severity.value),
        ("check", one_line(outcome.check or "")),
        *((one_line(name), one_line(text)) for name, text in measured),
    ]


def settle(path: Path, outcomes: Mapping[str, Outcome]) -> None:
    """Give each criterion in the JUnit file at `path` its one verdict, and count anew."""
    tree = ET.parse(path)  # noqa: S314 - this process has just written it
    for suite in tree.getroot().iter("testsuite"):
        _settle_suite(suite, outcomes)
    write_whole(path, '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(tree.getroot(), encoding="unicode"))


def _settle_suite(suite: ET.Element, outcomes: Mapping[str, Outcome]) -> None:
    told: set[str] = set()
    for case in suite.findall("testcase"):
        outcome = outcomes.get(_criterion(case))
        if case.get("name") is None or (outcome is not None and outcome.criterion in told):
            suite.remove(case)  # begun and interrupted, or the second half of one that was told
        elif outcome is not None:
            told.add(outcome.criterion)
            case.set("name", re.sub(r"\]@[^\]]*$", "]", case.get("name", "")))  # the group that xdist appends
            _settle_case(case, outcome)
    cases = sorted(suite.findall("testcase"), key=lambda case: (_criterion(case), case.get("name", "")))
    suite[:] = [child for child in suite if child.tag != "testcase"] + cases  # workers finish in any order
    suite.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))


def _criterion(case: ET.Element) -> str:
    for found in case.iterfind("properties/property"):
        if found.get("name") == "criterion":
            return found.get("value", "")
    return criterion_of(case.get("name", ""))


def _settle_case(case: ET.Element, outcome: Outcome) -> None:
    for old in [child for child in case if child.tag in (*_VERDICTS, "properties")]:
        case.remove(old)
    held = ET.Element("properties")
    held.extend(ET.Element("property", name=name, value=value) for name, value in properties(outcome))
    case.insert(0, held)
    tag = _TAGS.get(outcome.status)
    if tag is not None:
        verdict = ET.Element(tag, message=one_line(outcome.message, 500), type=f"golive.{outcome.status.value}")
        verdict.text = _told(outcome)
        case.insert(1, verdict)


def _told(outcome: Outcome) -> str:
    parts = [
        f"{outcome.criterion} ({outcome.severity.value}): {outcome.says}",
        outcome.message,
    ]
    todo = runbook(outcome, "when it fails")
    if outcome.status.blocks and todo:
        parts.append(f"When it fails: {todo}")
    return "\n".join(visible(bounded(part, MESSAGE_LIMIT)) for part in parts if part)
