"""A token says when it ends, and that is soon enough.

Why: a stolen token is as good as a password until it ends.
When it fails: lower the lifetime in the application's configuration, then end all sessions.
"""

from typing import Any

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, Duration
from golive.model import CouldNotLook
from golive.targets.accounts import Account
from golive.targets.expectations import is_number
from golive.targets.tokens import decode


class Params(CheckParams):
    account: AccountRef = Field(alias="as")
    at_most: Duration = Field(description="longest lifetime, from 'iat' to 'exp'")


def test_token_ends_soon_enough(criterion: Params, account: Account, measure: Measure, evidence: EvidenceSink) -> None:
    jwt = decode(account.login().token)
    if jwt is None:
        raise CouldNotLook(f"the token of {account.name} is no JWT: judge its session with cache/session_ttl instead")
    issued: Any = jwt.claims.get("iat")
    ends: Any = jwt.claims.get("exp")
    evidence("claims", f"names: {', '.join(jwt.claims)}\niat: {issued}\nexp: {ends}")
    assert is_number(ends), f"the token of {account.name} never ends: it has no 'exp'"
    assert is_number(issued), f"the token of {account.name} has no 'iat', so its lifetime cannot be told"
    measure(ends - issued, unit="s", name="lifetime", critical=criterion.at_most, inclusive=True)
