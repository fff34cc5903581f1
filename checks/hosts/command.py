"""A command of your own comes to what it should.

Why: some things only their own tool can tell: a raid's state, a queue's length, a licence's last day.
When it fails: run the command by hand on the host; its output and errors are in the evidence.
"""

import math
import re

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Duration, HostRef
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.command import Command, CommandOutput
from golive.targets.hosts.questions.written import Pattern, Texts
from golive.targets.shell import one_line, plain

_CANNOT_RUN = (126, 127)


class Params(CheckParams):
    host: HostRef
    command: str = Field(min_length=1, description="text for `sh`; it must only read, for it runs at every look")
    exit_code: int | None = Field(0, ge=0, le=255, description="the exit code needed; null for any")
    contains: Texts = Field((), description="text that its output must contain")
    contains_not: Texts = Field((), description="text that its output must not contain")
    matches: Pattern | None = Field(None, description="regular expression that must be found in its output")
    number: Pattern = Field(
        r"(-?\d+(?:\.\d+)?)", description="regular expression whose first group is the number that is judged"
    )
    unit: str = Field("", description="unit of the number")
    warning: float | None = Field(None, description="the number warns above this, or below it if only at_least is set")
    at_least: float | None = None
    at_most: float | None = None
    timeout: Duration = Field(5.0, le=60, description="longest that it may take; the host's own time-out holds too")

    @property
    def question(self) -> Command:
        """The command."""
        return Command(text=self.command, within_s=self.timeout)

    def asks(self) -> tuple[Question[object], ...]:
        """One question."""
        return (self.question,)

    def asserts_nothing(self) -> str | None:
        if re.compile(self.number).groups < 1:
            return f"'number' has no group: put what is the number into parentheses, as in 'free: ({self.number})'"
        others = (self.exit_code, self.matches, self.at_least, self.at_most, self.warning)
        is_empty = all(wish is None for wish in others) and not self.contains and not self.contains_not
        return "neither an exit code nor any output is needed" if is_empty else None


def test_command_comes_to_what_it_should(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    found = host.answer(criterion.question)
    evidence("output", found.stdout)
    evidence("errors", found.stderr)
    subject = f"`{plain(criterion.command, 80)}` on host {host.name}"
    said = one_line(found.stderr)
    told = f": {said}" if said else ""
    if found.exit_code in _CANNOT_RUN and criterion.exit_code != found.exit_code:
        raise CouldNotLook(f"{subject} cannot be run there (exit code {found.exit_code}{told})")
    if criterion.exit_code is not None and found.exit_code != criterion.exit_code:
        measure.fail(f"{subject} ended with exit code {found.exit_code}, {criterion.exit_code} needed{told}")
    else:
        measure.note(f"{subject} ended with exit code {found.exit_code}")
    for text in criterion.contains:
        if text not in found.stdout:
            measure.fail(f"{subject} does not print {text!r}")
    for text in criterion.contains_not:
        if text in found.stdout:
            measure.fail(f"{subject} prints {text!r}")
    if criterion.matches is not None and not re.search(criterion.matches, found.stdout, re.MULTILINE):
        measure.fail(f"{subject} prints nothing that matches {criterion.matches!r}")
    _judge_number(criterion, found, subject, measure)


def _judge_number(criterion: Params, found: CommandOutput, subject: str, measure: Measure) -> None:
    least, most, warning = criterion.at_least, criterion.at_most, criterion.warning
    if (least, most, warning) == (None, None, None):
        return
    number = re.search(criterion.number, found.stdout, re.MULTILINE)
    try:
        value = float(number[1]) if number else math.nan
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        measure.unknown(f"{subject} prints no number ({one_line(found.stdout, 80) or 'nothing'})")
        return
    is_most = most is not None or least is None
    if is_most:
        measure(
            value, unit=criterion.unit, subject=subject, name="number", warning=warning, critical=most, inclusive=True
        )
    if least is not None:
        measure(
            value,
            unit=criterion.unit,
            subject=subject,
            name="least number" if is_most else "number",
            warning=None if is_most else warning,
            critical=least,
            better="higher",
        )
