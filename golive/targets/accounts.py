"""Test accounts of the target: logging in with password and one-time code, once per process.

Sessions are kept for the whole run; a check that ends sessions takes a `fresh` one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from golive.environment.params import Request
from golive.environment.sections import AccountSection, LoginSection
from golive.model import CouldNotLook
from golive.targets.http import Client
from golive.targets.paths import value_at
from golive.targets.totp import OneTimeCodes, locked
from golive.targets.wire.answer import Answer, NotJson, excerpt

_THROTTLED = (423, 429)
_BLANK = re.compile(r"\{(username|password|code)\}")


class LoginBroken(CouldNotLook):
    """The endpoint answered a login with an error of its own, so that nothing is known about the account."""


class LoginRefused(AssertionError):
    """The endpoint answered and did not let the account in; the message names account, status and reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """One session: its token and the headers that carry it. Neither is ever shown."""

    token: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    answer: Answer = field(repr=False)
    code: str | None = field(default=None, repr=False)


class Account:
    """An account at an endpoint. `learn` makes a token known to the redactor before anything else sees it.

    `folder` is the run's own: processes of one run share in it which codes were used and whether the credentials
    were refused, so that wrong ones are tried once and not once per process.
    """

    def __init__(
        self,
        name: str,
        section: AccountSection,
        client: Client,
        *,
        learn: Callable[[str], None],
        folder: Path,
    ) -> None:
        self.name = name
        self.section = section
        self.client = client
        self._learn = learn
        self._file = folder / f".account-{re.sub(r'[^A-Za-z0-9_-]', '_', name)}.lock"
        self._codes = OneTimeCodes(section.totp, self._file) if section.totp else None
        self._last: dict[str, tuple[Login, float, Answer]] = {}
        self._login: Login | None = None
        self._problem: CouldNotLook | LoginRefused | None = None

    def __repr__(self) -> str:
        return f"Account({self.name!r})"

    @property
    def username(self) -> str:
        """The name it logs in with."""
        return self.section.username

    @property
    def how(self) -> LoginSection:
        """How its endpoint logs accounts in; CouldNotLook when the environment does not say."""
        if self.client.section.login is None:
            raise CouldNotLook(f"account {self.name}: endpoint {self.client.name} has no 'login', so nobody can log in")
        return self.client.section.login

    @property
    def codes(self) -> OneTimeCodes:
        """Its one-time codes; CouldNotLook when it has no second factor."""
        if self._codes is None:
            raise CouldNotLook(f"account {self.name} has no 'totp', so its second factor cannot be tried")
        return self._codes

    def login(self) -> Login:
        """The session of this run, opened at the first call; LoginRefused and CouldNotLook are remembered as well."""
        if self._problem is not None:
            raise self._problem
        if self._login is None:
            try:
                self._login = self.fresh()
            except (CouldNotLook, LoginRefused) as problem:
                self._problem = problem
                raise
        return self._login

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that carry the session of this run."""
        return self.login().headers

    def send(self, request: Request | str, *, body: Any = None, login: Login | None = None) -> Answer:
        """The answer to `request` with the session of this run, or with `login`."""
        login = login or self.login()
        asked_at = time.time()
        answer = self.client.send(request, headers=login.headers, body=body)
        self._last[login.token] = (login, asked_at, answer)
        return answer

    @property
    def last_answers(self) -> list[tuple[Login, float, Answer]]:
        """Each session with the last answer it got and when that was asked for (seconds since 1970)."""
        return list(self._last.values())

    def fresh(self) -> Login:
        """A session of its own.

        A code that is refused may have been used a moment ago by another run, so that one of the next time step
        is tried before the refusal counts.
        """
        answer, code = self._present_code()
        if self._refuses(answer) and self._codes is not None:
            again, code = self._present_code()
            # Being throttled by now is only the consequence of the refusal.
            answer = again if again.status not in _THROTTLED else answer
        if self._refuses(answer):
            self._remember_refusal(answer)
        return self._session(answer, code)

    def attempt(self, code: str | None) -> Answer:
        """The raw answer to a login with the right password and `code`, or with no code at all."""
        return self.client.send(self.how.request, body=self.filled(self.how.body, code=code))

    def filled(self, template: Mapping[str, Any], *, code: str | None) -> dict[str, Any]:
        """`template` with the account's `{username}`, `{password}` and this `{code}`, see `filled_in`."""
        return filled_in(template, username=self.username, password=self.section.password.reveal(), code=code)

    def learn(self, token: str) -> None:
        """From now on `token` is masked wherever something is written."""
        self._learn(token)

    def carrying(self, token: str) -> dict[str, str]:
        """The headers that carry `token`."""
        name, _, value = self.how.header.partition(":")
        return {name.strip(): value.strip().replace("{token}", token)}

    def _present_code(self) -> tuple[Answer, str | None]:
        with self._turn() as code:
            return self.attempt(code), code

    @contextmanager
    def _turn(self) -> Iterator[str | None]:
        with locked(self._file) as memory:
            refused = memory.get("refused")
        if isinstance(refused, str):
            raise LoginRefused(refused)
        with self._codes.unused() if self._codes is not None else nullcontext(None) as code:
            yield code

    def _remember_refusal(self, answer: Answer) -> NoReturn:
        refused = LoginRefused(f"account {self.name} was not let in: {answer.told}{answer.reason}")
        with locked(self._file) as memory:
            memory["refused"] = str(refused)
        raise refused

    def _refuses(self, answer: Answer) -> bool:
        if answer.status in _THROTTLED:
            wait = excerpt(answer.headers.get("retry-after", ""), 20)
            again = f"; it allows another attempt in {wait} s" if wait else ""
            raise CouldNotLook(f"account {self.name}: {answer.told}, too many attempts before this one{again}")
        if answer.status >= 500:
            raise LoginBroken(f"account {self.name} could not log in: {answer.told}{answer.reason}")
        return not answer.ok

    def _session(self, answer: Answer, code: str | None) -> Login:
        try:
            token = value_at(answer.json(), self.how.token)
        except NotJson as error:
            raise LoginRefused(f"account {self.name}: {error}") from None
        if not isinstance(token, str) or not token:
            raise LoginRefused(f"account {self.name}: {answer.told} without a token at '{self.how.token}'")
        self._learn(token)
        return Login(token=token, headers=self.carrying(token), answer=answer, code=code)


def filled_in(template: Mapping[str, Any], *, username: str, password: str, code: str | None) -> dict[str, Any]:
    """The body of a login: `{username}`, `{password}` and `{code}` filled in; without a code its keys are left out."""
    values = {"username": username, "password": password, "code": code or ""}
    return {
        key: _BLANK.sub(lambda blank: values[blank[1]], text) if isinstance(text, str) else text
        for key, text in template.items()
        if code is not None or "{code}" not in str(text)
    }
