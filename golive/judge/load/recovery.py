"""How long it takes after a spike until latencies are what they were before it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from golive.judge.load.records import Totals, added
from golive.judge.load.result import LoadResult
from golive.model import CouldNotLook, Phase

_P = 95.0
_ENOUGH = 0.5
"""Where less than this share of the requests of before is answered, nothing has recovered, however quick they are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovery:
    """p95 before a spike, what counts as back to that, and after how many seconds it was (None: never).

    `after_ms` is p95 of each window after the spike, one a second; None where too little was answered.
    """

    before_ms: float
    limit_ms: float
    after_s: float | None
    after_ms: tuple[float | None, ...]


def recovery(
    result: LoadResult,
    spike: str,
    *,
    factor: float,
    floor_ms: float,
    request: str | None = None,
    settled_s: int = 3,
    min_samples: int = 20,
) -> Recovery:
    """When p95 over `settled_s` seconds was first at most `factor` times what it was in the phase before `spike`.

    Up to `floor_ms` is always back. CouldNotLook when the load never came so far, or when before the spike fewer than
    `min_samples` requests were answered in that time; ValueError when nothing was planned before or after the spike.
    """
    before, after = _around(result.planned, spike)
    begun = {phase.name: phase for phase in result.phases}
    usual = result.window(request, before.name)
    expected = _good(usual) / usual.seconds * settled_s if usual.seconds else 0.0
    if expected < min_samples:
        raise CouldNotLook(f"only {expected:.0f} requests in {settled_s} s before {spike}, {min_samples} are needed")
    if not any(phase.name in begun for phase in after):
        raise CouldNotLook(f"the load ended before {spike} was over")
    before_ms = usual.latency.percentile(_P)
    limit_ms = max(before_ms * factor, floor_ms)
    first = math.ceil(result.began_at + after[0].start_s)
    last = math.floor(result.began_at + max(begun[phase.name].end_s for phase in after if phase.name in begun))
    found = [_p95(_window(result, request, at, settled_s), expected) for at in range(first, last - settled_s + 1)]
    back = next((i for i, value in enumerate(found) if value is not None and value <= limit_ms), None)
    return Recovery(
        before_ms=before_ms,
        limit_ms=limit_ms,
        after_s=None if back is None else float(back),
        after_ms=tuple(found),
    )


def _around(planned: Sequence[Phase], spike: str) -> tuple[Phase, list[Phase]]:
    """The phase before a spike, and those after it up to the next one."""
    place = next(i for i, phase in enumerate(planned) if phase.name == spike)
    after = list(takewhile(lambda phase: phase.kind != "spike", planned[place + 1 :]))
    if place == 0 or not after:
        raise ValueError(f"nothing comes {'before' if place == 0 else 'after'} {spike}")
    return planned[place - 1], after


def _window(result: LoadResult, request: str | None, at: int, length: int) -> Totals:
    seconds = (s for s in result.seconds if at <= s.at < at + length and request in (None, s.name))
    return added(seconds, float(length))


def _p95(window: Totals, expected: float) -> float | None:
    return window.latency.percentile(_P) if _good(window) >= max(1.0, expected * _ENOUGH) else None


def _good(totals: Totals) -> int:
    """Answers that were wanted: to refuse everybody is quick, and no recovery."""
    return totals.n - totals.failed()
