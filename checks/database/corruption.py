"""No data is damaged, as far as the server can tell.

Why: damaged pages spread into every backup that is taken after them.
When it fails: stop writing, keep the damaged files, restore the last good backup beside them, and check the hardware.
"""

import time
from typing import Any

from pydantic import Field

from fixtures.measure import Measure
from golive.environment.params import CheckParams, DatabaseRef, Duration
from golive.targets.postgres import Database
from golive.targets.postgres_errors import Cause, DatabaseTrouble

_FAILURES = """
SELECT coalesce(datname, 'shared objects'), checksum_failures FROM pg_stat_database WHERE checksum_failures > 0
ORDER BY 2 DESC
"""
_INVALID = """
SELECT indexrelid::regclass::text FROM pg_index i WHERE NOT (indisvalid AND indisready AND indislive)
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
ORDER BY 1
"""
_AMCHECK = """
SELECT quote_ident(n.nspname), has_function_privilege(p.oid, 'EXECUTE')
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = 'bt_index_check' AND p.pronargs = 1
WHERE e.extname = 'amcheck'
"""
_TREES = """
SELECT c.oid, c.oid::regclass::text FROM pg_class c
JOIN pg_am a ON a.oid = c.relam JOIN pg_index i ON i.indexrelid = c.oid
WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence = 'p' AND i.indisvalid ORDER BY c.relpages, c.oid
"""


class Params(CheckParams):
    database: DatabaseRef
    require_checksums: bool = Field(False, description="fail when the server does not keep data checksums")
    index_time: Duration = Field(1.0, description="time for verifying indexes with amcheck, where it is installed")


def test_no_data_is_damaged(criterion: Params, database: Database, measure: Measure) -> None:
    _judge_checksums(criterion, database, measure)
    invalid = [row[0] for row in database.rows(_INVALID)]
    detail = f"{', '.join(invalid[:5])}: REINDEX or drop" if invalid else ""
    measure(len(invalid), unit="indexes", name="invalid indexes", critical=0, inclusive=True, detail=detail)
    _judge_trees(criterion.index_time, database, measure)


def _judge_checksums(criterion: Params, database: Database, measure: Measure) -> None:
    if not database.server.data_checksums:
        words = (
            f"database {database.name}: data checksums are off, so damaged pages go unnoticed (pg_checksums --enable)"
        )
        (measure.fail if criterion.require_checksums else measure.unknown)(words)
        return
    damaged = database.rows(_FAILURES)
    measure(
        sum(row[1] for row in damaged),
        unit="failures",
        name="checksum failures",
        critical=0,
        inclusive=True,
        detail=", ".join(f"{row[0]}: {row[1]}" for row in damaged[:5]),
    )


def _judge_trees(within_s: float, database: Database, measure: Measure) -> None:
    """Verify as many B-tree indexes as the time allows, smallest first."""
    usable = database.rows(_AMCHECK)
    if not usable or not usable[0][1]:
        why = f"the role {database.server.role} may not use it" if usable else "it is not installed"
        measure.note(f"indexes were not verified by amcheck, as {why}")
        return
    statement = f"SELECT {usable[0][0]}.bt_index_check(%s::oid::regclass)"
    trees, verified, until = database.rows(_TREES, at_most=100_000), 0, time.monotonic() + within_s
    for oid, name in trees:
        if time.monotonic() > until or not _verified(database, statement, oid, name, measure):
            break
        verified += 1
    measure.note(f"{verified} of {len(trees)} indexes verified by amcheck")


def _verified(database: Database, statement: str, oid: Any, name: str, measure: Measure) -> bool:
    try:
        database.rows(statement, [oid])
    except DatabaseTrouble as problem:
        if problem.cause is Cause.CORRUPT:
            measure.fail(f"index {name}: {problem}")
            return True
        if problem.cause is not Cause.TIMEOUT:
            raise
        return False
    return True
