"""What went wrong with Redis, in one line of words: its errors reach us as text."""

from __future__ import annotations

import re
from enum import StrEnum

from golive.model import CouldNotLook
from golive.targets.said import gist


class CacheCause(StrEnum):
    """Why a cache could not be read."""

    REFUSED = "refused"
    UNRESOLVED = "unresolved"
    TIMEOUT = "timeout"
    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    EXHAUSTED = "exhausted"
    LOADING = "loading"
    PROTOCOL = "protocol"
    TLS = "tls"
    LOST = "lost"
    OTHER = "other"


class CacheTrouble(CouldNotLook):
    """A cache could not be read; `cause` is for checks whose claim is just that it can."""

    def __init__(self, cache: str, cause: CacheCause, words: str) -> None:
        super().__init__(f"cache {cache}: {words}")
        self.cause = cause
        self.words = words


_SAID: tuple[tuple[str, CacheCause, str], ...] = (
    (r"Connection refused|No such file", CacheCause.REFUSED, "refused the connection"),
    (r"Name or service not known|Temporary failure in name resolution|nodename nor servname", CacheCause.UNRESOLVED,
     "its host name cannot be resolved"),
    (r"No route to host|Network is unreachable", CacheCause.UNRESOLVED, "its host cannot be reached from here"),
    (r"timed out|Timeout", CacheCause.TIMEOUT, "did not answer within {limit:g} s"),
    (r"NOAUTH|Authentication required|without any password", CacheCause.AUTHENTICATION, "asks for a password"),
    (r"WRONGPASS|invalid (username-)?password|AUTH.*failed", CacheCause.AUTHENTICATION, "refused the password"),
    (r"NOPERM|no permissions?", CacheCause.PERMISSION, "its user may not run a command"),
    (r"max number of clients", CacheCause.EXHAUSTED, "has no connection left"),
    (r"LOADING|loading the dataset", CacheCause.LOADING, "is still loading its data"),
    (r"certificate|SSL", CacheCause.TLS, "the encrypted connection failed"),
    (r"Connection not ready|Protocol Error", CacheCause.PROTOCOL, "what answers there does not speak Redis's protocol"),
    (r"closed by server|Connection reset|Broken pipe|closed file", CacheCause.LOST, "closed the connection"),
)  # fmt: skip


def trouble(cache: str, error: Exception, limit_s: float) -> CacheTrouble:
    """The error of a client or server as one line that names the cache, the cause and what was said."""
    import redis

    text = str(error)
    said = gist(text)
    for pattern, cause, words in _SAID:
        if re.search(pattern, text, re.IGNORECASE):
            return CacheTrouble(cache, cause, f"{words.format(limit=limit_s)} ({said})")
    if isinstance(error, redis.InvalidResponse) or not isinstance(error, redis.RedisError | OSError):
        return CacheTrouble(cache, CacheCause.PROTOCOL, f"what answers there does not speak Redis's protocol ({said})")
    return CacheTrouble(cache, CacheCause.OTHER, f"cannot be read ({said})")
