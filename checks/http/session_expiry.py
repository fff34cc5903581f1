"""Sessions end by themselves: when nobody uses them, and at the latest after a fixed time.

Why: a till that was left alone, or a token that was copied, must not stay open for ever.
When it fails: look at the expiry of the session's key in the store and at what renews it.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CheckParams, Duration, Request
from golive.model import CouldNotLook
from golive.targets.accounts import Account, Login
from golive.targets.wire.answer import Answer


class Params(CheckParams):
    idle_account: AccountRef | None = Field(None, description="account with a short limit for sessions not in use")
    idle_limit: Duration | None = Field(None, description="after this time without a request a session is over")
    absolute_account: AccountRef | None = Field(None, description="account with a short limit for any session")
    absolute_limit: Duration | None = Field(None, description="after this time a session is over however it is used")
    request: Request = Field(Request("GET", "/api/me"), description="request that needs a session")
    status: int = Field(401, description="exactly this status is a refusal")
    margin: Duration = Field(0.25, description="time that the server is given beyond the limit")
    wait_at_most: Duration = Field(10.0, description="longest wait that is put up with")

    def asserts_nothing(self) -> str | None:
        pairs = ((self.idle_account, self.idle_limit), (self.absolute_account, self.absolute_limit))
        if any((account is None) != (limit is None) for account, limit in pairs):
            return "an account and its limit go together (idle_account, idle_limit; absolute_account, absolute_limit)"
        limits = [limit for _, limit in pairs if limit is not None]
        if not limits:
            return "neither an idle nor an absolute limit is given"
        if max(limits) + self.margin > self.wait_at_most:
            return (
                f"a limit of {max(limits):g} s cannot be waited for within wait_at_most ({self.wait_at_most:g} s): "
                "use cache/session_ttl and http/token_lifetime, or an account with a short limit"
            )
        return None


@dataclass
class Trial:
    """One session and what it came to. `late`: this machine was too slow for the trial to prove anything."""

    account: Account
    login: Login
    began: float
    breach: str = ""
    late: bool = False
    told: list[str] = field(default_factory=list)

    def ask(self, criterion: Params) -> Answer:
        answer = self.account.send(criterion.request, login=self.login)
        if answer.status == 429 or answer.status >= 500:
            raise CouldNotLook(f"{answer.told}, so the end of a session cannot be told")
        return answer


Way = Callable[[Params, Trial], None]


def test_sessions_end_by_themselves(
    criterion: Params, account_named: Callable[[str], Account], measure: Measure, evidence: EvidenceSink
) -> None:
    ways: dict[str, tuple[str, Way]] = {}
    if criterion.idle_account:
        ways["idle"] = (criterion.idle_account, _leave_idle)
    if criterion.absolute_account:
        ways["absolute"] = (criterion.absolute_account, _keep_in_use)
    trials = _run(criterion, ways, account_named)
    late = {name: ways[name] for name, trial in trials.items() if trial.late}
    trials |= _run(criterion, late, account_named)
    for name, trial in trials.items():
        evidence(f"{name} limit", "\n".join(trial.told))
        if trial.late:
            measure.unknown(f"{trial.account.name}: requests were too far apart, twice, to tell which limit ended it")
        elif trial.breach:
            measure.fail(f"{trial.account.name}: {trial.breach}")
        else:
            measure.note(f"{name} limit: {trial.told[-1]}")


def _run(
    criterion: Params, ways: dict[str, tuple[str, Way]], account_named: Callable[[str], Account]
) -> dict[str, Trial]:
    """All of them at the same time, so that the longest wait is the only one."""
    if not ways:
        return {}
    accounts = {name: account_named(account) for name, (account, _) in ways.items()}
    trials = {name: _begun(account) for name, account in accounts.items()}
    with ThreadPoolExecutor(len(ways)) as pool:
        running = [pool.submit(way, criterion, trials[name]) for name, (_, way) in ways.items()]
        for one in running:
            one.result()
    return trials


def _begun(account: Account) -> Trial:
    """A trial whose session may be as old as the request of its login, if the answer was slow to come."""
    login = account.fresh()
    return Trial(account, login, began=time.monotonic() - login.answer.total_ms / 1000)


def _leave_idle(criterion: Params, trial: Trial) -> None:
    """One request, then none until the limit has passed."""
    limit = criterion.idle_limit or 0.0
    control = trial.ask(criterion)
    trial.told.append(f"{control.told} right after the login")
    if not control.ok:
        trial.late = time.monotonic() - trial.began >= limit
        trial.breach = f"{control.told} right after the login, so nothing is proven"
        return
    time.sleep(limit + criterion.margin)
    _judge_end(trial, trial.ask(criterion), criterion, f"after {limit:g} s without a request")


def _keep_in_use(criterion: Params, trial: Trial) -> None:
    """Requests that keep the session from being idle, until the limit has passed."""
    limit = criterion.absolute_limit or 0.0
    idle = criterion.idle_limit or limit
    end = time.monotonic() + limit + criterion.margin
    accepted, last = 0, trial.began
    while time.monotonic() < end:
        asked = time.monotonic()
        answer = trial.ask(criterion)
        if not answer.ok:
            # Ended before the limit is fine, unless it was only because of a pause of ours or a slow answer.
            trial.late = time.monotonic() - last >= idle
            break
        accepted, last = accepted + 1, asked
        time.sleep(max(0.0, min(idle / 2, end - time.monotonic())))
    if accepted == 0:
        trial.breach = f"{answer.told} right after the login, so nothing is proven"
        return
    time.sleep(max(0.0, end - time.monotonic()))
    trial.told.append(f"{accepted} requests accepted before the limit")
    _judge_end(trial, trial.ask(criterion), criterion, f"after {limit:g} s in use")


def _judge_end(trial: Trial, answer: Answer, criterion: Params, when: str) -> None:
    trial.told.append(f"{answer.told} {when}")
    if answer.ok:
        trial.breach = f"the session is still accepted {when}: {answer.told}"
    elif answer.status != criterion.status:
        trial.breach = f"{answer.told} {when}, {criterion.status} needed"
