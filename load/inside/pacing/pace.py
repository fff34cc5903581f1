"""A cap on the requests per second of one process. Pure: whoever asks is told how long to wait."""

from __future__ import annotations

from collections import deque

_BURST_S = 0.1


class Pace:
    """At most `per_second` in any second, and in any tenth of it a tenth of them, so that bursts stay short."""

    def __init__(self, per_second: float) -> None:
        burst, second = max(1, int(per_second * _BURST_S)), max(1, int(per_second))
        self._windows = [
            (deque[float](maxlen=burst), burst / per_second),
            (deque[float](maxlen=second), max(1.0, second / per_second)),
        ]

    def wait_s(self, now_s: float) -> float:
        """How long to wait before the one request that is granted by this."""
        at = now_s
        for granted, window_s in self._windows:
            if len(granted) == granted.maxlen:
                at = max(at, granted[0] + window_s)
        for granted, _ in self._windows:
            granted.append(at)
        return at - now_s
