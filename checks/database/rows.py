"""A query finds as many rows as there must be.

Why: an empty or shrunken table is what a failed migration, a wrong database or a deletion by mistake leaves behind.
When it fails: look which database the system is connected to, then at the last migration and the last backup.
"""

from typing import Any

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import Measure
from golive.environment.params import CheckParams, Count, DatabaseRef, Percent
from golive.targets.postgres import Database


class Params(CheckParams):
    database: DatabaseRef
    query: str = Field(description="a query that gives one number, as in 'SELECT count(*) FROM users'")
    at_least: Count = 1
    at_most: Count | None = None
    keep: Percent | None = Field(None, description="share of the number at the first look that must still be there")

    def asserts_nothing(self) -> str | None:
        if self.at_least == 0 and self.at_most is None and self.keep is None:
            return "'at_least' is 0, and there is neither 'at_most' nor 'keep'"
        return None


def test_query_finds_enough_rows(
    criterion: Params, criterion_id: str, database: Database, context: RunContext, measure: Measure
) -> None:
    count = database.number(criterion.query)
    key = f"database:{criterion_id}:first"
    first: Any = context.state.committed(key)
    measure(count, unit="rows", name="rows", critical=criterion.at_least, better="higher")
    if criterion.at_most is not None:
        measure(count, unit="rows", name="rows at most", critical=criterion.at_most, inclusive=True)
    if criterion.keep is not None and isinstance(first, int | float):
        wanted = first * criterion.keep / 100
        detail = f"{first:g} at the first look"
        measure(count, unit="rows", name="rows kept", critical=wanted, better="higher", detail=detail)
    context.state.put(key, count if first is None else first)
