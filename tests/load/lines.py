"""Lines of a stream, as load processes write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from golive.judge.load.histogram import Histogram

BEGAN = 1_760_000_000


def second(
    at: int, ms: Iterable[float] = (), *, worker: str = "w1", name: str = "GET /x", **failures: int
) -> dict[str, Any]:
    """A second with these latencies in milliseconds; failures as `http_500=1`, `timeout=2`."""
    histogram = Histogram.of(round(value * 1000) for value in ms)
    kinds = {kind.removeprefix("http_"): count for kind, count in failures.items()}
    return {
        "kind": "second",
        "at": BEGAN + at,
        "worker": worker,
        "name": name,
        "n": histogram.count,
        "failures": kinds,
        "histogram": histogram.as_data(),
    }


def state(at: float, users: int = 5, *, worker: str = "w1", cpu: float | None = 10.0) -> dict[str, Any]:
    return {
        "kind": "state",
        "at": BEGAN + at,
        "worker": worker,
        "users": users,
        "level": users,
        "cpu": cpu,
        "queued": 0,
    }


def began(at: float = 0) -> dict[str, Any]:
    return {"kind": "began", "at": BEGAN + at}


def lost(worker: str, at: float = 0) -> dict[str, Any]:
    return {"kind": "worker", "worker": worker, "state": "lost", "at": BEGAN + at}
