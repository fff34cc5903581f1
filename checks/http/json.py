"""A route answers with JSON that holds what it must.

Why: a route can answer 200 with nothing in it; what its users rely on is the content.
When it fails: compare the value that is named with what the route gave at the last good run.
"""

from typing import Any

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, EndpointRef, Request
from golive.targets.accounts import Account
from golive.targets.expectations import Expectations, breaches
from golive.targets.http import Client


class Params(CheckParams):
    endpoint: EndpointRef
    account: AccountRef | None = Field(None, alias="as", description="account whose session the request carries")
    request: Request
    body: Any = Field(None, description="sent as JSON")
    status: int = 200
    expect: Expectations = Field(description="what the JSON must hold, by dotted path")

    def asserts_nothing(self) -> str | None:
        return None if self.expect else "'expect' is empty, so any JSON would do"


def test_route_answers_with_the_expected_json(
    criterion: Params, endpoint: Client, account: Account | None, measure: Measure, evidence: EvidenceSink
) -> None:
    headers = account.headers if account else None
    answer = endpoint.send(criterion.request, headers=headers, body=criterion.body)
    evidence("answer", answer.shown)
    measure(answer.total_ms, unit="ms", name="answered in")
    if answer.status != criterion.status:
        measure.fail(f"{answer.told}, {criterion.status} needed")
    for breach in breaches(answer.json(), criterion.expect):
        measure.fail(f"{criterion.request}: {breach}")
