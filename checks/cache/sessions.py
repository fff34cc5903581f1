"""The number of active sessions is known, and neither collapses nor explodes.

Why: a fall to none is a mass logout or a lost cache, a sudden rise a login loop or an attack.
When it fails: look whether the cache was restarted or flushed, then at the logins of the last minutes.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import Measure
from golive.environment.params import CacheRef, CheckParams, Count
from golive.targets.redis_cache import Cache


class Params(CheckParams):
    cache: CacheRef
    pattern: str = Field("session:*", description="glob pattern of the keys, as SCAN understands it")
    at_least: Count | None = None
    at_most: Count | None = None
    change: Literal["warn", "fail"] = Field("warn", description="what a fall to none, or a jump, means")
    factor: Annotated[float, Field(gt=1)] = Field(
        2.0, description="how many times more than at the last look is a jump"
    )
    jump_from: Count = Field(50, description="a number up to this is no jump, however it compares")
    at_most_keys: Annotated[int, Field(ge=1)] = Field(100_000, description="keys that are counted at most")


def test_sessions_are_counted(
    criterion: Params, criterion_id: str, cache: Cache, context: RunContext, measure: Measure
) -> None:
    found = cache.scan(criterion.pattern, criterion.at_most_keys)
    count = len(found.keys)
    detail = f"keys like {criterion.pattern}" + ("" if found.complete else ", and more that were not counted")
    measure(count, unit="sessions", name="active sessions", critical=criterion.at_least, better="higher", detail=detail)
    if criterion.at_most is not None:
        measure(count, unit="sessions", name="sessions at most", critical=criterion.at_most, inclusive=True)
    if not found.complete and (criterion.at_most or 0) >= count:
        measure.unknown(f"there are more than the {count} sessions that were counted: raise 'at_most_keys'")
    key = f"cache:{criterion_id}:count"
    last: Any = context.state.committed(key)
    context.state.put(key, count)
    told = {"warn": measure.warn, "fail": measure.fail}[criterion.change]
    if last and count == 0:
        told(f"no session is left of the {last} at the last look")
    elif last and count > criterion.jump_from and count > criterion.factor * last:
        told(f"{count} sessions, more than {criterion.factor:g} times the {last} of the last look")
