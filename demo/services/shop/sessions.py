"""Sessions: one Redis key each, whose TTL is the idle limit and which never outlives the absolute limit."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, cast

from demo.services import misbehave
from demo.services.cache import Cache
from demo.services.shop.tokens import Claims
from demo.settings import SESSION_LIMITS, Role

PREFIX = "session:"
LOGGED_OUT_PREFIX = "logged_out:"

# Reads a session and moves its idle limit in one step; returns false when it has ended.
_TOUCH = """
local text = redis.call('GET', KEYS[1])
if not text then return false end
local session = cjson.decode(text)
local left_ms = (session.ends_at - tonumber(ARGV[1])) * 1000
if left_ms < 1 then redis.call('DEL', KEYS[1]) return false end
if ARGV[2] == 'keep' then
    redis.call('PERSIST', KEYS[1])
else
    redis.call('PEXPIRE', KEYS[1], math.floor(math.min(session.idle_s * 1000, left_ms)))
end
return text
"""


@dataclass(frozen=True, kw_only=True)
class Session:
    """Who is logged in. Times are Unix seconds; limits are seconds; `store` is None for the admin."""

    sid: str
    user: str
    user_id: int
    role: str
    store: int | None
    created_at: float
    ends_at: float
    idle_s: float


class Sessions:
    """The sessions in Redis. Every method may raise UnreachableError."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._touch = cache.script(_TOUCH)

    def begin(self, account: dict[str, Any]) -> Session:
        """Open a session for a row of `users`."""
        now = time.time()
        limits = SESSION_LIMITS[cast(Role, account["role"])]
        idle_s, absolute_s = misbehave.session_limits(limits.idle_s, limits.absolute_s)
        session = Session(
            sid=secrets.token_urlsafe(16),
            user=account["username"],
            user_id=account["id"],
            role=account["role"],
            store=account["store_id"],
            created_at=now,
            ends_at=now + absolute_s,
            idle_s=idle_s,
        )
        text = json.dumps({name: value for name, value in vars(session).items() if name != "sid"})
        if misbehave.keeps_sessions_for_ever():
            self._cache.run("SET", PREFIX + session.sid, text)
        else:
            self._cache.run("SET", PREFIX + session.sid, text, "PX", int(min(idle_s, absolute_s) * 1000))
        return session

    def touch(self, claims: Claims) -> Session | None:
        """The session a token belongs to, its idle limit moved; None when it has ended."""
        how = "keep" if misbehave.keeps_sessions_for_ever() else "expire"
        text = self._touch([PREFIX + claims.sid], [repr(time.time()), how])
        return Session(sid=claims.sid, **json.loads(text)) if text else None

    def end(self, claims: Claims) -> None:
        """Log out: the session's token is worth nothing from now on."""
        if misbehave.is_on("token-alive-after-logout"):
            return
        self._cache.run("DEL", PREFIX + claims.sid)
        # Remembered until the token expires, so that the log can tell a log-out from a time-out.
        left_s = max(1, int(claims.exp - time.time()))
        self._cache.run("SET", LOGGED_OUT_PREFIX + claims.sid, "1", "EX", left_s)

    def was_logged_out(self, claims: Claims) -> bool:
        """Whether the user ended the session, rather than a limit."""
        return bool(self._cache.run("EXISTS", LOGGED_OUT_PREFIX + claims.sid))
