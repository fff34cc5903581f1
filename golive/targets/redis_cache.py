"""A Redis server, only ever read: PING, INFO, SCAN and PTTL, never KEYS."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from golive.environment.sections import CacheSection
from golive.targets.redis_errors import CacheCause, CacheTrouble, trouble

if TYPE_CHECKING:
    import redis

T = TypeVar("T")
_PAGE = 1000


class Scanned(NamedTuple):
    """Keys that were found; `complete` is False when there are or may be more."""

    keys: list[bytes | str]
    complete: bool


class Cache:
    """Read access to one Redis server. Every failure is a CacheTrouble, which is a CouldNotLook."""

    def __init__(self, name: str, section: CacheSection) -> None:
        self.name = name
        self.section = section
        self._answered = False

    def __repr__(self) -> str:
        return f"<Cache {self.name} at {self.section.url}>"

    def ping(self) -> float:
        """Round trip of a PING over an open connection, in milliseconds."""

        def timed() -> float:
            self._client.ping()
            began = time.perf_counter()
            self._client.ping()
            return (time.perf_counter() - began) * 1000

        return self._ask(timed)

    def info(self) -> Mapping[str, Any]:
        """The server's INFO, numbers as int or float."""
        found = self._ask(self._client.info)
        if not isinstance(found, dict) or "redis_version" not in found:
            raise CacheTrouble(self.name, CacheCause.PROTOCOL, "what answers there does not speak Redis's protocol")
        return found

    def scan(self, pattern: str, limit: int) -> Scanned:
        """Up to `limit` distinct keys that match the glob `pattern`, within the time-out."""

        def walk() -> Scanned:
            keys: dict[bytes | str, None] = {}
            cursor, until = 0, time.monotonic() + self.section.timeout
            while True:
                cursor, page = self._client.scan(cursor=cursor, match=pattern, count=_PAGE)
                keys.update(dict.fromkeys(page))
                if not cursor or len(keys) > limit or time.monotonic() > until:
                    return Scanned(list(keys)[:limit], not cursor and len(keys) <= limit)

        return self._ask(walk, within_s=2 * self.section.timeout)

    def ttl(self, keys: Sequence[bytes | str]) -> list[float | None]:
        """Seconds each key has left: infinity without an end, None if it is gone; one round trip per thousand."""
        found: list[float | None] = []
        for start in range(0, len(keys), _PAGE):
            page = keys[start : start + _PAGE]
            found += self._ask(lambda page=page: self._ttl_of(page))  # type: ignore[misc]
        return found

    def close(self) -> None:
        """End the connection; a later command opens a new one."""
        if "_client" in self.__dict__:
            self._client.close()

    def _ttl_of(self, keys: Sequence[bytes | str]) -> list[float | None]:
        pipe = self._client.pipeline(transaction=False)
        for key in keys:
            pipe.pttl(key)
        return [_seconds_left(answer) for answer in pipe.execute()]

    @cached_property
    def _client(self) -> redis.Redis:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        password = self.section.password.reveal() if self.section.password else None
        return redis.Redis.from_url(
            self.section.url,
            password=password,
            socket_timeout=self.section.timeout,
            socket_connect_timeout=self.section.timeout,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )

    def _ask(self, question: Callable[[], T], *, within_s: float | None = None) -> T:
        """Ask, and once more when a connection from an earlier check turns out to have been closed meanwhile."""
        limit = within_s or self.section.timeout
        known, self._answered = self._answered, False
        try:
            return self._ask_once(question, limit)
        except CacheTrouble as problem:
            if not (known and problem.cause is CacheCause.LOST):
                raise
        return self._ask_once(question, limit)

    def _ask_once(self, question: Callable[[], T], limit_s: float) -> T:
        import redis

        with _cut_off(self._client, limit_s + 0.5) as was_cut:
            try:
                answer = question()
                self._answered = True
                return answer
            except (redis.RedisError, OSError, ValueError, TypeError, LookupError, AttributeError) as error:
                if was_cut.is_set():
                    raise CacheTrouble(self.name, CacheCause.TIMEOUT, f"did not answer within {limit_s:g} s") from None
                raise trouble(self.name, error, limit_s) from None


@contextmanager
def _cut_off(client: redis.Redis, after_s: float) -> Iterator[threading.Event]:
    """Cut the connection if it lasts longer: a socket's own time-out begins anew with every byte that trickles in."""
    was_cut = threading.Event()

    def cut() -> None:
        was_cut.set()
        client.connection_pool.disconnect()

    timer = threading.Timer(after_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield was_cut
    finally:
        timer.cancel()


def _seconds_left(milliseconds: Any) -> float | None:
    if not isinstance(milliseconds, int):
        raise TypeError(f"{milliseconds!r} is no time to live")
    return {-1: float("inf"), -2: None}.get(milliseconds, milliseconds / 1000)
