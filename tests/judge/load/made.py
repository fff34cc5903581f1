"""Lines as load processes write them, made by tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from golive.judge.load.histogram import Histogram
from golive.model import Phase

BEGAN = 1_760_000_000.0
SHAPE = (
    Phase(kind="ramp", name="ramp 1", start_s=0.0, end_s=5.0, level=20.0),
    Phase(kind="hold", name="hold 1", start_s=5.0, end_s=15.0, level=20.0),
    Phase(kind="spike", name="spike 1", start_s=15.0, end_s=18.0, level=60.0),
    Phase(kind="hold", name="hold 2", start_s=18.0, end_s=20.0, level=20.0),
)


def second(
    after: float,
    values_us: Iterable[int] = (1000,),
    *,
    name: str = "GET /a",
    worker: str = "w1",
    failures: dict[str, int] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What one process counted of one name, `after` seconds after the load began."""
    values = list(values_us)
    return {
        "kind": "second", "at": int(BEGAN + after), "worker": worker, "name": name, "n": len(values),
        "failures": failures or {}, "histogram": Histogram.of(values).as_data(), **more,
    }  # fmt: skip


def state(after: float, *, worker: str = "w1", users: int = 20, cpu: float | None = 40.0) -> dict[str, Any]:
    """What one process told of itself."""
    return {"kind": "state", "at": BEGAN + after, "worker": worker, "users": users, "level": 20, "cpu": cpu}


def began(after: float = 0.0) -> dict[str, Any]:
    """The first line."""
    return {"kind": "began", "at": BEGAN + after}


def ended(after: float = 20.0, reason: str = "done") -> dict[str, Any]:
    """The last line."""
    return {"kind": "ended", "at": BEGAN + after, "reason": reason}


def worker(name: str, became: str, after: float = 0.0) -> dict[str, Any]:
    """What became of a process."""
    return {"kind": "worker", "worker": name, "state": became, "at": BEGAN + after}


def whole(*more: dict[str, Any], values: Iterable[int] = (1000,)) -> list[dict[str, Any]]:
    """A load of 20 s, a request of each value in every second."""
    kept = list(values)
    return [
        began(),
        *(state(after) for after in range(20)),
        *(second(after, kept) for after in range(20)),
        *more,
        ended(),
    ]
