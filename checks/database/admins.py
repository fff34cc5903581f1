"""Nobody is an administrator of the application who is not expected to be.

Why: an account that gives itself rights, or was given them in a hurry, is how a breach stays.
When it fails: find out who created the account and when, take its rights, and end its sessions.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, DatabaseRef
from golive.targets.postgres import Database
from golive.targets.said import gist


class Params(CheckParams):
    database: DatabaseRef
    query: str = Field(description="a query whose first column names the privileged users of the application")
    expected: tuple[str, ...] = Field(description="those who may be among them; none with []")


def test_only_expected_users_are_administrators(
    criterion: Params, database: Database, measure: Measure, evidence: EvidenceSink
) -> None:
    found = [gist(str(row[0]), 80) for row in database.rows(criterion.query)]
    evidence("privileged users", "\n".join(found) or "none")
    unexpected = [name for name in found if name not in criterion.expected]
    measure(
        len(unexpected),
        unit="users",
        name="unexpected administrators",
        critical=0,
        inclusive=True,
        detail=", ".join(unexpected[:10]),
    )
    if criterion.expected and not found:
        measure.unknown("the query finds none of the expected administrators either, so it may look at the wrong thing")
