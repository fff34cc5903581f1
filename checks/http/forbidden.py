"""Another tenant's data is refused, and the refusal gives nothing away.

Why: one till that reads or writes another store's orders is a breach of every store's confidence.
When it fails: the request that is named went through or told too much; look at the authorization of exactly that
route, and in the access log for who used it.
"""

from typing import Any

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, Request
from golive.judge.leaks import leaked
from golive.model import CouldNotLook
from golive.targets.accounts import Account
from golive.targets.wire.answer import Answer, NotJson, excerpt

_WRITING = ("POST", "PUT", "PATCH")


class Params(CheckParams):
    account: AccountRef = Field(alias="as", description="the account that must be refused")
    other_account: AccountRef | None = Field(None, description="an account that may see what would leak")
    request: Request | None = Field(None, description="the request that must be refused")
    requests: tuple[Request, ...] = Field((), description="several, best of several verbs")
    body: dict[str, Any] = Field({}, description="sent with POST, PUT and PATCH")
    status: int = Field(403, description="exactly this status is a refusal")
    positive_control: Request | None = Field(None, description="the same kind of request to the account's own data")
    leak_control: Request | None = Field(None, description="what other_account asks for to see the data")
    without_token: int | None = Field(401, description="status of the same requests without any session")

    @property
    def every_request(self) -> tuple[Request, ...]:
        """`request` and `requests` together."""
        return (*((self.request,) if self.request else ()), *self.requests)

    def asserts_nothing(self) -> str | None:
        if not self.every_request:
            return "'request' or 'requests' says what must be refused"
        if self.positive_control is None:
            return "without a 'positive_control' a system that refuses everybody everything would pass"
        if (self.other_account is None) != (self.leak_control is None):
            return "'other_account' and 'leak_control' go together"
        return None


def test_other_tenants_data_is_refused_and_not_leaked(
    criterion: Params, account: Account, other_account: Account | None, measure: Measure, evidence: EvidenceSink
) -> None:
    own = _own_data(criterion, account)
    secret = _other_data(criterion, other_account)
    told: list[str] = []
    for request in criterion.every_request:
        answer = account.send(request, body=_body(criterion, request))
        told.append(f"{answer.told}: {excerpt(answer.text, 200)}")
        _judge(criterion, answer, measure)
        leaks = leaked(secret, own=own, refusal=answer.text, said=f"{request} {criterion.status}")
        if leaks and not answer.ok:
            measure.fail(f"{answer.told}, and its body gives away {', '.join(leaks[:4])}")
        if criterion.without_token is not None:
            _judge_without_token(criterion, account, request, measure)
    evidence("refusals", "\n".join(told))
    if not measure.failures:
        measure.note(f"{len(told)} requests refused with {criterion.status}, own data given")


def _own_data(criterion: Params, account: Account) -> Any:
    """What the account may see; being refused that as well is a failure, since then the refusals prove nothing."""
    control = criterion.positive_control
    assert control is not None, "there is no positive_control"
    answer = account.send(control, body=_body(criterion, control))
    assert answer.ok, f"{answer.told} to {account.name}, who may see it, so the refusals prove nothing"
    return _data(answer)


def _other_data(criterion: Params, other: Account | None) -> Any:
    if other is None or criterion.leak_control is None:
        return None
    answer = other.send(criterion.leak_control)
    if not answer.ok:
        raise CouldNotLook(f"{answer.told} to {other.name}, who may see it, so a leak could not be told")
    return answer.json()


def _judge(criterion: Params, answer: Answer, measure: Measure) -> None:
    if answer.status == criterion.status:
        return
    if answer.status == 429:
        measure.unknown(f"{answer.told}: too many requests, so it is not known whether it would refuse")
    elif answer.ok and answer.request.partition(" ")[0] not in ("GET", "HEAD"):
        measure.fail(f"{answer.told}, {criterion.status} needed: the write went through, look for what it changed")
    elif answer.ok:
        measure.fail(f"{answer.told} with another tenant's data, {criterion.status} needed")
    else:
        measure.fail(f"{answer.told}, {criterion.status} needed")


def _judge_without_token(criterion: Params, account: Account, request: Request, measure: Measure) -> None:
    answer = account.client.send(request, body=_body(criterion, request))
    if answer.status != criterion.without_token:
        measure.fail(f"{answer.told} without a token, {criterion.without_token} needed")


def _body(criterion: Params, request: Request) -> Any:
    return criterion.body if request.method in _WRITING else None


def _data(answer: Answer) -> Any:
    try:
        return answer.json()
    except NotJson:
        return answer.text
