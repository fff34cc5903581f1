"""The transactions that are open in a database, except the verifier's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from golive.targets.postgres import Database
from golive.targets.said import gist

_OPEN = """
SELECT extract(epoch FROM clock_timestamp() - xact_start)::float8,
       CASE WHEN state LIKE 'idle in transaction%%'
            THEN extract(epoch FROM clock_timestamp() - state_change)::float8 ELSE 0 END,
       format('pid %%s (%%s, %%s, %%s: ', pid, usename, coalesce(nullif(application_name, ''), 'unnamed'), state),
       left(query, 120)
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start IS NOT NULL
    AND application_name <> 'golive' AND NOT application_name = ANY(%s)
UNION ALL
SELECT extract(epoch FROM clock_timestamp() - prepared)::float8, 0,
       format('prepared transaction of %%s (', owner), gid
FROM pg_prepared_xacts WHERE database = current_database()
ORDER BY 1 DESC
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTransaction:
    """One transaction: how long it has been open, for how long it has done nothing, and whose it is in words."""

    age_s: float
    idle_s: float
    told: str


def open_transactions(database: Database, except_applications: Sequence[str]) -> list[OpenTransaction]:
    """Oldest first, prepared ones included. DatabaseTrouble where the role may not see them."""
    database.require_activity()
    rows = database.rows(_OPEN, [list(except_applications)])
    return [OpenTransaction(age_s=row[0], idle_s=row[1], told=f"{row[2]}{gist(row[3], 120)})") for row in rows]


def longest_idle(transactions: Sequence[OpenTransaction]) -> tuple[float, str]:
    """For how long the one that has been idle longest has been so, and whose it is; (0, "") without any."""
    worst = max(transactions, key=lambda t: t.idle_s, default=None)
    return (worst.idle_s, worst.told) if worst and worst.idle_s else (0.0, "")
