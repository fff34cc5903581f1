"""Limits proposed from what was measured: above it with room to grow, round, and none where there is no room. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

WARNING, CRITICAL = 75, 85
"""Where nothing that was measured stands in the way, a share in use is worth a warning, and is too much."""
_ROOM = 10
_HIGHEST_WARNING, _HIGHEST = 95, 98
_NICE = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Warning and critical limit, and what has to be said about them. `critical` None: no limit leaves any room."""

    warning: int | None
    critical: int | None
    remark: str = ""


def share(used_percent: float) -> Limits:
    """Limits for a share of a hundred that must stay below them."""
    if used_percent >= _HIGHEST - 0.5:
        return Limits(warning=None, critical=None, remark="no limit leaves room: make room first")
    critical = min(_HIGHEST, max(CRITICAL, _up_to(used_percent + _ROOM, 5)))
    warning = max(WARNING, _up_to(used_percent + _ROOM / 2, 5))
    return Limits(
        warning=warning if warning <= min(_HIGHEST_WARNING, critical - 1) else None,
        critical=critical,
        remark="" if used_percent < WARNING else "already high: look why before you trust this limit",
    )


def above(measured: float, *, times: float, least: float) -> float:
    """A round number of at least `least` and at least `times` what was measured."""
    wanted = max(least, measured * times)
    if wanted <= 0:
        return 0.0
    whole = 10.0 ** math.floor(math.log10(wanted))
    return next(nice * whole for nice in _NICE if nice * whole >= wanted * (1 - 1e-9))


def milliseconds(measured_ms: float, *, times: float, least_ms: float) -> str:
    """`above` as a duration: `500 ms`, `2 s`."""
    limit = above(measured_ms, times=times, least=least_ms)
    return f"{limit / 1000:g} s" if limit >= 1000 else f"{limit:g} ms"


def size(measured_bytes: float, *, times: float, least_bytes: float) -> str:
    """`above` as a size in MB."""
    return f"{above(measured_bytes / 1e6, times=times, least=least_bytes / 1e6):g} MB"


def _up_to(value: float, step: int) -> int:
    return math.ceil(value / step) * step
