"""A session is over once its user has logged out.

Why: whoever copied the token, or sits down at the same till, must not go on in the user's name.
When it fails: the server does not remember ended sessions, or does not look; shorten token lifetimes until it does.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, Request
from golive.model import CouldNotLook
from golive.targets.accounts import Account


class Params(CheckParams):
    account: AccountRef = Field(alias="as", description="an account whose session no other check uses")
    request: Request = Field(Request("GET", "/api/me"), description="request that needs a session")
    logout: Request | None = Field(None, description="by default the endpoint's login.logout")
    status: int = Field(401, description="exactly this status is a refusal")


def test_session_is_over_after_logout(
    criterion: Params, account: Account, measure: Measure, evidence: EvidenceSink
) -> None:
    logout = criterion.logout or account.how.logout
    if logout is None:
        raise CouldNotLook(f"neither the criterion nor the login of {account.client.name} names a 'logout'")
    login = account.fresh()
    before = account.send(criterion.request, login=login)
    ended = account.send(logout, login=login)
    after = account.send(criterion.request, login=login)
    evidence("session", "\n".join(answer.told for answer in (before, ended, after)))
    if not before.ok:
        measure.fail(f"{before.told} before the logout already, so that nothing is proven")
    if not ended.ok:
        measure.fail(f"{ended.told}: the logout itself does not work")
    if after.ok:
        measure.fail(f"the token is still accepted after the logout: {after.told}")
    elif after.status != criterion.status:
        measure.fail(f"{after.told} after the logout, {criterion.status} needed")
    measure.note(f"{after.told} after the logout")
