"""Tokens that are missing, forged, changed, expired or logged out are refused.

Why: a server that does not look at the signature lets anybody be anybody.
When it fails: the kinds of token that got in are named; check which algorithms and claims the server verifies, then
change the signing key and end all sessions.
"""

import time
from collections.abc import Callable
from typing import Any

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, Duration, Request
from golive.model import CouldNotLook
from golive.targets.accounts import Account, Login
from golive.targets.expectations import is_number
from golive.targets.tokens import decode, forge
from golive.targets.wire.answer import Answer

_LEEWAY_S = 0.1
_IN_USE_EVERY_S = 0.2


class Params(CheckParams):
    account: AccountRef = Field(alias="as")
    expired_as: AccountRef | None = Field(
        None, description="an account whose tokens expire within seconds: one is kept in use until then, and tried"
    )
    ended_as: AccountRef | None = Field(None, description="an account that is logged out to try its token afterwards")
    request: Request = Field(Request("GET", "/api/me"), description="request that needs a token")
    status: int = Field(401, description="exactly this status is a refusal")
    changed_claims: dict[str, Any] = Field(
        {}, description="claims to change under the original signature; by default those of role and tenant"
    )
    wait_at_most: Duration = Field(5.0, description="longest wait for the token of 'expired_as' to expire")


def test_tokens_that_are_not_valid_are_refused(
    criterion: Params,
    account: Account,
    account_named: Callable[[str], Account],
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    login = account.login()
    _control(criterion, account, login, measure)
    tried = [("no token", account.client.send(criterion.request))]
    for forgery in forge(login.token, now=time.time(), changed_claims=criterion.changed_claims):
        answer = account.client.send(criterion.request, headers=account.carrying(forgery.token))
        tried.append((forgery.name, answer))
    if criterion.ended_as is not None:
        tried.append(("logged out", _after_logout(criterion, account_named(criterion.ended_as), measure)))
    if criterion.expired_as is not None:
        tried.append(("really expired", _after_expiry(criterion, account_named(criterion.expired_as), measure)))
    evidence("tokens", "\n".join(f"{name}: {answer.status}" for name, answer in tried))
    _judge(tried, criterion, measure)


def _control(criterion: Params, account: Account, login: Login, measure: Measure) -> None:
    answer = account.send(criterion.request, login=login)
    if not answer.ok:
        measure.fail(f"{answer.told} to a valid token of {account.name}, so the refusals prove nothing")


def _judge(tried: list[tuple[str, Answer]], criterion: Params, measure: Measure) -> None:
    accepted = [name for name, answer in tried if answer.ok]
    if accepted:
        measure.fail(f"{criterion.request} accepts tokens that are not valid: {', '.join(accepted)}")
    for name, answer in tried:
        if answer.status == 429:
            measure.unknown(f"{answer.told} to {name}: too many requests, so nothing is known of this one")
        elif not answer.ok and answer.status != criterion.status:
            measure.fail(f"{answer.told} to {name}, {criterion.status} needed")
    if not measure.failures:
        measure.note(f"{len(tried)} kinds of invalid token refused with {criterion.status}, the valid one accepted")


def _after_logout(criterion: Params, account: Account, measure: Measure) -> Answer:
    if account.how.logout is None:
        raise CouldNotLook(f"the login of {account.client.name} names no 'logout', so 'ended_as' cannot be tried")
    login = account.fresh()
    _control(criterion, account, login, measure)
    account.send(account.how.logout, login=login)
    return account.send(criterion.request, login=login)


def _after_expiry(criterion: Params, account: Account, measure: Measure) -> Answer:
    """The answer to an expired token, kept in use until then, so that it is not merely an idle session that ended.

    When another check of this run has already seen such an answer, that one counts and the wait is saved.
    """
    for login, asked_at, answer in account.last_answers:
        ends = _end(login)
        if ends is not None and asked_at >= ends + _LEEWAY_S and answer.request == str(criterion.request):
            return answer
    login = account.fresh()
    if not account.send(criterion.request, login=login).ok:
        # A slow login alone can use up a session of a second; the next one is not likely to be slow as well.
        login = account.fresh()
        _control(criterion, account, login, measure)
    ends = _end(login)
    if ends is None:
        raise CouldNotLook(f"the token of {account.name} says no expiry, so it cannot be awaited")
    _keep_in_use(criterion, account, login, ends + _LEEWAY_S)
    return account.send(criterion.request, login=login)


def _end(login: Login) -> float | None:
    """When the token says that it expires, in seconds since 1970."""
    jwt = decode(login.token)
    ends: Any = jwt.claims.get("exp") if jwt else None
    return float(ends) if is_number(ends) else None


def _keep_in_use(criterion: Params, account: Account, login: Login, until: float) -> None:
    left_s = until - time.time()
    if left_s > criterion.wait_at_most:
        limit = f"wait_at_most is {criterion.wait_at_most:g} s"
        raise CouldNotLook(f"the token of {account.name} expires only in {left_s:.0f} s, {limit}")
    while (left_s := until - time.time()) > 0:
        time.sleep(min(_IN_USE_EVERY_S, left_s))
        if time.time() < until:
            account.send(criterion.request, login=login)
