"""The outcomes of runs and the series that their measurements make up.

A run writes hundreds of outcomes one by one: the statements here are put together once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from golive.history.storage.schema import MEASUREMENTS, OUTCOMES, RUNS, SERIES, as_float
from golive.history.storage.upsert import upsert
from golive.model import Outcome

_LARGEST = 2**63 - 1
_R, _O, _S, _M = RUNS.c, OUTCOMES.c, SERIES.c, MEASUREMENTS.c
_OF_CRITERION = (_S.environment == sa.bindparam("of_environment"), _S.criterion == sa.bindparam("of_criterion"))

_EARLIER = (
    sa.select(_R.id, _O.at)
    .outerjoin(OUTCOMES, (_O.run_id == _R.id) & (_O.criterion == sa.bindparam("of_criterion")))
    .where(_R.run == sa.bindparam("of_run"))
)
_KNOWN = sa.select(_S.name, _S.unit, _S.id).where(*_OF_CRITERION)
_FORGET = sa.delete(MEASUREMENTS).where(
    _M.series_id.in_(sa.select(_S.id).where(*_OF_CRITERION)),
    _M.at == sa.bindparam("of_moment"),
    _M.run_id == sa.bindparam("of_run"),
)
_MEASURED = sa.insert(MEASUREMENTS)


def put(connection: sa.Connection, run: str, outcome: Outcome, *, environment: str) -> bool:
    """Write one outcome in place of an earlier one of the run; whether there is such a run."""
    found = connection.execute(_EARLIER, {"of_run": run, "of_criterion": outcome.criterion}).first()
    if found is None:
        return False
    run_id, earlier = found
    where = {"of_environment": environment, "of_criterion": outcome.criterion}
    if earlier is not None:
        connection.execute(_FORGET, {**where, "of_moment": earlier, "of_run": run_id})
    row = {
        "run_id": run_id, "criterion": outcome.criterion, "status": outcome.status.value,
        "at": outcome.started_at, "data": outcome.as_data(),
    }  # fmt: skip
    upsert(connection, OUTCOMES, [row], ("run_id", "criterion"))
    if outcome.measurements:
        ids = _series_ids(connection, where, {(m.name, m.unit) for m in outcome.measurements})
        connection.execute(_MEASURED, _rows(outcome, run_id, ids))
    return True


def read(connection: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]]) -> dict[int, list[Outcome]]:
    """The outcomes of the runs that meet the conditions, by the run's row, in order of their first writing."""
    runs = sa.select(_R.id).where(*conditions)
    wanted = sa.select(_O.run_id, _O.data).where(_O.run_id.in_(runs)).order_by(_O.id)
    found: dict[int, list[Outcome]] = {}
    for run_id, data in connection.execute(wanted):
        found.setdefault(run_id, []).append(_outcome(data))
    return found


def _outcome(data: Any) -> Outcome:
    if not isinstance(data, dict):
        raise ValueError("an outcome is a mapping")
    return Outcome.from_data(data)


def _series_ids(
    connection: sa.Connection, where: dict[str, str], wanted: set[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """The rows of the series by name and unit, made where they are new."""
    ids = _known(connection, where)
    new = sorted(wanted - ids.keys())
    if not new:
        return ids
    same = {"environment": where["of_environment"], "criterion": where["of_criterion"]}
    rows = [{**same, "name": name, "unit": unit} for name, unit in new]
    upsert(connection, SERIES, rows, ("environment", "criterion", "name", "unit"))
    return _known(connection, where)


def _known(connection: sa.Connection, where: dict[str, str]) -> dict[tuple[str, str], int]:
    return {(name, unit): found for name, unit, found in connection.execute(_KNOWN, where)}


def _rows(outcome: Outcome, run_id: int, ids: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    return [
        {
            "series_id": ids[m.name, m.unit], "at": outcome.started_at, "run_id": run_id, "position": position,
            "value": m.value, "warning": as_float(m.warning), "critical": as_float(m.critical),
            "higher": m.better == "higher", "inclusive": m.inclusive,
            "samples": None if m.samples is None else min(m.samples, _LARGEST),
        }
        for position, m in enumerate(outcome.measurements)
    ]  # fmt: skip
