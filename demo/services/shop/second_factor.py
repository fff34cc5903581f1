"""The second factor: TOTP (RFC 6238), SHA-1, six digits, a new code every second, each good for one login."""

from __future__ import annotations

import hmac
import time

import pyotp

from demo.services import misbehave
from demo.services.cache import Cache

PERIOD_S = 1
WINDOW_STEPS = 3
PREFIX = "totp_last_step:"
_REMEMBER_S = 60

# Takes a step unless it, or a later one, was taken before; 1 or 0.
_TAKE_STEP = """
local last = tonumber(redis.call('GET', KEYS[1]) or '-1')
if tonumber(ARGV[1]) <= last then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""


class SecondFactor:
    """Checks codes. Every method may raise UnreachableError."""

    def __init__(self, cache: Cache) -> None:
        self._take_step = cache.script(_TAKE_STEP)

    def accepts(self, username: str, secret: str, code: str) -> bool:
        """Whether the code is one of this moment and was never used before."""
        if misbehave.accepts_code(code):
            return True
        step = _newest_step(secret, code, int(time.time()) // PERIOD_S)
        if step is None:
            return False
        if misbehave.is_on("second-factor-reused-code"):
            return True
        return bool(self._take_step([PREFIX + username], [step, _REMEMBER_S]))


def _newest_step(secret: str, code: str, now_step: int) -> int | None:
    """The latest step in the window whose code this is. Looks at all of them, so that time tells nothing."""
    counter = pyotp.HOTP(secret)
    found = None
    for step in range(now_step - WINDOW_STEPS, now_step + WINDOW_STEPS + 1):
        if hmac.compare_digest(counter.at(step).encode(), code.encode("utf-8", "replace")):
            found = step
    return found
