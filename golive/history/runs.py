"""Runs and their outcomes: written the moment they are known, read back as records."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from golive.history import outcomes as written
from golive.history.storage import processes
from golive.history.storage.schema import OUTCOMES, RUNS, WATCHES
from golive.history.storage.trouble import HistoryUnusable
from golive.model import Deployment, Outcome, RunRecord

if TYPE_CHECKING:
    from golive.history.store import History

DIED = "its process died"
BEAT_S = 60.0
"""How often a run that goes on says so."""
SILENT_S = 600.0
"""A run of another machine that has not said anything for so long is dead."""


def begin_run(history: History, record: RunRecord, *, pid_owner: int | None = None) -> None:
    """Record that a run has begun in this process (or in `pid_owner` of this machine).

    Until `finish_run`, or until the handle is closed, the run says now and then that it goes on.
    HistoryUnusable if the history holds a run of that id.
    """
    row = {
        "run": record.run, "environment": record.environment, "system": record.system,
        "started_at": record.started_at, "finished_at": record.finished_at, "version": record.deployment.version,
        "deployed_at": record.deployment.deployed_at, "selection": record.selection, "aborted": record.aborted,
        "unanswered": list(record.unanswered), "watch": record.watch, "checkpoint": record.checkpoint,
        "selected": list(record.selected), "target": dict(record.target), "criteria_digest": record.criteria_digest,
        "process": processes.process(pid_owner).as_data(),
    }  # fmt: skip
    with history.writing() as connection:
        if connection.execute(sa.select(RUNS.c.id).where(RUNS.c.run == record.run)).first():
            raise HistoryUnusable(f"history {history.where}: already holds a run {record.run}")
        connection.execute(sa.insert(RUNS).values(**row, alive_at=_clock(connection)))
        for outcome in record.outcomes:
            written.put(connection, record.run, outcome, environment=record.environment)
    if record.finished_at is None and record.aborted is None:
        _keep_alive(history, record.run)


def select(history: History, run: str, selected: Sequence[str], checkpoint: str | None, watch: str | None) -> None:
    """Record what the run is going to judge, and its place in a watch."""
    _change(history, run, {"selected": list(selected), "checkpoint": checkpoint, "watch": watch})


def set_target(history: History, run: str, target: Mapping[str, str]) -> None:
    """Record what was found deployed."""
    _change(history, run, {"target": dict(target)})


def finish_run(
    history: History, run: str, *, finished_at: datetime, aborted: str | None, unanswered: Sequence[str] = ()
) -> None:
    """Record the end of a run. What was said of it while it was taken for dead is taken back."""
    values = {"finished_at": finished_at, "aborted": aborted, "unanswered": list(unanswered)}
    _change(history, run, values, durable=True)
    history.forget(_beating(run))


def discard_run(history: History, run: str) -> None:
    """Forget a run that judged nothing, as if it had not begun."""
    with history.writing() as connection:
        connection.execute(sa.delete(RUNS).where(RUNS.c.run == run))
    history.forget(_beating(run))


def add_outcome(history: History, run: str, outcome: Outcome, *, environment: str) -> None:
    """Keep an outcome at once. It takes the place of the one that this run had for the same criterion."""
    with history.writing() as connection:
        if not written.put(connection, run, outcome, environment=environment):
            raise _unknown_run(history.where, run)


def mark_dead(history: History) -> list[str]:
    """Mark the runs whose process is gone as aborted, and give their ids.

    On the machine of the run its process is looked for; elsewhere a run is dead that was silent for `SILENT_S`.
    """
    going_on = (RUNS.c.finished_at.is_(None)) & (RUNS.c.aborted.is_(None))
    with history.reading() as connection:
        rows = connection.execute(sa.select(RUNS.c.id, RUNS.c.run, RUNS.c.process, RUNS.c.alive_at).where(going_on))
        found = rows.all()
        now = _clock(connection) if found else datetime.now(UTC)
    dead = {row.id: row.run for row in found if _is_dead(row.process, row.alive_at, now)}
    if dead:
        with history.writing() as connection:
            marking = sa.update(RUNS).where(RUNS.c.id.in_(dead), going_on).values(aborted=DIED)
            connection.execute(marking)
    return sorted(dead.values())


def run_record(history: History, run: str) -> RunRecord | None:
    """One run with its outcomes."""
    found = _records(history, [RUNS.c.run == run], outcomes=True)
    return found[0] if found else None


def run_records(
    history: History,
    environment: str,
    *,
    since: datetime | None = None,
    watch: str | None = None,
    complete: bool = False,
    outcomes: bool = True,
) -> list[RunRecord]:
    """The runs of an environment that began at or after `since`, oldest first.

    `complete` leaves out those that were broken off or still go on; without `outcomes` they come without them.
    """
    conditions: list[sa.ColumnElement[bool]] = [RUNS.c.environment == environment]
    if since is not None:
        conditions.append(RUNS.c.started_at >= since)
    if watch is not None:
        conditions.append(RUNS.c.watch == watch)
    if complete:
        conditions += [RUNS.c.finished_at.is_not(None), RUNS.c.aborted.is_(None)]
    return _records(history, conditions, outcomes=outcomes)


def runs_of_watch(history: History, watch: str) -> list[RunRecord]:
    """All runs under a watch, whatever environment they say they are of, oldest first."""
    return _records(history, [RUNS.c.watch == watch], outcomes=True)


def counts(history: History, environment: str) -> dict[str, Counter[str]]:
    """How many outcomes of each status every run of an environment has, by run."""
    wanted = (
        sa.select(RUNS.c.run, OUTCOMES.c.status, sa.func.count())
        .join(OUTCOMES, OUTCOMES.c.run_id == RUNS.c.id)
        .where(RUNS.c.environment == environment)
        .group_by(RUNS.c.run, OUTCOMES.c.status)
    )
    found: dict[str, Counter[str]] = {}
    with history.reading() as connection:
        for run, status, count in connection.execute(wanted):
            found.setdefault(run, Counter())[status] = count
    return found


def environments(history: History) -> list[str]:
    """The environments that the history knows anything of."""
    wanted = sa.union(sa.select(RUNS.c.environment), sa.select(WATCHES.c.environment))
    with history.reading() as connection:
        return sorted(connection.execute(wanted).scalars())


def _change(history: History, run: str, values: Mapping[str, Any], *, durable: bool = False) -> None:
    with history.writing(durable=durable) as connection:
        if not connection.execute(sa.update(RUNS).where(RUNS.c.run == run).values(**values)).rowcount:
            raise _unknown_run(history.where, run)


def _unknown_run(where: str, run: str) -> HistoryUnusable:
    return HistoryUnusable(f"history {where}: holds no run {run}: was the store exchanged while it ran?")


def _records(history: History, conditions: Sequence[sa.ColumnElement[bool]], *, outcomes: bool) -> list[RunRecord]:
    """One picture of the store: outcomes that come in meanwhile are not seen."""
    chosen = sa.select(RUNS).where(*conditions).order_by(RUNS.c.started_at, RUNS.c.id)
    with history.reading() as connection:
        rows = connection.execute(chosen).all()
        found = written.read(connection, conditions) if outcomes and rows else {}
        return [_record(row, tuple(found.get(row.id, ()))) for row in rows]


def _record(row: sa.Row[Any], outcomes: tuple[Outcome, ...]) -> RunRecord:
    return RunRecord(
        run=row.run,
        environment=row.environment,
        system=row.system,
        started_at=row.started_at,
        finished_at=row.finished_at,
        deployment=Deployment(version=row.version, deployed_at=row.deployed_at),
        selection=row.selection,
        aborted=row.aborted,
        unanswered=tuple(row.unanswered),
        outcomes=outcomes,
        watch=row.watch,
        checkpoint=row.checkpoint,
        selected=tuple(row.selected),
        target=row.target,
        criteria_digest=row.criteria_digest,
    )


def _is_dead(process: dict[str, Any], alive_at: datetime, now: datetime) -> bool:
    gone = processes.is_gone(process)
    return now - alive_at > timedelta(seconds=SILENT_S) if gone is None else gone


def _clock(connection: sa.Connection) -> datetime:
    """The time by which all machines that use the store agree: the server's, where there is one."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    found: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return found


def _beating(run: str) -> str:
    return f"beat {run}"


def _keep_alive(history: History, run: str) -> None:
    """Say in the background that the run goes on, for those who cannot see its process."""
    stopped = threading.Event()

    def beat() -> None:
        while not stopped.wait(BEAT_S):
            try:
                with history.writing() as connection:
                    connection.execute(sa.update(RUNS).where(RUNS.c.run == run).values(alive_at=_clock(connection)))
            except HistoryUnusable:
                # The next outcome meets the same trouble and tells it; a beat that is left out does no harm.
                continue

    thread = threading.Thread(target=beat, name=_beating(run), daemon=True)
    thread.start()

    def stop() -> None:
        stopped.set()
        thread.join(1.0)

    history.on_close(_beating(run), stop)
