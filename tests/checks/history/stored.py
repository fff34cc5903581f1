"""A synthetic day (`tests.watchdays`) in a real history, with a run in progress that looks back at it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fixtures.context import RunContext
from fixtures.day import Day
from fixtures.past import Past
from golive.environment.load import Environment
from golive.environment.redaction import Redactor
from golive.environment.sections import EnvironmentSection
from golive.history.criteria_sets import digest_of
from golive.history.notes import add_note
from golive.history.runs import add_outcome, begin_run, finish_run
from golive.history.storage.schema import PROBE_SPANS
from golive.history.store import History
from golive.history.watches import open_watch
from golive.model import EXTRA, Criterion, Note, Outcome, ProbeSpan, RunRecord, Status, WatchRecord
from tests import watchdays
from tests.judged import Judged, judged, written
from tests.watchdays import QA_SIGNS, the_watch

Begin = Callable[..., "Watching"]
CRITERIA = tuple(c for c in watchdays.CRITERIA if c.id != QA_SIGNS)
"""Those of the synthetic day that need no key to be answered."""
AVAILABILITY = {"probes": [{"endpoint": name, "request": "GET /health"} for name in ("api", "web")]}


class Watching:
    """A run in progress under a watch that lies in a history on disk. `now` is the moment that its checks see."""

    def __init__(self, context: RunContext, criteria: Sequence[Criterion]) -> None:
        assert context.history is not None
        self.context = context
        self.history: History = context.history
        self.criteria = criteria

    def judge(self, check: Callable[..., None], params: Any, **keys: Any) -> Judged:
        """What the check comes to in this run."""
        past = Past(self.context, 0.0)
        return judged(
            check, criterion=written(params, **keys), past=past, day=Day(self.context, past), context=self.context
        )

    def found(self, *outcomes: Outcome) -> Watching:
        """The run has judged these as well."""
        for outcome in outcomes:
            add_outcome(self.history, self.context.run, outcome, environment=self.context.environment.name)
        self.journal(*outcomes)
        return self

    def journal(self, *outcomes: Outcome) -> None:
        """Write outcomes to the run's own journal alone."""
        with (self.context.directory / "outcomes.jsonl").open("a") as journal:
            journal.writelines(json.dumps(one.as_data()) + "\n" for one in outcomes)

    def noted(self, text: str, *, at: datetime, **about: str) -> Watching:
        """Somebody has written a note."""
        assert self.context.watch is not None
        add_note(self.history, self.context.watch.id, Note(at=at, by="Ann", text=text, **about))
        return self


def environment(folder: Path, record: WatchRecord, criteria: Sequence[Criterion], **section: Any) -> Environment:
    """An environment with the watch of the record."""
    deployment = the_watch(record).deployment
    given = {
        "system": record.system,
        "deployment": {"version": deployment.version, "deployed_at": deployment.deployed_at},
        "endpoints": {name: {"url": "http://127.0.0.1:1"} for name in ("api", "web")},
        "watch": {"availability": AVAILABILITY},
        **section,
    }
    return Environment(
        name=record.environment,
        file=folder / "test.yaml",
        files=(),
        section=written(EnvironmentSection, **given),
        criteria=tuple(criteria),
        waivers=tuple(record.waivers),
        attestations=tuple(record.attestations),
        secrets=(),
    )


def keep(history: History, record: WatchRecord, criteria: Sequence[Criterion]) -> WatchRecord:
    """Write the watch of a record with its runs and probes into a history, judged by `criteria`."""
    digest = digest_of(criteria)
    watch = open_watch(history, replace(the_watch(record), criteria_digest=digest))
    for run in record.runs:
        begin_run(history, replace(run, criteria_digest=run.criteria_digest and digest))
    rows = [
        {
            "watch": watch.id, "endpoint": span.endpoint, "state": span.state.value, "first_at": span.first_at,
            "last_at": span.last_at, "samples": span.samples, "message": span.message,
        }
        for span in record.probes
    ]  # fmt: skip
    if rows:
        with history.writing() as connection:
            connection.execute(sa.insert(PROBE_SPANS), rows)
    return replace(record, watch=watch)


def during(
    folder: Path,
    record: WatchRecord,
    this: RunRecord,
    monkeypatch: pytest.MonkeyPatch,
    *,
    criteria: Sequence[Criterion] = CRITERIA,
    now: datetime | None = None,
    **section: Any,
) -> Watching:
    """The run `this` in progress, with everything else of the record before it; it sees `now` (its end by default)."""
    history = History.open(folder / "history.sqlite")
    stored = keep(history, replace(record, runs=tuple(run for run in record.runs if run.run != this.run)), criteria)
    moment = now or this.finished_at or this.started_at + timedelta(minutes=2)
    context = RunContext(
        environment=environment(folder, record, criteria, **section),
        run=this.run,
        directory=folder / this.run,
        started_at=this.started_at,
        redact=Redactor(),
        history=history,
        selected=this.selected,
        watch=stored.watch,
        checkpoint=this.checkpoint,
    )
    context.on_close(history.close)
    context.directory.mkdir()
    monkeypatch.setattr(context, "now", lambda: moment, raising=True)
    begun = replace(this, finished_at=None, aborted=None, outcomes=(), criteria_digest=digest_of(criteria))
    begin_run(history, begun)
    return Watching(context, criteria).found(*this.outcomes)


def run_of(record: WatchRecord, label: str) -> RunRecord:
    """The last run of that checkpoint."""
    return [run for run in record.runs if run.checkpoint == label][-1]


def extra(record: WatchRecord, hours: float, outcomes: Iterable[Outcome] = ()) -> RunRecord:
    """A run at that hour that is no checkpoint."""
    return replace(watchdays.extra_run(record, hours, *outcomes), checkpoint=EXTRA)


def ended(watching: Watching, at: datetime) -> None:
    """The run came to its end."""
    finish_run(watching.history, watching.context.run, finished_at=at, aborted=None)


def small(**keys: Any) -> WatchRecord:
    """A synthetic day whose criteria need no signature."""
    return watchdays.day(criteria=CRITERIA, signed_by=(), roles=(), **keys)


def told(found: Judged) -> tuple[Status, str]:
    """What a check came to, and its message."""
    return found.status, found.message


def probed(record: WatchRecord, *spans: ProbeSpan) -> WatchRecord:
    """The day with these probes and no others."""
    return replace(record, probes=spans)


def a_gap(record: WatchRecord) -> WatchRecord:
    """Nobody looked for ten minutes."""
    until = record.probes[0].last_at
    return probed(
        record,
        watchdays.up("api", the_watch(record).starts_at, watchdays.at_hour(record, 5)),
        watchdays.up("api", watchdays.at_hour(record, 5) + timedelta(minutes=10), until),
        watchdays.up("web", the_watch(record).starts_at, until),
    )
