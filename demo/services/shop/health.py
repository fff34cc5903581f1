"""How the API says that it is well: for people, for load balancers, and for Prometheus."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from demo.services import misbehave
from demo.services.backups import newest
from demo.services.errors import UnreachableError
from demo.services.queue import STUCK_AFTER_S, depth_and_age
from demo.services.shop import wayward
from demo.services.shop.parts import Parts, parts

routes = Blueprint("health", __name__)

BACKUP_STALE_AFTER_S = 300.0
DISK_FULL_ABOVE = 0.95
# All are always on in this program; only a fault can switch one off.
SECURITY_FEATURES = ("second_factor", "store_authorization", "session_timeout", "token_validation", "throttling")


@routes.get("/health")
def health() -> ResponseReturnValue:
    """Well, or down: 503 when a server we cannot do without does not answer."""
    broken = wayward.health_answer()
    if broken is not None:
        return broken
    return _well_or_down({"status": "ok"}, {"status": "down"})


@routes.get("/health/live")
def live() -> ResponseReturnValue:
    """This process answers; nothing else is looked at."""
    return {"status": "alive"}


@routes.get("/health/ready")
def ready() -> ResponseReturnValue:
    """Whether requests may be sent here."""
    return _well_or_down({"status": "ready"}, {"status": "not ready"})


@routes.get("/health/detailed")
def detailed() -> ResponseReturnValue:
    """Every part, with figures, and whether each security feature is on in this process."""
    the = parts()
    checks = {
        "database": _timed(lambda: _ask_database(the)),
        "redis": _timed(lambda: the.cache.run("PING")),
        "queue": _queue(the),
        "disk": _disk(the),
        "backup": _backup(the),
    }
    is_down = "down" in (checks["database"]["status"], checks["redis"]["status"])
    is_well = all(check["status"] == "ok" for check in checks.values())
    answer = {
        "status": "ok" if is_well else "down" if is_down else "degraded",
        "version": the.settings.version,
        "time": datetime.fromtimestamp(misbehave.clock(), UTC).isoformat(timespec="milliseconds"),
        "checks": checks,
        "security": {name: name not in misbehave.features_off() for name in SECURITY_FEATURES},
    }
    return answer, 503 if is_down else 200


@routes.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Prometheus text format."""
    try:
        depth: int | None = depth_and_age(parts().cache)[0]
    except UnreachableError:
        depth = None
    text = "\n".join(parts().counters.lines(depth)) + "\n"
    return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _well_or_down(well: dict[str, str], down: dict[str, str]) -> ResponseReturnValue:
    try:
        _ask_database(parts())
        parts().cache.run("PING")
    except UnreachableError as error:
        return {**down, "unreachable": error.what}, 503
    return well


def _ask_database(the: Parts) -> object:
    with the.database.connection() as connection:
        return connection.execute("SELECT 1").fetchone()


def _timed(ask: Callable[[], object]) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        ask()
    except UnreachableError:
        return {"status": "down", "latency_ms": None}
    return {"status": "ok", "latency_ms": round((time.perf_counter() - start) * 1000, 3)}


def _queue(the: Parts) -> dict[str, Any]:
    try:
        depth, age_s = depth_and_age(the.cache)
    except UnreachableError:
        return {"status": "unknown", "depth": None, "oldest_s": None}
    return {"status": "stuck" if age_s > STUCK_AFTER_S else "ok", "depth": depth, "oldest_s": round(age_s, 1)}


def _disk(the: Parts) -> dict[str, Any]:
    usage = shutil.disk_usage(the.settings.directory)
    used = usage.used / (usage.used + usage.free)
    return {"status": "full" if used > DISK_FULL_ABOVE else "ok", "used_percent": round(used * 100, 1)}


def _backup(the: Parts) -> dict[str, Any]:
    found = newest(the.settings.backups)
    if found is None:
        return {"status": "missing", "age_s": None}
    age_s = max(0.0, time.time() - found.stat().st_mtime)
    return {"status": "stale" if age_s > BACKUP_STALE_AFTER_S else "ok", "age_s": round(age_s, 1)}
