"""Redis, with the few commands that the services need, and one kind of error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from demo.services.errors import UnreachableError
from demo.settings import Settings

Script = Callable[[Sequence[str], Sequence[str | int | float]], Any]


class Cache:
    """A client with its own pool; safe for threads; connects again by itself. Every method raises UnreachableError."""

    def __init__(self, settings: Settings, *, timeout_s: float = 2.0) -> None:
        self._client = redis.Redis(
            host="127.0.0.1",
            port=settings.ports.redis,
            password=settings.secrets["redis_password"],
            decode_responses=True,
            protocol=2,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 1),  # the library's own default waits for seconds, and so would each request
        )

    def run(self, *command: str | int | float) -> Any:
        """One command, its answer as text, integers, lists or None."""
        try:
            return self._client.execute_command(*command)  # type: ignore[no-untyped-call]
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise UnreachableError("redis", type(error).__name__) from error

    def script(self, text: str) -> Script:
        """A Lua script, run as one step; called with its keys and its arguments."""
        registered = self._client.register_script(text)

        def call(keys: Sequence[str], arguments: Sequence[str | int | float]) -> Any:
            try:
                return registered(keys=list(keys), args=list(arguments))
            except (redis.ConnectionError, redis.TimeoutError) as error:
                raise UnreachableError("redis", type(error).__name__) from error

        return call
