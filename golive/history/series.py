"""Measurements of one criterion over time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from golive.history.storage.schema import MEASUREMENTS, RUNS, SERIES

if TYPE_CHECKING:
    from golive.history.store import History


class Point(NamedTuple):
    """One measured value with the limits that it was judged by. `value` may be infinite or NaN."""

    at: datetime
    value: float
    run: str
    warning: float | None
    critical: float | None
    samples: int | None
    better: str
    inclusive: bool


class Series(NamedTuple):
    """All points of one measurement of a criterion, oldest first."""

    criterion: str
    name: str
    unit: str
    points: list[Point]


def series(
    history: History,
    environment: str,
    criterion: str,
    *,
    name: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    watch: str | None = None,
) -> list[Series]:
    """The series of a criterion by its full id, in order of name and unit; those without a point are left out.

    A criterion that measures under several names, or in another unit than before, has several. `until` is inclusive.
    """
    s = SERIES.c
    chosen = sa.select(s.id, s.name, s.unit).where(s.environment == environment, s.criterion == criterion)
    if name is not None:
        chosen = chosen.where(s.name == name)
    found = []
    with history.reading() as connection:
        for series_id, label, unit in connection.execute(chosen.order_by(s.name, s.unit)).all():
            points = _points(connection, series_id, since, until, watch)
            if points:
                found.append(Series(criterion, label, unit, points))
    return found


def _points(
    connection: sa.Connection, series_id: int, since: datetime | None, until: datetime | None, watch: str | None
) -> list[Point]:
    m = MEASUREMENTS.c
    columns = (m.at, m.value, RUNS.c.run, m.warning, m.critical, m.samples, m.higher, m.inclusive)
    wanted = sa.select(*columns).join(RUNS, RUNS.c.id == m.run_id).where(m.series_id == series_id)
    if since is not None:
        wanted = wanted.where(m.at >= since)
    if until is not None:
        wanted = wanted.where(m.at <= until)
    if watch is not None:
        wanted = wanted.where(RUNS.c.watch == watch)
    rows = connection.execute(wanted.order_by(m.at, m.run_id, m.position)).all()
    return [
        Point(at, value, run, warning, critical, samples, "higher" if higher else "lower", inclusive)
        for at, value, run, warning, critical, samples, higher, inclusive in rows
    ]


def measured(history: History, environment: str) -> list[str]:
    """Ids of the criteria that have been measured in an environment."""
    wanted = sa.select(SERIES.c.criterion).where(SERIES.c.environment == environment).distinct()
    with history.reading() as connection:
        return sorted(connection.execute(wanted).scalars())
