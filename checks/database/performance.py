"""Queries run as fast as at the first look.

Why: a slow-down shows in the database before users complain, and more than twice as slow is an incident.
When it fails: look at what runs now (pg_stat_activity), what was deployed, and the plan of the query that is named.
"""

from typing import Annotated, Any

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, DatabaseRef, Duration, Milliseconds
from golive.model import utc_text
from golive.targets.postgres import Database
from golive.targets.postgres_errors import Cause, DatabaseTrouble
from golive.targets.said import gist

_LONGEST_ACTIVE = """
SELECT extract(epoch FROM clock_timestamp() - query_start)::float8, pid, application_name, left(query, 120)
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND state = 'active'
    AND application_name <> 'golive' AND NOT application_name = ANY(%s)
ORDER BY query_start LIMIT 5
"""
_EXTENSION = """
SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
"""
_TOTALS = """
SELECT coalesce(sum({total}), 0)::float8, coalesce(sum(calls), 0)::float8 FROM {schema}.pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Params(CheckParams):
    database: DatabaseRef
    limit: Duration = Field(30.0, description="longest that a query may have been running at the time of the look")
    except_applications: tuple[str, ...] = Field(("pg_dump",), description="application names that may take longer")
    queries: dict[str, str] = Field({}, description="reading statements by name that are compared with the first look")
    critical: Milliseconds | None = Field(None, description="what a query may take at most, also at the first look")
    factor: Annotated[float, Field(gt=1)] = Field(
        2.0, description="how many times slower than at the first look is bad"
    )
    floor: Milliseconds = Field(20.0, description="below this a query is fast enough, however it compares")


def test_queries_run_as_fast_as_at_first(
    criterion: Params,
    criterion_id: str,
    database: Database,
    context: RunContext,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    database.require_activity()
    _judge_active(criterion, database, measure, evidence)
    key = f"database:{criterion_id}:first"
    deployed = context.environment.deployment.deployed_at
    stamp = utc_text(deployed) if deployed else ""
    first = context.state.committed(key)
    if not isinstance(first, dict) or first.get("deployed_at") != stamp:
        first = {"deployed_at": stamp}
        measure.note("first look since deployment: nothing earlier to compare with")
    now_ms = _measured(criterion, first, database, measure)
    statements = _mean_of_statements(database, f"database:{criterion_id}:statements", context)
    if statements is None:
        named = len(criterion.queries)
        compared = f"{named} queries are" if named else "only running queries are"
        measure.note(f"pg_stat_statements is not installed, so {compared} judged")
    else:
        now_ms["mean of all statements"] = statements
    _compare(now_ms, first, criterion, measure)
    context.state.put(key, {**now_ms, **first})


def _judge_active(criterion: Params, database: Database, measure: Measure, evidence: EvidenceSink) -> None:
    active = database.rows(_LONGEST_ACTIVE, [list(criterion.except_applications)])
    evidence(
        "longest active queries",
        "\n".join(f"{age:.1f} s, pid {pid}, {app or 'unnamed'}: {query}" for age, pid, app, query in active) or "none",
    )
    age, detail = 0.0, ""
    if active:
        age, pid, application, query = active[0]
        detail = f"pid {pid}, {application or 'unnamed'}: {gist(query, 120)}"
    measure(age, unit="s", name="longest active query", critical=criterion.limit, detail=detail)


def _measured(criterion: Params, first: dict[str, Any], database: Database, measure: Measure) -> dict[str, float]:
    """Execution times in ms by name; what could not be measured, or not to its end, is told at once."""
    now_ms = {}
    for query, sql in criterion.queries.items():
        name = f"query {query}"
        try:
            now_ms[name] = _best_ms(database, sql, criterion.floor)
        except DatabaseTrouble as problem:
            limit_ms, given_ms = _limit_ms(first.get(name), criterion), database.section.statement_timeout * 1000
            too_slow = problem.cause is Cause.TIMEOUT and limit_ms is not None and given_ms >= limit_ms
            (measure.fail if too_slow else measure.unknown)(f"{name}: {problem}")
    return now_ms


def _best_ms(database: Database, sql: str, floor_ms: float) -> float:
    """The best of three, or the first that is fast enough: what disturbs a query for a moment is no slow-down."""
    best = database.explain_ms(sql)
    for _ in range(2):
        best = best if best < floor_ms else min(best, database.explain_ms(sql))
    return best


def _mean_of_statements(database: Database, key: str, context: RunContext) -> float | None:
    """Mean execution time in ms of all statements since the last look, or None where the server does not keep it."""
    schema = database.rows(_EXTENSION)
    if not schema:
        return None
    total_column = "total_exec_time" if database.server.version_number >= 130000 else "total_time"
    total, calls = database.row(_TOTALS.format(total=total_column, schema=schema[0][0]))
    last: Any = context.state.committed(key)
    context.state.put(key, {"total": total, "calls": calls})
    if isinstance(last, dict) and last["calls"] < calls and last["total"] <= total:
        total, calls = total - last["total"], calls - last["calls"]
    return total / calls if calls else 0.0


def _compare(now_ms: dict[str, float], first: dict[str, Any], criterion: Params, measure: Measure) -> None:
    for name, value in now_ms.items():
        base = first.get(name)
        detail = "" if base is None else f"{base:.2f} ms at the first look"
        measure(value, unit="ms", name=name, critical=_limit_ms(base, criterion), detail=detail)


def _limit_ms(base: float | None, criterion: Params) -> float | None:
    limits = [] if base is None else [max(base * criterion.factor, criterion.floor)]
    return min(limits if criterion.critical is None else [*limits, criterion.critical], default=None)
