"""Test data that a load has made: written down as it is made, taken back afterwards, also when the load was stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golive.environment.sections import EndpointSection
from golive.model import CouldNotLook
from golive.targets.http import Client

_GONE = frozenset({404, 410})
"""What is not there any more need not be taken back."""
_AT_ONCE = 4
_NAMED = 5
"""How many of those that stay behind are named; the ledger has them all."""
_BROKEN_OFF = "not tried: the time for cleaning up was over"


@dataclass(frozen=True, slots=True)
class Made:
    """Something that a load made: the request that takes it back, and as which account ("" for none)."""

    clean_up: str
    account: str = ""

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Made:
        """Out of a line of kind `made`; KeyError when it does not say how to clean up."""
        return cls(str(line["clean_up"]), str(line.get("as") or ""))


class Ledger:
    """A file with one line for everything made and, after cleaning up, what became of it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._made: dict[Made, None] = {}
        self._unwritten = ""

    def __len__(self) -> int:
        return len(self._made)

    def see(self, line: Mapping[str, Any]) -> None:
        """Write down a line of kind `made`; others are none of its business. KeyError as `Made.of`."""
        if line["kind"] != "made":
            return
        made = Made.of(line)
        if made not in self._made:
            self._made[made] = None
            self._write(made, {})

    def clean_up(self, send: Callable[[Made], str], *, time_limit_s: float) -> tuple[str, ...]:
        """Take everything back, the latest first; what could not be, in lines for a person.

        `send` gives "" or why it failed. What was not begun within `time_limit_s` stays and is told. An interrupt
        breaks it off, and the ledger tells what was done until then.
        """
        deadline = time.monotonic() + time_limit_s

        def taken_back(made: Made) -> tuple[Made, str]:
            return made, send(made) if time.monotonic() < deadline else _BROKEN_OFF

        left: list[str] = []
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="clean up")
        try:
            for made, why in pool.map(taken_back, reversed(self._made)):
                self._write(made, {"left": why} if why else {"done": True})
                left += [f"{made.clean_up} ({why})"] if why else []
        finally:
            deadline = 0.0
            pool.shutdown(cancel_futures=True)
        unwritten = (f"{self.file.name} is not complete: {self._unwritten}",) if self._unwritten else ()
        return (*_told(left, self.file.name), *unwritten)

    def _write(self, made: Made, more: Mapping[str, Any]) -> None:
        entry = {"clean_up": made.clean_up, "as": made.account, **more}
        try:
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError as error:
            # A disk that is full is no reason to leave test data behind: all of it is known here, too.
            self._unwritten = self._unwritten or str(error.strerror or error)


class Sender:
    """Sends the requests that take test data back, each as the account that made it."""

    def __init__(
        self,
        name: str,
        section: EndpointSection,
        sessions: Mapping[str, Mapping[str, str]],
        *,
        user_agent: str,
        request_id: Callable[[], str],
        max_rate: float,
    ) -> None:
        self._sessions = sessions
        self._client = Client(
            name, section, user_agent=user_agent, request_id=request_id, max_requests_per_second=max_rate
        )

    def __call__(self, made: Made) -> str:
        """Why it is not gone, "" when it is."""
        try:
            answer = self._client.send(made.clean_up, headers=self._sessions.get(made.account, {}))
        except (CouldNotLook, ValueError) as problem:
            return str(problem)
        return "" if answer.ok or answer.status in _GONE else f"HTTP {answer.status}"

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


def _told(left: list[str], file: str) -> tuple[str, ...]:
    if not left:
        return ()
    more = f", and {len(left) - _NAMED} more, see {file}" if len(left) > _NAMED else ""
    return (f"test data was left behind: {', '.join(left[:_NAMED])}{more}",)
