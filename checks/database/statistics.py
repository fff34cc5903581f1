"""The database's own statistics are recorded, and show that it works.

Why: commits, rollbacks and sessions over the day tell when something began to go wrong.
When it fails: without commits look whether the application reaches the database; for rollbacks read its error log.
"""

from datetime import datetime
from typing import Any

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import Measure
from golive.environment.params import CheckParams, Count, DatabaseRef, Duration, Percent
from golive.model import utc_text
from golive.targets.postgres import Database

_STATISTICS = """
SELECT numbackends, xact_commit, xact_rollback, stats_reset, pg_postmaster_start_time()
FROM pg_stat_database WHERE datname = current_database()
"""


class Params(CheckParams):
    database: DatabaseRef
    rollback_share: Percent | None = Field(None, description="share of transactions since the last look that may fail")
    at_least_transactions: Count = Field(100, description="with fewer since the last look their share is not judged")
    quiet_for: Duration = Field(60.0, description="with the last look longer ago, there must have been a commit since")


def test_statistics_are_recorded(
    criterion: Params, criterion_id: str, database: Database, context: RunContext, now: datetime, measure: Measure
) -> None:
    found = database.rows(_STATISTICS)
    assert found, f"database {database.name}: pg_stat_database has no row for it"
    backends, commits, rollbacks, reset_at, started_at = found[0]
    measure(backends, unit="sessions", name="backends")
    measure(commits, unit="transactions", name="commits")
    measure(rollbacks, unit="transactions", name="rollbacks")
    key = f"database:{criterion_id}:transactions"
    last: Any = context.state.committed(key)
    # Counters of another server, or of this one after a crash, count from another beginning.
    reset = utc_text(max(reset_at, started_at) if reset_at else started_at)
    context.state.put(key, {"commits": commits, "rollbacks": rollbacks, "reset": reset, "at": utc_text(now)})
    if not isinstance(last, dict) or last["reset"] != reset or last["commits"] > commits:
        measure.note("first look at these counters: nothing earlier to compare with")
        return
    _judge_since(criterion, commits - last["commits"], rollbacks - last["rollbacks"], measure)
    elapsed_s = (now - datetime.fromisoformat(last["at"])).total_seconds()
    if elapsed_s >= criterion.quiet_for and commits == last["commits"]:
        measure.fail(f"database {database.name}: not one commit in the {elapsed_s:.0f} s since the last look")


def _judge_since(criterion: Params, commits: int, rollbacks: int, measure: Measure) -> None:
    done = commits + rollbacks
    if criterion.rollback_share is None or done < max(1, criterion.at_least_transactions):
        measure.note(f"{commits} commits and {rollbacks} rollbacks since the last look")
        return
    measure(
        100 * rollbacks / done,
        unit="%",
        name="rollback share",
        critical=criterion.rollback_share,
        samples=done,
        detail=f"{rollbacks} of {done} transactions since the last look",
    )
