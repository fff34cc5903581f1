"""A cap on how often a target is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """A token bucket: `per_second` in the long run, after a short burst (a tenth of a second's worth, at least one).

    Shared by the threads of a process; whoever comes too early waits its turn.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap_s = 1 / per_second
        self._burst_s = max(0.0, 0.1 - self._gap_s)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._due = float("-inf")

    def wait(self) -> float:
        """Return when one more request is allowed, with the seconds that were waited."""
        with self._lock:
            now = self._clock()
            self._due = max(self._due, now - self._burst_s) + self._gap_s
            waited = max(0.0, self._due - self._gap_s - now)
        if waited:
            self._sleep(waited)
        return waited
