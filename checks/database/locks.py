"""No session waits for a lock, and no deadlock has occurred.

Why: one forgotten transaction can stop every sale behind it.
When it fails: look at the blocking session that is named; end it with pg_terminate_backend(pid) if it is safe to.
"""

import time
from datetime import datetime
from typing import Any

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Count, DatabaseRef, Duration
from golive.model import utc_text
from golive.targets.postgres import Database, Row
from golive.targets.said import gist
from golive.targets.transactions import longest_idle, open_transactions

# A blocker that waits for nothing itself is the root, and comes first.
_BLOCKED = """
SELECT w.pid, w.application_name, extract(epoch FROM clock_timestamp() - coalesce({since}, w.query_start))::float8,
       left(w.query, 120), b.pid, b.application_name, b.query_start, left(b.query, 120), b.state
FROM pg_stat_activity w
CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS blocking(pid)
LEFT JOIN pg_stat_activity b ON b.pid = blocking.pid
WHERE w.datname = current_database() AND w.wait_event_type = 'Lock'
ORDER BY b.wait_event_type IS NOT DISTINCT FROM 'Lock', 3 DESC
"""
_SINCE = "(SELECT min(l.waitstart) FROM pg_locks l WHERE l.pid = w.pid AND NOT l.granted)"
_DEADLOCKS = "SELECT deadlocks, stats_reset FROM pg_stat_database WHERE datname = current_database()"


class Params(CheckParams):
    database: DatabaseRef
    waiting: Duration = Field(5.0, description="how long a session may wait for a lock")
    between: Duration = Field(0.2, description="time between two readings; a session must be blocked in both")
    idle_limit: Duration | None = Field(None, description="how long a transaction may keep its locks and do nothing")
    except_applications: tuple[str, ...] = Field(("pg_dump",), description="application names that may take longer")
    deadlocks: Count = Field(0, description="how many deadlocks since the last look are accepted")


def test_no_session_waits_for_a_lock(
    criterion: Params,
    criterion_id: str,
    database: Database,
    context: RunContext,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    database.require_activity()
    blocked = _blocked_twice(database, criterion.between)
    evidence("blocked sessions", "\n".join(map(_told, blocked)) or "none")
    worst = blocked[0] if blocked else None
    measure(len({row[0] for row in blocked}), unit="sessions", name="blocked sessions")
    measure(
        max((row[2] for row in blocked), default=0.0),
        unit="s",
        name="longest wait for a lock",
        critical=criterion.waiting,
        detail=_told(worst) if worst else "",
    )
    if criterion.idle_limit is not None:
        idle_s, whose = longest_idle(open_transactions(database, criterion.except_applications))
        measure(idle_s, unit="s", name="longest idle in transaction", critical=criterion.idle_limit, detail=whose)
    _judge_deadlocks(criterion, f"database:{criterion_id}:deadlocks", database, context, measure)


def _blocked_twice(database: Database, between_s: float) -> list[Row]:
    """Sessions blocked in two readings; one row for each session and blocker."""
    since = _SINCE if database.server.version_number >= 140000 else "w.state_change"
    first = {row[0] for row in database.rows(_BLOCKED.format(since=since))}
    if not first:
        return []
    time.sleep(between_s)
    return [row for row in database.rows(_BLOCKED.format(since=since)) if row[0] in first]


def _told(row: Row) -> str:
    pid, application, waited_s, query, by_pid, by_application, by_start, by_query, by_state = row
    blocker = "a prepared transaction or a session that has ended"
    if by_pid:
        doing = f"{by_state or 'at work'}, query of {_moment(by_start)}: {gist(by_query or '', 120)}"
        blocker = f"pid {by_pid} ({by_application or 'unnamed'}, {doing})"
    return f"pid {pid} ({application or 'unnamed'}: {gist(query, 120)}) has waited {waited_s:.1f} s for {blocker}"


def _moment(moment: datetime | None) -> str:
    return utc_text(moment)[:19] + "Z" if moment else "an unknown time"


def _judge_deadlocks(criterion: Params, key: str, database: Database, context: RunContext, measure: Measure) -> None:
    count, reset_at = database.row(_DEADLOCKS)
    last: Any = context.state.committed(key)
    reset = utc_text(reset_at) if reset_at else None
    context.state.put(key, {"count": count, "reset": reset})
    deployed = context.environment.deployment.deployed_at
    if isinstance(last, dict):
        # A counter that began anew has only what is new; after a crash it does so without a date.
        begun_anew = last["reset"] != reset or last["count"] > count
        new, since = (count, "its reset") if begun_anew else (count - last["count"], "the last look")
    elif count == 0 or (reset_at and deployed and reset_at >= deployed):
        new, since = count, "deployment" if count == 0 else "its reset, which was after deployment"
    else:
        measure.note(f"{count} deadlocks so far, of unknown age: counted from now on")
        return
    measure(
        new,
        unit="deadlocks",
        name="deadlocks",
        critical=criterion.deadlocks,
        inclusive=True,
        detail=f"since {since}",
    )
