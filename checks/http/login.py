"""A user can log in, and is then known as that user.

Why: without a login nobody can work; a session that belongs to somebody else is worse.
When it fails: log in by hand with the same account; compare the clocks of both machines if only the code is refused.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, Request
from golive.targets.accounts import Account, Login, LoginBroken
from golive.targets.expectations import same, shown
from golive.targets.http import NoAnswer
from golive.targets.paths import value_at


class Params(CheckParams):
    account: AccountRef = Field(alias="as")
    profile: Request = Field(Request("GET", "/api/me"), description="request that answers who is logged in")
    same_user_at: str = Field("username", description="dotted path of the user's name in the profile")


def test_user_can_log_in_and_is_known_as_that_user(
    criterion: Params, account: Account, measure: Measure, evidence: EvidenceSink
) -> None:
    login = _logged_in(account)
    measure(login.answer.total_ms, unit="ms", name="login")
    answer = account.send(criterion.profile)
    evidence("profile", answer.shown)
    if not answer.ok:
        measure.fail(f"{answer.told} right after a login")
        return
    user = value_at(answer.json(), criterion.same_user_at)
    if not same(user, account.username):
        where = criterion.same_user_at
        measure.fail(f"{answer.told} with {where} {shown(user)}, but {shown(account.username)} has logged in")


def _logged_in(account: Account) -> Login:
    """A server that answers logins with errors has been looked at: here that is a failure."""
    try:
        return account.login()
    except LoginBroken as error:
        raise AssertionError(str(error)) from None
    except NoAnswer as error:
        if error.tells_of_the_server:
            raise AssertionError(str(error)) from None
        raise
