"""A report that the application makes has the total that the database gives.

Why: people decide by reports; a total that is wrong, or a report that never comes, is noticed weeks later.
When it fails: if the report was not done, look at the queue and its worker; if the total differs, look for orders that
one side leaves out (cancelled ones, the edges of the day in local time).
"""

import time
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from fixtures.context import RunContext
from fixtures.journey import filled, with_values
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, Count, DatabaseRef, Duration, Request
from golive.model import CouldNotLook
from golive.targets.accounts import Account
from golive.targets.expectations import Expectations, breaches, is_number, shown
from golive.targets.paths import MISSING, value_at

if TYPE_CHECKING:
    from golive.targets.postgres import Database


class Params(CheckParams):
    account: AccountRef = Field(alias="as")
    database: DatabaseRef
    request: Request = Field(description="asks for the report; '{day}' is filled in")
    body: dict[str, Any] = Field({"day": "{day}"}, description="sent with it as JSON")
    id_at: str = Field("id", description="dotted path of the report's id in the answer")
    report: Request = Field(description="gives the report; '{id}' and '{day}' are filled in")
    done: Expectations = Field({"status": "done"}, description="what the report's JSON holds once it is made")
    within: Duration = Field(5.0, description="longest time that making it may take")
    totals: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        ("total",), description="dotted paths in the report, one for each column of the query"
    )
    query: str = Field(description="SQL that gives one row; '%(day)s' is filled in")
    days_ago: Count = Field(1, description="the day of the report, in UTC")
    tolerance: Annotated[float, Field(ge=0)] = Field(0.005, description="largest difference of a total")

    def asserts_nothing(self) -> str | None:
        if "%(day)s" not in self.query:
            return "'query' does not use %(day)s, so it is not about the day of the report"
        return None if self.done else "'done' is empty, so a report that is not made would count as done"


def test_report_has_the_total_of_the_database(
    criterion: Params,
    account: Account,
    database: "Database",
    context: RunContext,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    day = (context.now() - timedelta(days=criterion.days_ago)).date().isoformat()
    expected = _from_database(criterion, database, day)
    began = time.monotonic()
    report = _made(criterion, account, day)
    measure((time.monotonic() - began) * 1000, unit="ms", name="report made in")
    pairs = list(zip(criterion.totals, expected, strict=True))
    evidence("totals", "\n".join(f"{at}: report {value_at(report, at)}, database {total}" for at, total in pairs))
    for at, total in pairs:
        told = value_at(report, at)
        if not is_number(told) or abs(Decimal(str(told)) - total) > Decimal(str(criterion.tolerance)):
            measure.fail(f"{at} of {day} is {shown(told)} in the report and {total} in the database")
        else:
            measure.note(f"{at} of {day} is {total} in both")


def _from_database(criterion: Params, database: "Database", day: str) -> list[Decimal]:
    parts = criterion.query.split("%(day)s")
    rows = database.rows("%s".join(parts), [day] * (len(parts) - 1))
    if len(rows) != 1 or len(rows[0]) != len(criterion.totals):
        raise CouldNotLook(
            f"{database.name}: 'query' gave {len(rows)} rows of {len(rows[0]) if rows else 0} columns, "
            f"one row of {len(criterion.totals)} is needed"
        )
    if not any(rows[0]):
        raise CouldNotLook(f"{database.name}: nothing but zeros for {day}, so there is nothing to compare")
    return [Decimal(str(value or 0)) for value in rows[0]]


def _made(criterion: Params, account: Account, day: str) -> Any:
    asked = account.send(with_values(criterion.request, {"day": day}), body=filled(criterion.body, {"day": day}))
    assert asked.ok, f"{asked.told} when the report was requested"
    number = value_at(asked.json(), criterion.id_at)
    assert number is not MISSING, f"{asked.told} without a report's id at '{criterion.id_at}'"
    report = with_values(criterion.report, {"day": day, "id": number})
    end = time.monotonic() + criterion.within
    while True:
        answer = account.send(report)
        assert answer.ok, f"{answer.told} when the report was fetched"
        waiting = breaches(answer.json(), criterion.done)
        if not waiting:
            return answer.json()
        assert time.monotonic() < end, f"the report was not done within {criterion.within:g} s: {'; '.join(waiting)}"
        time.sleep(0.05)
