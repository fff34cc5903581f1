"""What the terminal says: a letter and a word per outcome, and ten lines at the end.

The last lines answer three questions: what failed, why, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from golive.model import Outcome, RunRecord, Status
from reports.text import LINE_LIMIT, clipped, one_line, plural
from reports.wording import WORDS, Cause, causes, counted, next_step

MOST_LINES = 10
_CATEGORIES = {Status.PASS: "passed", Status.FAIL: "failed", Status.NOT_APPLICABLE: "n/a"}
_LETTERS = {
    Status.PASS: ".",
    Status.WARN: "w",
    Status.FAIL: "F",
    Status.UNKNOWN: "?",
    Status.WAIVED: "v",
    Status.NOT_APPLICABLE: "-",
    Status.ATTESTED: "a",
}
_COLOURS = {
    Status.PASS: "green",
    Status.WARN: "yellow",
    Status.FAIL: "red",
    Status.UNKNOWN: "purple",
    Status.WAIVED: "cyan",
    Status.NOT_APPLICABLE: "white",
    Status.ATTESTED: "cyan",
}
Markup = Mapping[str, bool]


@dataclass(frozen=True)
class Line:
    """One line of the terminal: a word that may be coloured, and the rest."""

    rest: str
    lead: str = ""
    markup: Markup = field(default_factory=dict)

    def __str__(self) -> str:
        return self.lead + self.rest


def teststatus(status: Status) -> tuple[str, str, tuple[str, Markup]]:
    """Category, letter and word of an outcome, as `pytest_report_teststatus` wants them."""
    category = _CATEGORIES.get(status, status.value)
    return category, _LETTERS[status], (WORDS[status], {_COLOURS[status]: True})


def summary(
    record: RunRecord, *, report: str, width: int | None, hints: Sequence[str] = (), closing: Sequence[str] = ()
) -> list[Line]:
    """At most ten lines about the run. `width` bounds each line; None leaves them whole, as a CI log wants them.

    `closing` is what the run means for a watch; it is never left out.
    """
    top = [_counts(record, width)]
    if record.aborted:
        top.append(Line(_fitting(one_line(record.aborted), width, 9), "Aborted: ", {"red": True}))
    bottom = [
        *(Line(_fitting(one_line(line), width, 0)) for line in closing),
        Line(f"Report: {one_line(report, 1000)}"),
    ]
    if record.unanswered:
        bottom.insert(0, Line(f"{plural(len(record.unanswered), 'criterion', 'criteria')} unanswered"))
    lines = [*top, *_blocking(record, MOST_LINES - len(top) - len(bottom), width), *bottom]
    return [*lines, *(Line(_fitting(one_line(hint), width, 0)) for hint in hints)][:MOST_LINES]


def everything_blocking(record: RunRecord) -> list[Line]:
    """Every cause that blocks, in full width, for logs that nobody has to scroll in a hurry."""
    return [line for cause in causes(record.outcomes) for line in _told(cause, None)]


def write(reporter: pytest.TerminalReporter, lines: Sequence[Line], *, in_ci: bool) -> None:
    """Write `lines`; in a CI log nothing in them can be taken for a command of the CI system (`##[…]`)."""
    reporter.ensure_newline()
    for line in lines:
        lead, rest = (text.replace("##", "# #") if in_ci else text for text in (line.lead, line.rest))
        reporter.write(lead, **line.markup)
        reporter.write_line(rest)


@contextmanager
def criteria_set_aside(reporter: pytest.TerminalReporter, ours: set[str]) -> Iterator[None]:
    """Keep pytest's own failure sections and short summary to tests that are no criteria."""
    kept = dict(reporter.stats)
    for category, reports in kept.items():
        reporter.stats[category] = [r for r in reports if getattr(r, "nodeid", None) not in ours]
    try:
        yield
    finally:
        for category, reports in kept.items():
            new = [r for r in reporter.stats.get(category, []) if r not in reports]
            reporter.stats[category] = [*reports, *new]


def _counts(record: RunRecord, width: int | None) -> Line:
    said = counted(record.outcomes).replace("not applicable", "n/a")
    whole = f"{record.system} on {record.environment}: {said}"
    return Line("", whole if width is None or len(whole) <= width else said, {"bold": True})


def _blocking(record: RunRecord, room: int, width: int | None) -> list[Line]:
    """As many causes as have room in full, and how many criteria are left."""
    waiting = causes(record.outcomes)
    lines: list[Line] = []
    while waiting:
        told = _told(waiting[0], width)
        last = len(waiting) == 1
        if len(lines) + len(told) + (not last) > room:
            break
        lines += told
        waiting.pop(0)
    left = sum(len(cause.outcomes) for cause in waiting)
    return [*lines, Line(f"… and {left} more")] if left else lines


def _told(cause: Cause, width: int | None) -> list[Line]:
    first = cause.first
    lead = WORDS[first.status]
    head = f" {first.severity.value} {one_line(first.criterion, 200)}" + _others(cause.outcomes)
    why = one_line(first.message or first.says)
    markup = {_COLOURS[first.status]: True, "bold": True}
    if width is None or len(lead) + len(head) + 2 + len(why) <= width:
        lines = [Line(f"{head}: {why}", lead, markup)]
    else:
        lines = [Line(_fitting(head, width, len(lead)), lead, markup), Line("  " + _fitting(why, width, 2))]
    todo = one_line(next_step(first))
    return [*lines, Line("  → " + _fitting(todo, width, 4))] if todo else lines


def _others(outcomes: Sequence[Outcome]) -> str:
    return f" and {len(outcomes) - 1} more alike" if len(outcomes) > 1 else ""


def _fitting(text: str, width: int | None, used: int) -> str:
    return clipped(text, LINE_LIMIT if width is None else max(width - used, 20))
