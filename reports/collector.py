"""Gathers what became of each criterion, in the process that writes the reports."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from golive.model import Evidence, Outcome, RunRecord, Severity, Status
from reports.session import RunInfo
from reports.text import EVIDENCE_LIMIT, MESSAGE_LIMIT, bounded
from reports.wording import rank

PROPERTY = "golive"
_MOST_PARTS = 200


class Collector:
    """Outcomes by criterion: the worst told about it stands, among equals the last."""

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.aborted: str | None = None
        self.finished_at: datetime | None = None
        self._outcomes: dict[str, Outcome] = {}
        self._tests: dict[str, str] = {}
        self._selected: set[str] = set()
        self._ended: set[str] = set()
        self._record: RunRecord | None = None
        self._belongs: dict[str, Any] = {}
        self.closing: list[str] = []
        """Lines that end the run: what it means for the watch."""
        self.remarks: list[str] = []
        """What is a pity but leaves the run whole."""
        self.problems: list[str] = []
        """What could not be kept; the run does not count as a success."""

    def belongs(self, **fields: Any) -> None:
        """The run's place in a watch, as fields of RunRecord."""
        self._belongs = fields
        self._record = None

    def select(self, tests: list[str]) -> None:
        """These tests are going to run."""
        self._selected.update(tests)

    @property
    def selected(self) -> int:
        """How many tests were going to run."""
        return len(self._selected)

    @property
    def ended(self) -> int:
        """How many of them came to their end."""
        return len(self._ended)

    def ran_nothing(self, exitstatus: int) -> bool:
        """Whether nothing was selected, or the session was refused before anything ran: such a run is not kept."""
        refused = (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED)
        return exitstatus in refused and not self._ended and not self._outcomes

    @property
    def tests(self) -> set[str]:
        """The tests that answered a criterion."""
        return set(self._tests)

    @property
    def blocks(self) -> bool:
        """Whether any outcome keeps the run from succeeding."""
        return any(outcome.status.blocks for outcome in self._outcomes.values())

    def take(self, report: pytest.TestReport) -> Outcome | None:
        """Take the outcome that `report` carries off it; returned when it is the one that stands."""
        carried: list[Any] = [value for name, value in report.user_properties if name == PROPERTY]
        report.user_properties[:] = [pair for pair in report.user_properties if pair[0] != PROPERTY]
        died = report.when not in ("setup", "call", "teardown")
        if died or report.when == "teardown":
            self._ended.add(report.nodeid)
        if died:
            judged = carried[-1]["criterion"] if carried else criterion_of(report.nodeid)
            self.abort(f"a worker process died while it judged {judged}")
        if died and not carried:
            return self._add(report.nodeid, self._lost(criterion_of(report.nodeid)))
        if not carried:
            return None
        return self._add(report.nodeid, Outcome.from_data(carried[-1]))

    def recover(self, outcomes: Iterable[Outcome]) -> None:
        """Take what was judged and kept, and of which this process was never told: its worker was stopped too soon."""
        for outcome in outcomes:
            if outcome.criterion not in self._outcomes:
                self._outcomes[outcome.criterion] = outcome
                self._record = None

    def of_test(self, nodeid: str) -> Outcome | None:
        """The outcome of the criterion that this test answers, as far as it is known."""
        return self._outcomes.get(self._tests.get(nodeid, ""))

    def abort(self, reason: str) -> None:
        """The run ends early; the first reason given stands."""
        self.aborted = self.aborted or reason
        self._record = None

    def finish(self) -> None:
        """The run is over; a second call changes nothing."""
        self.finished_at = self.finished_at or datetime.now(UTC)
        self._record = None

    def record(self) -> RunRecord:
        """The run as it is known now, outcomes by criterion id.

        Every text is redacted here once more: a secret may have become known only after
        the criterion was judged. Masked first and cut then, or half a secret could survive.
        """
        if self._record is None:
            self._record = self._made()
        return self._record

    def _made(self) -> RunRecord:
        info = self.info
        return RunRecord(
            run=info.run,
            environment=info.environment,
            system=info.system,
            started_at=info.started_at,
            finished_at=self.finished_at,
            deployment=info.deployment,
            selection=info.selection,
            aborted=None if self.aborted is None else bounded(info.redact(self.aborted), MESSAGE_LIMIT),
            unanswered=info.unanswered,
            outcomes=tuple(self._tellable(self._outcomes[name]) for name in sorted(self._outcomes)),
            **self._belongs,
        )

    def _add(self, nodeid: str, outcome: Outcome) -> Outcome | None:
        self._tests[nodeid] = outcome.criterion
        known = self._outcomes.get(outcome.criterion)
        if known is not None and rank(known.status) < rank(outcome.status):
            return None
        self._outcomes[outcome.criterion] = outcome
        self._record = None
        return outcome

    def _lost(self, criterion: str) -> Outcome:
        """A worker died: the criterion it was at is unknown."""
        said: dict[str, Any] = {"severity": Severity.CRITICAL}
        for known in self.info.criteria:
            if known.id == criterion:
                said = {"severity": known.severity, "says": known.says, "check": known.check}
        return Outcome(
            criterion=criterion,
            status=Status.UNKNOWN,
            message="the worker process that judged it died",
            started_at=self.info.started_at,
            **said,
        )

    def _tellable(self, outcome: Outcome) -> Outcome:
        redact = self.info.redact
        return replace(
            outcome,
            message=bounded(redact(outcome.message), MESSAGE_LIMIT),
            measurements=outcome.measurements[:_MOST_PARTS],
            evidence=tuple(
                Evidence(title=bounded(redact(e.title), MESSAGE_LIMIT), text=bounded(redact(e.text), EVIDENCE_LIMIT))
                for e in outcome.evidence[:_MOST_PARTS]
            ),
        )


def criterion_of(nodeid: str) -> str:
    """The criterion in a test's id: its parameter, without the group that xdist appends."""
    found = re.search(r"\[(.+)\](?:@.*)?$", nodeid, re.DOTALL)
    return found[1] if found else nodeid


COLLECTOR = pytest.StashKey[Collector]()
