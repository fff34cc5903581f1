"""Guessing passwords is stopped after a few attempts.

Why: without a limit, a list of common passwords opens an account overnight.
When it fails: switch on the limit of attempts per user and address; look in the log for whoever has used its absence.
"""

import secrets
from typing import Annotated

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, EndpointRef
from golive.model import CouldNotLook
from golive.targets.accounts import filled_in
from golive.targets.http import Client
from golive.targets.wire.answer import Answer, excerpt


class Params(CheckParams):
    endpoint: EndpointRef
    within_attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        10, description="wrong passwords after which the next must be refused at the latest; never more are tried"
    )
    status: tuple[int, ...] = Field((429, 423), description="statuses that refuse further attempts")

    def asserts_nothing(self) -> str | None:
        return None if self.status else "'status' is empty, so nothing would count as a refusal"


def test_guessing_passwords_is_stopped(
    criterion: Params, endpoint: Client, measure: Measure, evidence: EvidenceSink
) -> None:
    # A name that nobody has: no real account is locked by this.
    username = f"golive-probe-{secrets.token_hex(6)}"
    told: list[str] = []
    for attempt in range(1, criterion.within_attempts + 1):
        answer = _guess(endpoint, username)
        told.append(f"{attempt}: {answer.status}")
        if answer.status in criterion.status:
            evidence("attempts", "\n".join(told))
            measure(
                attempt,
                unit="attempts",
                name="stopped at",
                critical=criterion.within_attempts,
                inclusive=True,
                detail=_wait(answer),
            )
            return
        if answer.status >= 500:
            raise CouldNotLook(f"{answer.told} to attempt {attempt}, so throttling could not be seen")
        assert not answer.ok, f"an unknown user got in with a random password: {answer.told}"
    evidence("attempts", "\n".join(told))
    measure.fail(f"{len(told)} wrong passwords in a row for {username} and none was refused with {criterion.status[0]}")


def _guess(endpoint: Client, username: str) -> Answer:
    if endpoint.section.login is None:
        raise CouldNotLook(f"endpoint {endpoint.name} has no 'login', so no password can be tried")
    code = f"{secrets.randbelow(10**6):06}"
    login = endpoint.section.login
    body = filled_in(login.body, username=username, password=secrets.token_urlsafe(12), code=code)
    return endpoint.send(login.request, body=body)


def _wait(answer: Answer) -> str:
    retry = excerpt(answer.headers.get("retry-after", ""), 20)
    return f"with {answer.status}, for {retry} s" if retry else f"with {answer.status}"
