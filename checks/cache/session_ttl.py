"""Every session in the cache ends by itself, within its limit.

Why: a session without an end is a key to the house that never stops fitting.
When it fails: find the code that writes the key which is named, and set its expiry; delete the keys without one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import AccountRef, CacheRef, CheckParams, Duration
from golive.model import CouldNotLook
from golive.targets.redis_cache import Cache

if TYPE_CHECKING:
    from golive.targets.accounts import Account


class Params(CheckParams):
    cache: CacheRef
    pattern: str = Field("session:*", description="glob pattern of the keys, as SCAN understands it")
    limit: Duration = Field(description="longest that a session may live without a request")
    account: AccountRef | None = Field(None, alias="as", description="account that logs in first, so that there is one")
    at_most_keys: Annotated[int, Field(ge=1)] = Field(10_000, description="keys that are looked at, at most")


def test_every_session_ends_by_itself(
    criterion: Params, cache: Cache, account: Account | None, measure: Measure, evidence: EvidenceSink
) -> None:
    _log_in(account)
    found = cache.scan(criterion.pattern, criterion.at_most_keys)
    left = {key: ttl for key, ttl in zip(found.keys, cache.ttl(found.keys), strict=True) if ttl is not None}
    if not left:
        hint = "although an account is logged in" if account else "give an account that logs in first ('as')"
        raise CouldNotLook(f"cache {cache.name}: no key is like {criterion.pattern}, so nothing shows: {hint}")
    endless = [_shown(key) for key, ttl in left.items() if math.isinf(ttl)]
    evidence("sessions without an end", "\n".join(endless[:20]) or "none")
    measure(
        len(endless),
        unit="sessions",
        name="sessions without an end",
        critical=0,
        inclusive=True,
        samples=len(left),
        detail=f"of {len(left)} looked at" + ("" if found.complete else ", there are more") + _first(endless),
    )
    measure(
        max((ttl for ttl in left.values() if math.isfinite(ttl)), default=0.0),
        unit="s",
        name="longest time to live",
        critical=criterion.limit,
        inclusive=True,
    )


def _log_in(account: Account | None) -> None:
    try:
        if account is not None:
            account.login()
    except AssertionError as refused:
        # Whether it is let in is another criterion's matter.
        raise CouldNotLook(f"nobody could log in, so there may be no session to look at: {refused}") from None


def _first(endless: list[str]) -> str:
    return f", first {', '.join(endless[:3])}" if endless else ""


def _shown(key: bytes | str) -> str:
    """The beginning of a key: the rest of a session's name lets its bearer in."""
    text = key.decode("utf-8", "replace") if isinstance(key, bytes) else key
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= 14 else f"{plain[:14]}…"
