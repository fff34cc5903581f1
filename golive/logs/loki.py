"""The part of Loki's HTTP API that is asked: `/ready` and `/loki/api/v1/query_range`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

from golive.model import CouldNotLook

_EXCERPT = 120


class Answered(Protocol):
    """What came back."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def body(self) -> bytes:
        """The body."""


class Asks(Protocol):
    """What is needed of an HTTP client (`golive.targets.http.Client` is one)."""

    name: str

    def send(self, request: str) -> Answered:
        """The answer to `GET /path`; CouldNotLook when none comes."""


class Loki:
    """A Loki, or what speaks this part of its API."""

    def __init__(self, client: Asks) -> None:
        self._client = client

    def why_not_ready(self) -> str | None:
        """What `/ready` answers instead of 200; None when it is ready."""
        answer = self._client.send("GET /ready")
        if answer.status == 200:
            return None
        return f"{self._client.name}: GET /ready answered {answer.status} ({_excerpt(answer.body)})"

    def holds(self, text: str, *, jobs: Sequence[str], since: datetime, until: datetime) -> bool:
        """Whether an entry of one of these jobs contains `text`."""
        selector = "|".join(map(_escaped, jobs))
        return bool(self._entries(f'{{job=~"{selector}"}} |= "{_quoted(text)}"', since, until, limit=1))

    def newest(self, job: str, *, until: datetime, back: timedelta) -> datetime | None:
        """Time of the newest entry of `job`; None when there is none within `back`."""
        times = self._entries(f'{{job="{_quoted(job)}"}}', until - back, until, limit=1)
        return max(times, default=None)

    def _entries(self, query: str, since: datetime, until: datetime, *, limit: int) -> list[datetime]:
        asked = urlencode(
            {"query": query, "start": _ns(since), "end": _ns(until), "limit": limit, "direction": "backward"}
        )
        answer = self._client.send(f"GET /loki/api/v1/query_range?{asked}")
        if answer.status != 200:
            raise CouldNotLook(
                f"{self._client.name}: the query {query} answered {answer.status} ({_excerpt(answer.body)})"
            )
        try:
            return _times(json.loads(answer.body))
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            raise CouldNotLook(
                f"{self._client.name}: the query {query} answered something else than Loki does"
            ) from None


def _times(answer: Any) -> list[datetime]:
    if answer["status"] != "success" or answer["data"]["resultType"] != "streams":
        raise ValueError("no streams")
    entries = [entry for stream in answer["data"]["result"] for entry in stream["values"]]
    return [datetime.fromtimestamp(int(entry[0]) / 1e9, UTC) for entry in entries]


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _escaped(job: str) -> str:
    """A job's name within a regular expression (RE2) within a quoted string."""
    return _quoted("".join(c if c.isalnum() or c in "_-" else f"\\{c}" for c in job))


def _excerpt(body: bytes) -> str:
    text = body[: 4 * _EXCERPT].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_EXCERPT]
