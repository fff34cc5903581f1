"""Loads to report on: a working day, an open one that queued, and those in which little or nothing happened."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from golive.judge.load.histogram import Histogram
from golive.judge.load.result import LoadResult, result_of
from golive.model import Phase

BEGAN = 1_795_000_000
ORDERS, SALE, LOGIN = "GET /api/stores/{id}/orders", "POST /api/orders", "POST /api/auth/login"


@dataclass(frozen=True)
class Params:
    """As much of a load check's parameters as the report asks for."""

    profile: str = "steady"
    request: str | None = None
    phase: str | None = None
    of: str = "p95"
    host: str | None = None


def phases(*told: tuple[str, float, float], start_s: float = 0.0) -> tuple[Phase, ...]:
    """Phases of (name, seconds, level), one after the other."""
    found = []
    for name, seconds, level in told:
        kind = name.partition(" ")[0]
        found.append(Phase(kind=kind, name=name, start_s=start_s, end_s=start_s + seconds, level=level))
        start_s += seconds
    return tuple(found)


DAY = phases(("ramp 1", 10, 20), ("hold 1", 20, 20), ("spike 1", 5, 60), ("hold 2", 10, 20))


def day(
    seconds: int = 45, *, slow: float = 0.0, stopped: str = "", names: Iterable[str] = (ORDERS, SALE, LOGIN)
) -> LoadResult:
    """A closed load; `slow` is the share of requests that take 1.5 s. It ends after `seconds`."""
    drawn = random.Random(4)
    lines: list[dict[str, Any]] = [{"kind": "began", "at": BEGAN}]
    for at in range(seconds):
        level = 2 * at if at < 10 else 60 if 30 <= at < 35 else 20
        lines.append(state(at, users=level, cpu=20 + level / 3))
        for i, name in enumerate(names):
            n = max(1, int(level * 2.5 / (i + 1)))
            took = [_latency(drawn, slow, busy=level > 40) for _ in range(n)]
            failures = {"503": n // 12, "timeout": n // 30} if level > 40 else {}
            lines.append(second(at, name, took, failures))
    lines.append({"kind": "ended", "at": BEGAN + seconds, "reason": "stopped" if stopped else "done"})
    made = result_of(profile="steady", model="closed", planned=DAY, lines=lines, stopped=stopped)
    cpu = [[BEGAN + at, 18 + 40 * math.sin(at / 9) ** 2] for at in range(0, seconds, 2)]
    return replace(
        made, samples={"cpu app": cpu, "connections main": [[at, 5 + n % 7] for n, (at, _) in enumerate(cpu)]}
    )


def queued(seconds: int = 30) -> LoadResult:
    """An open load of 40 arrivals a second; from the twelfth second on the server stalls now and then."""
    drawn = random.Random(7)
    lines: list[dict[str, Any]] = [{"kind": "began", "at": BEGAN}]
    for at in range(seconds):
        stalls = at >= 12 and at % 5 < 2
        took = [_latency(drawn, 0.05 if stalls else 0.0, busy=False) for _ in range(40)]
        late = [us + (drawn.randrange(400_000) if stalls else 0) for us in took]
        lines.append({**second(at, ORDERS, took), "intended": Histogram.of(late).as_data(), "late_us": 9})
        lines.append(state(at, users=9 if stalls else 3, level=40, queued=14 if stalls else 0))
    lines.append({"kind": "ended", "at": BEGAN + seconds, "reason": "done"})
    planned = phases(("hold 1", 12, 40), ("hold 2", 18, 40))
    return result_of(profile="steady", model="open", planned=planned, lines=lines)


def nothing(seconds: int = 3) -> LoadResult:
    """A load without a single answer."""
    lines = [{"kind": "began", "at": BEGAN}, {"kind": "ended", "at": BEGAN + seconds, "reason": "stopped"}]
    return result_of(profile="steady", model="closed", planned=DAY, lines=lines, stopped="the target refused to talk")


def second(at: int, name: str, took_us: list[int], failures: dict[str, int] | None = None) -> dict[str, Any]:
    """A line of the stream: what one second of one request name held."""
    told = {kind: number for kind, number in (failures or {}).items() if number}
    data = Histogram.of(took_us).as_data()
    return {
        "kind": "second",
        "at": BEGAN + at,
        "worker": "w1",
        "name": name,
        "n": len(took_us),
        "failures": told,
        "histogram": data,
    }


def state(
    at: int, *, users: int, cpu: float = 20.0, level: float | None = None, queued: int = 0, worker: str = "w1"
) -> dict[str, Any]:
    """A line of the stream: how a load process was."""
    wanted = users if level is None else level
    return {
        "kind": "state",
        "at": BEGAN + at,
        "worker": worker,
        "users": users,
        "level": wanted,
        "cpu": cpu,
        "queued": queued,
    }


def _latency(drawn: random.Random, slow: float, *, busy: bool) -> int:
    if drawn.random() < slow:
        return 1_500_000 + drawn.randrange(20_000)
    return int(drawn.lognormvariate(9.2 if busy else 8.3, 0.5))
