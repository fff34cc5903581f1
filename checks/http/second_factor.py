"""Nobody gets in with a password alone: the second factor is enforced.

Why: passwords leak; the second factor is what keeps a leaked one from opening the tills.
When it fails: close the way in that is named at once (an endpoint, an empty or used code), then end all sessions.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, Request, Strict
from golive.targets.accounts import Account, Login, LoginRefused
from golive.targets.tokens import tokens_in
from golive.targets.wire.answer import Answer


class Attempt(Strict):
    """Another way in that must not open; `{username}` and `{password}` are filled in."""

    request: Request
    body: dict[str, Any] = {"username": "{username}", "password": "{password}"}


class Params(CheckParams):
    account: AccountRef = Field(alias="as", description="an account that is enrolled for the second factor")
    protected: Request = Field(Request("GET", "/api/me"), description="request that needs a session")
    also_try: tuple[Attempt, ...] = Field((), description="other logins, which must give no session for a password")


def test_nobody_gets_in_without_the_second_factor(
    criterion: Params, account: Account, measure: Measure, evidence: EvidenceSink
) -> None:
    told: list[str] = []
    for way, answer in _refusable(criterion, account):
        told.append(f"{way}: {answer.told}")
        _judge(way, answer, criterion.protected, account, measure)
    login = _positive_control(criterion, account, measure)
    if login is not None:
        told.append(f"right code: {login.answer.told}")
        again = account.attempt(login.code)
        told.append(f"the same code again: {again.told}")
        _judge("a code that was used before", again, criterion.protected, account, measure)
    evidence("logins", "\n".join(told))
    if not measure.failures:
        measure.note(f"{len(told) - 1} logins without a valid second factor gave no session, the right code did")


def _refusable(criterion: Params, account: Account) -> Iterator[tuple[str, Answer]]:
    """Each way in that must stay closed. The right code comes after them, so that it resets a counter of failures."""
    wrong = account.codes.wrong()
    yield "the password without a code", account.attempt(None)
    yield "an empty code", account.attempt("")
    yield "a wrong code", account.attempt(wrong)
    for other in criterion.also_try:
        body = account.filled(other.body, code=None)
        yield str(other.request), account.client.send(other.request, body=body)


def _judge(way: str, answer: Answer, protected: Request, account: Account, measure: Measure) -> None:
    """A token or cookie that comes back is a breach once the protected request takes it."""
    for headers in _offered(answer, account):
        proof = account.client.send(protected, headers=headers)
        if proof.ok:
            measure.fail(f"{way} gives a session: {answer.told} and {proof.told}")
            return


def _offered(answer: Answer, account: Account) -> Iterator[dict[str, str]]:
    """All in the answer that might be a token, as headers. A word of a refusal is tried too, but is no secret."""
    for token in tokens_in(answer.text):
        if answer.ok:
            account.learn(token)
        yield account.carrying(token)
    for cookie in answer.cookies:
        pair = cookie.partition(";")[0]
        account.learn(pair.partition("=")[2])
        yield {"Cookie": pair}


def _positive_control(criterion: Params, account: Account, measure: Measure) -> Login | None:
    """The session that the right code opens; without one the refusals prove nothing."""
    try:
        login = account.fresh()
    except LoginRefused as error:
        measure.fail(f"the right code is refused as well, so the refusals prove nothing: {error}")
        return None
    proof = account.send(criterion.protected, login=login)
    if not proof.ok:
        measure.fail(f"the right code gives a session that is worth nothing: {proof.told}")
    return login
