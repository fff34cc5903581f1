"""The application reports that its security features are switched on.

Why: features that are switched off for a test or a demonstration tend to stay off.
When it fails: set the flag that is named in the application's configuration, and find out who changed it.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, EndpointRef, Request
from golive.targets.accounts import Account
from golive.targets.expectations import breaches
from golive.targets.http import Client


class Params(CheckParams):
    endpoint: EndpointRef
    account: AccountRef | None = Field(None, alias="as", description="account whose session the request carries")
    request: Request = Request("GET", "/health/detailed")
    flags: tuple[str, ...] = Field(description="dotted paths at which the JSON must hold true; '*' stands for each")

    def asserts_nothing(self) -> str | None:
        return None if self.flags else "'flags' is empty"


def test_security_features_are_switched_on(
    criterion: Params, endpoint: Client, account: Account | None, measure: Measure, evidence: EvidenceSink
) -> None:
    answer = endpoint.send(criterion.request, headers=account.headers if account else None)
    evidence("answer", answer.shown)
    off = breaches(answer.json(), dict.fromkeys(criterion.flags, True))
    for breach in off:
        measure.fail(f"{criterion.request}: {breach}")
    if not off:
        measure.note(f"on: {', '.join(criterion.flags)}")
