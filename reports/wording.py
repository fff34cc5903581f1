"""The words of a report: order, headline, counts, causes, next steps. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from golive.model import Outcome, RunRecord, Severity, Status
from reports.text import first_sentence, plural

ORDER = (
    Status.FAIL,
    Status.UNKNOWN,
    Status.WARN,
    Status.WAIVED,
    Status.ATTESTED,
    Status.NOT_APPLICABLE,
    Status.PASS,
)
"""Worst first: the order in which outcomes are told."""
WORDS = {
    Status.FAIL: "FAIL",
    Status.UNKNOWN: "UNKNOWN",
    Status.WARN: "WARN",
    Status.WAIVED: "WAIVED",
    Status.ATTESTED: "ATTESTED",
    Status.NOT_APPLICABLE: "N/A",
    Status.PASS: "PASS",
}
_RANK = {status: rank for rank, status in enumerate(ORDER)}
_WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}
_MEND = "Mend the check itself: its traceback is in the report."
_LOOK_AGAIN = "Restore the access or the missing data, then run again."


def rank(status: Status) -> int:
    """0 for the worst outcome."""
    return _RANK[status]


def worst_first(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Outcomes in the order they are told: by outcome, then by severity, then by id."""
    return sorted(outcomes, key=lambda o: (_RANK[o.status], _follows(o), _WEIGHT[o.severity], o.criterion))


def _follows(outcome: Outcome) -> bool:
    """Whether it only looks back at other criteria, so that its causes are to be told before it."""
    return (outcome.check or "").startswith("history/")


def counts(outcomes: Iterable[Outcome]) -> dict[Status, int]:
    """How many there are of each outcome, worst first, those with none included."""
    found = dict.fromkeys(ORDER, 0)
    for outcome in outcomes:
        found[outcome.status] += 1
    return found


def counted(outcomes: Iterable[Outcome]) -> str:
    """`2 fail, 1 unknown, 130 pass`; outcomes that did not occur are left out."""
    said = [f"{number} {status.value.replace('_', ' ')}" for status, number in counts(outcomes).items() if number]
    return ", ".join(said) or "no outcome"


def headline(record: RunRecord) -> str:
    """What the run found, in one phrase; whether the system may go live is not for a single run to say."""
    found = _finding(record.outcomes)
    return f"Aborted: {found[0].lower()}{found[1:]}" if record.aborted else found


def runbook(outcome: Outcome, part: str) -> str:
    """The part of a criterion's runbook under the heading `part` (`why`, `when it fails`), or nothing."""
    for heading, text in outcome.runbook.items():
        if heading.replace("_", " ").strip(" :").casefold() == part:
            return text
    return ""


def next_step(outcome: Outcome) -> str:
    """What to do first about an outcome that blocks.

    The runbook is for a claim that does not hold; where nothing could be looked at, looking comes first.
    """
    if outcome.status is Status.UNKNOWN and any(seen.title == "traceback" for seen in outcome.evidence):
        return _MEND
    if outcome.status is Status.UNKNOWN and not (outcome.check or "").startswith("people/"):
        return _LOOK_AGAIN
    return first_sentence(runbook(outcome, "when it fails"))


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Outcomes of one kind that share one reason; the first one weighs most."""

    outcomes: tuple[Outcome, ...]

    @property
    def first(self) -> Outcome:
        """The outcome that speaks for all."""
        return self.outcomes[0]


def causes(outcomes: Sequence[Outcome]) -> list[Cause]:
    """Blocking outcomes, worst first, folded where they give the same reason.

    What failed is folded only under the very same message; what could not be looked at
    also when the messages differ in numbers alone (ports, times waited).
    """
    folded: dict[tuple[Status, str], list[Outcome]] = {}
    for outcome in worst_first(o for o in outcomes if o.status.blocks):
        folded.setdefault((outcome.status, _reason(outcome)), []).append(outcome)
    return [Cause(outcomes=tuple(group)) for group in folded.values()]


def _reason(outcome: Outcome) -> str:
    if not outcome.message:
        return outcome.criterion
    return re.sub(r"\d+", "0", outcome.message) if outcome.status is Status.UNKNOWN else outcome.message


def _finding(outcomes: Sequence[Outcome]) -> str:
    number = counts(outcomes)
    failed, unknown, warned = number[Status.FAIL], number[Status.UNKNOWN], number[Status.WARN]
    if not outcomes:
        return "No criterion was judged"
    if failed:
        return plural(failed, "criterion failed", "criteria failed") + (f", {unknown} unknown" if unknown else "")
    if unknown:
        return plural(unknown, "criterion is unknown", "criteria are unknown")
    if number[Status.PASS] == len(outcomes):
        return "The one criterion passed" if len(outcomes) == 1 else f"All {len(outcomes)} criteria passed"
    return "No criterion failed" + (f", {plural(warned, 'warns', 'warn')}" if warned else "")
