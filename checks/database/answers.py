"""The database answers a query within its limit.

Why: without its database the system can neither sell nor show anything.
When it fails: read the server's log, look whether its process runs and its disk has room, then restart or fail over.
"""

from fixtures.measure import Measure
from golive.environment.params import CheckParams, DatabaseRef, Milliseconds
from golive.targets.postgres import Database
from golive.targets.postgres_errors import Cause, DatabaseTrouble

# Here the fault is not, or not surely, the server's.
_OURS = frozenset({Cause.UNRESOLVED, Cause.ROLE_LIMIT, Cause.OTHER})


class Params(CheckParams):
    database: DatabaseRef
    warning: Milliseconds | None = None
    critical: Milliseconds = 1000.0


def test_database_answers_within_limit(criterion: Params, database: Database, measure: Measure) -> None:
    try:
        took_ms = database.answer_ms()
    except DatabaseTrouble as problem:
        if problem.cause in _OURS:
            raise
        measure.fail(str(problem))
        return
    measure(
        took_ms,
        unit="ms",
        name="answer",
        warning=criterion.warning,
        critical=criterion.critical,
        subject=f"database {database.name}",
        detail="a new connection and SELECT 1",
    )
