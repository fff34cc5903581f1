"""What must always be true of the data is true.

Why: totals that do not add up mean that data was lost or written twice, whatever the server says of itself.
When it fails: take the rows in the evidence to whoever knows this part; compare with the last backup.
"""

from decimal import Decimal
from typing import Any

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, DatabaseRef
from golive.targets.postgres import Database, Row
from golive.targets.postgres_errors import DatabaseTrouble
from golive.targets.said import gist, shortened

_SHOWN = 3
_READ = 200


class Params(CheckParams):
    database: DatabaseRef
    invariants: dict[str, str] = Field(
        description="queries by the name of what must hold; each gives the rows that break it, or their number"
    )

    def asserts_nothing(self) -> str | None:
        return None if self.invariants else "'invariants' is empty"


def test_invariants_hold(criterion: Params, database: Database, measure: Measure, evidence: EvidenceSink) -> None:
    for name, sql in criterion.invariants.items():
        try:
            found = database.rows(sql, at_most=_READ)
        except DatabaseTrouble as problem:
            measure.unknown(f"{name}: {problem}")
            continue
        if found == [(None,)]:
            measure.unknown(f"{name}: the query gives NULL, which says neither yes nor no")
            continue
        broken, rows = _broken(found)
        if rows:
            evidence(name, "\n".join(map(_shown, rows[:_SHOWN])))
        more = "or more, " if len(rows) == _READ else ""
        detail = f"{more}first: {'; '.join(map(_shown, rows[:_SHOWN]))}" if rows else ""
        measure(broken, unit="violations", name=name, critical=0, inclusive=True, detail=shortened(detail, 300))


def _broken(found: list[Row]) -> tuple[float, list[Row]]:
    """How many violations there are, and the rows that show them: a single number is itself the count."""
    value: Any = found[0][0] if len(found) == 1 and len(found[0]) == 1 else None
    if isinstance(value, int | float | Decimal):
        return float(value), []
    return len(found), found


def _shown(row: Row) -> str:
    return gist(f"({', '.join(str(value)[:80] for value in row)})", 200)
