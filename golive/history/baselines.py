"""Baselines: named good runs with which later measurements are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from golive.history.storage.schema import BASELINES
from golive.history.storage.trouble import HistoryUnusable

if TYPE_CHECKING:
    from golive.history.store import History


class BaselineValue(NamedTuple):
    """What was measured, and out of how many values (runs or samples)."""

    value: float
    samples: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """Values by criterion, name of the measurement and unit. An invalid one is kept, but nothing is compared with it.

    A name is given once in an environment, so that what a report says about it stays true.
    """

    name: str
    environment: str
    version: str
    made_at: datetime
    runs: tuple[str, ...]
    values: Mapping[tuple[str, str, str], BaselineValue] = field(default_factory=dict)
    invalid_at: datetime | None = None
    invalid_because: str = ""


def set_baseline(history: History, baseline: Baseline) -> None:
    """Keep a new baseline; HistoryUnusable if the environment has one of that name."""
    row = {
        "environment": baseline.environment, "name": baseline.name, "version": baseline.version,
        "made_at": baseline.made_at, "runs": list(baseline.runs),
        "values": [[*key, value.value, value.samples] for key, value in sorted(baseline.values.items())],
        "invalid_at": baseline.invalid_at, "invalid_because": baseline.invalid_because,
    }  # fmt: skip
    with history.writing(durable=True) as connection:
        if connection.execute(_named(baseline.environment, baseline.name)).first():
            raise HistoryUnusable(
                f"history {history.where}: {baseline.environment} already has a baseline '{baseline.name}'; "
                "give another name"
            )
        connection.execute(sa.insert(BASELINES).values(**row))


def baseline(history: History, environment: str, name: str | None = None) -> Baseline | None:
    """The baseline of that name, valid or not; without a name the newest valid one."""
    b = BASELINES.c
    wanted = _named(environment, name) if name is not None else (
        sa.select(BASELINES).where(b.environment == environment, b.invalid_at.is_(None))
        .order_by(b.made_at.desc(), b.id.desc()).limit(1)
    )  # fmt: skip
    with history.reading() as connection:
        found = connection.execute(wanted).first()
        return None if found is None else _baseline(found)


def baselines(history: History, environment: str) -> list[Baseline]:
    """All baselines of an environment, oldest first."""
    b = BASELINES.c
    wanted = sa.select(BASELINES).where(b.environment == environment).order_by(b.made_at, b.id)
    with history.reading() as connection:
        return [_baseline(row) for row in connection.execute(wanted)]


def invalidate(history: History, environment: str, name: str, at: datetime, because: str) -> None:
    """Compare with it no more; one that is invalid already stays as it is. HistoryUnusable if there is none."""
    b = BASELINES.c
    with history.writing(durable=True) as connection:
        if not connection.execute(_named(environment, name)).first():
            raise HistoryUnusable(f"history {history.where}: {environment} has no baseline '{name}'")
        chosen = sa.update(BASELINES).where(b.environment == environment, b.name == name, b.invalid_at.is_(None))
        connection.execute(chosen.values(invalid_at=at, invalid_because=because))


def _named(environment: str, name: str) -> sa.Select[Any]:
    return sa.select(BASELINES).where(BASELINES.c.environment == environment, BASELINES.c.name == name)


def _baseline(row: sa.Row[Any]) -> Baseline:
    # `values` is a method of rows as well.
    values = row._mapping["values"]
    return Baseline(
        name=row.name,
        environment=row.environment,
        version=row.version,
        made_at=row.made_at,
        runs=tuple(row.runs),
        values={(criterion, name, unit): BaselineValue(v, samples) for criterion, name, unit, v, samples in values},
        invalid_at=row.invalid_at,
        invalid_because=row.invalid_because,
    )
