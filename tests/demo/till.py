"""A client of the demo's API for tests: requests, logins with fresh codes, and direct looks at the servers behind."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pyotp
import redis
import requests
from psycopg.rows import DictRow, dict_row

from demo.settings import Settings, load
from demo.state import State

AHEAD_STEPS = 2
USER_AGENT = "golive-test"


class Till:
    """One demo, seen from outside."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.settings: Settings = load(state.directory)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        self._last_step: dict[str, int] = {}

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        web: bool = False,
        timeout_s: float = 10.0,
    ) -> requests.Response:
        """One request to the API, or through the front end."""
        url = self.state.values["web_url" if web else "api_url"] + path
        sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        return self._session.request(method, url, json=json, headers=sent, timeout=timeout_s)

    def code(self, user: str) -> str:
        """A code of that user that was not given out before; waits if need be."""
        while True:
            now = int(time.time())
            step = max(now, self._last_step.get(user, 0) + 1)
            if step <= now + AHEAD_STEPS:
                self._last_step[user] = step
                return pyotp.HOTP(self.state.secrets[f"{user}_totp"]).at(step)
            time.sleep(0.1)

    def credentials(self, user: str, **changed: object) -> dict[str, object]:
        """What the login wants; a field that is changed to None is left out."""
        fields = {"username": user, "password": self.state.secrets[f"{user}_password"], "code": None, **changed}
        if "code" not in changed:
            fields["code"] = self.code(user)
        return {name: value for name, value in fields.items() if value is not None}

    def login(self, user: str) -> str:
        """A token."""
        answer = self.call("POST", "/api/auth/login", json=self.credentials(user))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def redis(self) -> redis.Redis:
        return redis.Redis(
            host="127.0.0.1",
            port=self.settings.ports.redis,
            password=self.settings.secrets["redis_password"],
            decode_responses=True,
        )

    def database(self) -> psycopg.Connection[DictRow]:
        """As the verifier sees it."""
        arguments: dict[str, Any] = self.settings.database("golive")
        return psycopg.connect(autocommit=True, row_factory=dict_row, **arguments)

    def value(self, statement: str, *values: object) -> Any:
        """The first value of the first row, or None."""
        with self.database() as connection:
            row = connection.execute(statement.encode(), values).fetchone()
        return None if row is None else next(iter(row.values()))

    def log(self, service: str = "api") -> list[dict[str, Any]]:
        """The JSON lines of a service's log."""
        text = (self.logs / f"{service}.log").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    @property
    def logs(self) -> Path:
        return self.settings.logs

    def collected(self, text: str, job: str = "api") -> int:
        """How many lines with that text the collector has of a job."""
        query = {"query": f'{{job="{job}"}} |= "{text}"', "limit": "1000"}
        answer = requests.get(f"{self.settings.collector_url}/loki/api/v1/query_range", params=query, timeout=5)
        assert answer.status_code == 200, answer.text
        return sum(len(stream["values"]) for stream in answer.json()["data"]["result"])
