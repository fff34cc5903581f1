"""The cache has memory left.

Why: at its limit it throws away sessions, or refuses every write.
When it fails: see what has grown (redis-cli --bigkeys), look for keys without an end, then raise maxmemory.
"""

from fixtures.measure import Measure
from golive.environment.params import CacheRef, CheckParams, Percent
from golive.targets.redis_cache import Cache


class Params(CheckParams):
    cache: CacheRef
    warning: Percent | None = None
    critical: Percent = 85.0
    require_limit: bool = False


def test_cache_has_memory_left(criterion: Params, cache: Cache, measure: Measure) -> None:
    info = cache.info()
    used, limit, machine = (info.get(key) for key in ("used_memory", "maxmemory", "total_system_memory"))
    policy = str(info.get("maxmemory_policy", "unknown"))[:40]
    assert limit or not criterion.require_limit, f"cache {cache.name}: it has no memory limit (maxmemory is 0)"
    whole = limit or machine
    of = f"of maxmemory, policy {policy}" if limit else "of the machine, as it has no maxmemory"
    percent, detail = None, "INFO tells neither maxmemory nor the machine's memory"
    if isinstance(used, int) and isinstance(whole, int) and whole > 0:
        percent, detail = 100 * used / whole, f"{used / 1e6:.1f} MB {of}"
    measure(
        percent,
        unit="%",
        name="memory",
        warning=criterion.warning,
        critical=criterion.critical,
        subject=f"cache {cache.name}",
        detail=detail,
    )
