"""No transaction stays open for long.

Why: an open transaction keeps its locks, and keeps the server from cleaning up behind everybody else.
When it fails: find the code that began the transaction which is named; end it with pg_terminate_backend(pid).
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, DatabaseRef, Duration
from golive.targets.postgres import Database
from golive.targets.transactions import longest_idle, open_transactions


class Params(CheckParams):
    database: DatabaseRef
    limit: Duration = Field(300.0, description="how long a transaction may be open, prepared ones included")
    idle_limit: Duration = Field(60.0, description="how long an open transaction may do nothing")
    except_applications: tuple[str, ...] = Field(("pg_dump",), description="application names that may take longer")


def test_no_transaction_stays_open_for_long(
    criterion: Params, database: Database, measure: Measure, evidence: EvidenceSink
) -> None:
    transactions = open_transactions(database, criterion.except_applications)
    evidence("open transactions", "\n".join(f"{t.age_s:.1f} s, idle {t.idle_s:.1f} s: {t.told}" for t in transactions))
    age_s, whose = (transactions[0].age_s, transactions[0].told) if transactions else (0.0, "")
    measure(age_s, unit="s", name="longest transaction", critical=criterion.limit, detail=whose)
    idle_s, whose = longest_idle(transactions)
    measure(idle_s, unit="s", name="longest idle in transaction", critical=criterion.idle_limit, detail=whose)
