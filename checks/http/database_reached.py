"""The application itself reaches its database.

Why: a database that answers the verifier is of no use to an application with a wrong password or a dead pool.
When it fails: read the application's log for its last connection error; check its credentials and pool.
"""

from typing import Any

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, EndpointRef, Request
from golive.targets.accounts import Account, LoginBroken, LoginRefused
from golive.targets.expectations import Expectations, breaches
from golive.targets.http import Client


class Params(CheckParams):
    endpoint: EndpointRef
    account: AccountRef | None = Field(
        None, alias="as", description="an account that must be able to log in, which reads the database for certain"
    )
    request: Request = Field(
        Request("POST", "/api/auth/status"), description="a route that touches the database and says so"
    )
    body: Any = Field({}, description="sent as JSON")
    expect: Expectations = Field({"database": ("ok", "up", "connected")}, description="by dotted path")

    def asserts_nothing(self) -> str | None:
        return None if self.expect else "'expect' is empty, so the route need not have touched the database"


def test_application_reaches_its_database(
    criterion: Params, endpoint: Client, account: Account | None, measure: Measure, evidence: EvidenceSink
) -> None:
    answer = endpoint.send(criterion.request, body=criterion.body)
    evidence("answer", answer.shown)
    if answer.status >= 500:
        measure.fail(answer.told)
    for breach in breaches(answer.json(), criterion.expect):
        measure.fail(f"{criterion.request}: {breach}")
    if account is not None:
        _judge_login(account, measure)
    measure.note(f"{answer.told}: the application reaches its database")


def _judge_login(account: Account, measure: Measure) -> None:
    """A status route may answer without touching the database; a login cannot."""
    try:
        account.login()
    except (LoginBroken, LoginRefused) as error:
        measure.fail(str(error))
