"""The database has connections left.

Why: when all are in use, the next request that needs one fails.
When it fails: see in the evidence who holds them, look for a pool that leaks or was sized for fewer processes.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, DatabaseRef, Duration, Percent
from golive.targets.postgres import Database
from golive.targets.postgres_errors import Cause, DatabaseTrouble
from golive.targets.transactions import longest_idle, open_transactions

_HELD = """
SELECT count(*), usename, application_name, coalesce(state, 'starting') FROM pg_stat_activity
WHERE backend_type = 'client backend' GROUP BY 2, 3, 4 ORDER BY 1 DESC
"""


class Params(CheckParams):
    database: DatabaseRef
    warning: Percent | None = None
    critical: Percent = 80.0
    idle_limit: Duration = Field(
        60.0, description="how long a connection may be held by a transaction that does nothing"
    )
    except_applications: tuple[str, ...] = Field(("pg_dump",), description="application names that may take longer")


def test_connections_are_left(criterion: Params, database: Database, measure: Measure, evidence: EvidenceSink) -> None:
    try:
        database.require_activity()
        held = database.rows(_HELD)
    except DatabaseTrouble as problem:
        if problem.cause is not Cause.EXHAUSTED:
            raise
        # Being turned away for want of a connection is the answer to the question.
        percent, detail = 100.0, problem.words
    else:
        evidence(
            "connections", "\n".join(f"{n} {who or '?'} {app or 'unnamed'} {state}" for n, who, app, state in held)
        )
        used, allowed = sum(row[0] for row in held), _allowed(database)
        percent, detail = 100 * used / allowed, f"{used} of {allowed} that are not reserved"
    measure(
        percent,
        unit="%",
        name="connections in use",
        warning=criterion.warning,
        critical=criterion.critical,
        detail=detail,
    )
    if percent < 100:
        idle_s, whose = longest_idle(open_transactions(database, criterion.except_applications))
        measure(idle_s, unit="s", name="longest idle in transaction", critical=criterion.idle_limit, detail=whose)


def _allowed(database: Database) -> int:
    return max(1, database.server.max_connections - database.server.reserved_connections)
