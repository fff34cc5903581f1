"""Retention: what is old goes, what a decision rests on stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from golive.history.storage.schema import (
    BASELINES,
    CRITERIA_SETS,
    MEASUREMENTS,
    NOTES,
    OUTCOMES,
    POLICIES,
    PROBE_SPANS,
    RUNS,
    SERIES,
    SIGNATURES,
    WATCHES,
)

if TYPE_CHECKING:
    from golive.history.store import History

_SERIES_AT_ONCE = 100
"""So many series are cleared in one transaction: runs that go on wait for it only briefly."""


@dataclass(kw_only=True, slots=True)
class Pruned:
    """How much of each kind went; of the old runs that were spared it says why."""

    runs: int = 0
    outcomes: int = 0
    measurements: int = 0
    watches: int = 0
    probe_spans: int = 0
    signatures: int = 0
    notes: int = 0
    criteria_sets: int = 0
    spared_open: int = 0
    spared_signed: int = 0
    spared_baseline: int = 0

    @property
    def nothing(self) -> bool:
        """Whether nothing went."""
        return not any(getattr(self, f.name) for f in fields(self) if not f.name.startswith("spared"))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """What old runs may be needed for: watches by id, runs by id."""

    open_watches: frozenset[str]
    signed_watches: frozenset[str]
    baseline_runs: frozenset[str]


def prune(
    history: History, *, older_than_s: float, now: datetime, environment: str | None = None, dry_run: bool = False
) -> Pruned:
    """Remove the runs that began longer ago, with all that they found, and the watches that have no run left.

    Stays: every run of an open watch, of the last signed one among the closed watches of each environment, of a valid
    baseline, and a run that goes on. Limited to one environment if that is given. With `dry_run` nothing goes, and the
    counts say what would.
    """
    before = now - timedelta(seconds=older_than_s)
    kept = _kept(history)
    old = [RUNS.c.started_at < before, *([RUNS.c.environment == environment] if environment else [])]
    doomed = sa.select(RUNS.c.id).where(*old, *_unneeded(kept))
    pruned = _spared(history, old, kept)
    pruned.measurements = _measurements(history, doomed, dry_run=dry_run)
    with history.writing() as connection:
        pruned.outcomes = _gone(connection, OUTCOMES, OUTCOMES.c.run_id.in_(doomed), dry_run=dry_run)
        pruned.runs = _gone(connection, RUNS, RUNS.c.id.in_(doomed), dry_run=dry_run)
        _watches(connection, pruned, before, environment, kept, doomed, dry_run=dry_run)
    if not dry_run and not pruned.nothing and history.is_sqlite:
        _give_back(history)
    return pruned


def _kept(history: History) -> _Kept:
    w = WATCHES.c
    signed = sa.select(SIGNATURES.c.watch)
    closed = sa.select(w.environment, w.id).where(w.closed_at.is_not(None), w.id.in_(signed))
    with history.reading() as connection:
        opened = connection.execute(sa.select(w.id).where(w.closed_at.is_(None))).scalars().all()
        last = {row.environment: row.id for row in connection.execute(closed.order_by(w.closed_at))}
        valid = connection.execute(sa.select(BASELINES.c.runs).where(BASELINES.c.invalid_at.is_(None)))
        runs = frozenset(run for named in valid.scalars() for run in named)
    return _Kept(open_watches=frozenset(opened), signed_watches=frozenset(last.values()), baseline_runs=runs)


def _unneeded(kept: _Kept) -> Iterator[sa.ColumnElement[bool]]:
    """What must hold of a run that nobody needs."""
    yield RUNS.c.finished_at.is_not(None) | RUNS.c.aborted.is_not(None)
    yield RUNS.c.watch.is_(None) | RUNS.c.watch.not_in(sorted(kept.open_watches | kept.signed_watches))
    yield RUNS.c.run.not_in(sorted(kept.baseline_runs))


def _spared(history: History, old: list[sa.ColumnElement[bool]], kept: _Kept) -> Pruned:
    """Old runs that stay, counted under the first reason that keeps them."""
    pruned = Pruned()
    with history.reading() as connection:
        for run, watch in connection.execute(sa.select(RUNS.c.run, RUNS.c.watch).where(*old)):
            if watch in kept.open_watches:
                pruned.spared_open += 1
            elif watch in kept.signed_watches:
                pruned.spared_signed += 1
            elif run in kept.baseline_runs:
                pruned.spared_baseline += 1
    return pruned


def _measurements(history: History, doomed: sa.Select[tuple[int]], *, dry_run: bool) -> int:
    """A few series at a time. They go first: a run whose removal was broken off is old still, and goes next time."""
    with history.reading() as connection:
        series = connection.execute(sa.select(SERIES.c.id).order_by(SERIES.c.id)).scalars().all()
    m, gone = MEASUREMENTS.c, 0
    for first in range(0, len(series), _SERIES_AT_ONCE):
        some = series[first : first + _SERIES_AT_ONCE]
        chosen = m.series_id.between(some[0], some[-1]) & m.run_id.in_(doomed)
        with history.writing() as connection:
            gone += _gone(connection, MEASUREMENTS, chosen, dry_run=dry_run)
    return gone


def _watches(
    connection: sa.Connection,
    pruned: Pruned,
    before: datetime,
    environment: str | None,
    kept: _Kept,
    doomed: sa.Select[tuple[int]],
    *,
    dry_run: bool,
) -> None:
    """Closed watches without any run left, and the rules that nobody was judged by any more."""
    w = WATCHES.c
    used = sa.select(RUNS.c.watch).where(RUNS.c.watch.is_not(None), RUNS.c.id.not_in(doomed))
    old = [w.closed_at < before, w.id.not_in(sorted(kept.signed_watches)), w.id.not_in(used)]
    if environment:
        old.append(w.environment == environment)
    ids = connection.execute(sa.select(w.id).where(*old)).scalars().all()
    pruned.probe_spans = _gone(connection, PROBE_SPANS, PROBE_SPANS.c.watch.in_(ids), dry_run=dry_run)
    pruned.signatures = _gone(connection, SIGNATURES, SIGNATURES.c.watch.in_(ids), dry_run=dry_run)
    pruned.notes = _gone(connection, NOTES, NOTES.c.watch.in_(ids), dry_run=dry_run)
    _gone(connection, POLICIES, POLICIES.c.watch.in_(ids), dry_run=dry_run)
    pruned.watches = _gone(connection, WATCHES, w.id.in_(ids), dry_run=dry_run)
    rules = sa.union(
        sa.select(RUNS.c.criteria_digest).where(RUNS.c.id.not_in(doomed)),
        sa.select(w.criteria_digest).where(w.id.not_in(ids)),
    )
    unused = CRITERIA_SETS.c.digest.not_in(rules) & (CRITERIA_SETS.c.stored_at < before)
    pruned.criteria_sets = _gone(connection, CRITERIA_SETS, unused, dry_run=dry_run)


def _gone(connection: sa.Connection, table: sa.Table, condition: sa.ColumnElement[bool], *, dry_run: bool) -> int:
    """Delete these rows, or only count them."""
    if dry_run:
        return connection.execute(sa.select(sa.func.count()).select_from(table).where(condition)).scalar_one()
    return connection.execute(sa.delete(table).where(condition)).rowcount


def _give_back(history: History) -> None:
    """Make the file as small as what it holds."""
    with history.directly() as cursor:
        # A plain `execute` would stop after the first page.
        cursor.executescript("PRAGMA incremental_vacuum")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
