"""The cache answers within its limit and keeps its data.

Why: sessions and queues live here; without it nobody stays logged in and no job is done.
When it fails: read the server's log; a failing snapshot mostly means a full disk, refused connections a leaking pool.
"""

from collections.abc import Mapping
from typing import Any

from fixtures.context import RunContext
from fixtures.measure import Measure
from golive.environment.params import CacheRef, CheckParams, Count, Milliseconds
from golive.targets.redis_cache import Cache
from golive.targets.redis_errors import CacheCause, CacheTrouble

# Here the fault is not, or not surely, the server's.
_OURS = frozenset({CacheCause.UNRESOLVED, CacheCause.PERMISSION, CacheCause.OTHER})
_WISHES = {
    "rdb_last_bgsave_status": ("ok", "its last snapshot to disk failed"),
    "aof_last_write_status": ("ok", "its last write to the append-only file failed"),
    "aof_last_bgrewrite_status": ("ok", "its last rewrite of the append-only file failed"),
    "master_link_status": ("up", "it is a replica and has lost its primary"),
}


class Params(CheckParams):
    cache: CacheRef
    warning: Milliseconds | None = None
    critical: Milliseconds = 100.0
    rejected: Count = 0


def test_cache_answers_within_limit(
    criterion: Params, criterion_id: str, cache: Cache, context: RunContext, measure: Measure
) -> None:
    try:
        took_ms = cache.ping()
    except CacheTrouble as problem:
        if problem.cause in _OURS:
            raise
        measure.fail(str(problem))
        return
    measure(
        took_ms,
        unit="ms",
        name="answer",
        warning=criterion.warning,
        critical=criterion.critical,
        subject=f"cache {cache.name}",
        detail="PING",
    )
    info = cache.info()
    for key, (good, words) in _WISHES.items():
        if str(info.get(key, good)) != good:
            measure.fail(f"cache {cache.name}: {words} ({key} is {str(info[key])[:40]!r})")
    _judge_rejected(criterion, f"cache:{criterion_id}:rejected", info, context, measure)


def _judge_rejected(
    criterion: Params, key: str, info: Mapping[str, Any], context: RunContext, measure: Measure
) -> None:
    """Connections it turned away since the last look; all of them if it was started since."""
    count, server = info.get("rejected_connections"), str(info.get("run_id", ""))
    if not isinstance(count, int):
        return
    last: Any = context.state.committed(key)
    context.state.put(key, {"server": server, "count": count})
    same = isinstance(last, dict) and last["server"] == server and last["count"] <= count
    if not isinstance(last, dict) and count:
        measure.note(f"{count} connections turned away so far, of unknown age: counted from now on")
        return
    new = count - last["count"] if same else count
    since = "since the last look" if same else "since its start"
    measure(new, unit="connections", name="turned away", critical=criterion.rejected, inclusive=True, detail=since)
