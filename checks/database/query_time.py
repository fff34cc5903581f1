"""The system's own queries stay below their limit.

Why: a query that takes half a second holds up every page that needs it.
When it fails: run EXPLAIN (ANALYZE, BUFFERS) on the query that is named, look for a missing index or stale statistics.
"""

from statistics import median
from typing import Annotated

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, DatabaseRef, Milliseconds
from golive.targets.postgres import Database
from golive.targets.postgres_errors import Cause, DatabaseTrouble


class Params(CheckParams):
    database: DatabaseRef
    queries: dict[str, str] = Field(description="reading statements by name, as the system itself runs them")
    samples: Annotated[int, Field(ge=1, le=20)] = 3
    warning: Milliseconds | None = None
    critical: Milliseconds = 500.0

    def asserts_nothing(self) -> str | None:
        return None if self.queries else "'queries' is empty"


def test_queries_stay_below_limit(
    criterion: Params, database: Database, measure: Measure, evidence: EvidenceSink
) -> None:
    seen = []
    for name, sql in criterion.queries.items():
        try:
            times_ms = _execution_times_ms(database, sql, criterion)
        except DatabaseTrouble as problem:
            _tell(problem, name, database.section.statement_timeout * 1000, criterion, measure)
            continue
        seen.append(f"{name}: {', '.join(f'{t:.2f}' for t in times_ms)} ms")
        measure(
            median(times_ms),
            unit="ms",
            name=name,
            warning=criterion.warning,
            critical=criterion.critical,
            samples=len(times_ms),
            detail="as the server measured it",
        )
    evidence("execution times", "\n".join(seen))


def _execution_times_ms(database: Database, sql: str, criterion: Params) -> list[float]:
    """One sample is enough of a query that is far beyond its limit."""
    times = [database.explain_ms(sql)]
    while len(times) < criterion.samples and times[0] < 2 * criterion.critical:
        times.append(database.explain_ms(sql))
    return times


def _tell(problem: DatabaseTrouble, name: str, given_ms: float, criterion: Params, measure: Measure) -> None:
    # The server itself gave up after a time that is already beyond the limit, so the query is too slow.
    if problem.cause is Cause.TIMEOUT and given_ms >= criterion.critical and "statement" in problem.words:
        measure.fail(f"{name}: not finished after {given_ms:.0f} ms, below {criterion.critical:.0f} ms needed")
    else:
        measure.unknown(f"{name}: {problem}")
