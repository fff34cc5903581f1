"""Two brakes: on guessing passwords (per user name, in Redis) and on requests (per client, in this process)."""

from __future__ import annotations

import threading
import time

from demo.services import misbehave
from demo.services.cache import Cache

FAILURES_ALLOWED = 5
FAILURES_WITHIN_S = 60
REQUESTS_PER_S = 300.0
BURST = 600.0
_CLIENTS_KEPT = 1000
PREFIX = "login_failures:"

_FAILED = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""


class LoginThrottle:
    """Failed logins per user name, known or not. Every method may raise UnreachableError."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._failed = cache.script(_FAILED)

    @property
    def is_on(self) -> bool:
        """Whether guessing is slowed down at all."""
        return not misbehave.is_on("brute-force-unthrottled") and "throttling" not in misbehave.features_off()

    def retry_after_s(self, username: str) -> int | None:
        """Whole seconds this user name has to wait, or None when it may try."""
        if not self.is_on:
            return None
        if int(self._cache.run("GET", PREFIX + username) or 0) < FAILURES_ALLOWED:
            return None
        return max(1, int(self._cache.run("TTL", PREFIX + username)))

    def failed(self, username: str) -> bool:
        """Count a failure. False when others made at the same moment had used up the allowance already."""
        count = int(self._failed([PREFIX + username], [FAILURES_WITHIN_S]))
        return count <= FAILURES_ALLOWED or not self.is_on

    def succeeded(self, username: str) -> None:
        """Forget the failures."""
        self._cache.run("DEL", PREFIX + username)


class RequestBrake:
    """A token bucket per client: 300 requests a second, 600 at once."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def admits(self, client: str) -> bool:
        """Take a token, if there is one."""
        now = time.monotonic()
        with self._lock:
            if len(self._buckets) > _CLIENTS_KEPT:
                self._buckets.clear()
            left, at = self._buckets.get(client, (BURST, now))
            left = min(BURST, left + (now - at) * REQUESTS_PER_S)
            admitted = left >= 1.0
            self._buckets[client] = (left - 1.0 if admitted else left, now)
        return admitted
