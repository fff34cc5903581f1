"""The two clocks that a watch lives by, and waiting: the real ones, and ones that tests move.

The wall clock says what time it is and may be set; the monotonic one says how much time went by on this machine,
never goes back, and stands still while the machine sleeps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What a watch asks of time."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""

    def monotonic(self) -> float:
        """Seconds since some moment, never fewer than before."""

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Return after `seconds`, or as soon as `stop` is set: whether it is."""


class RealClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds, without the time that the machine slept."""
        return time.monotonic()

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Return after `seconds`, or as soon as `stop` is set: whether it is."""
        return stop.wait(max(0.0, seconds))


class FakeClock:
    """Both clocks, moved by whoever waits; no real time passes.

    `at(seconds, action)` calls `action` once that much time went by, for what happens in between: a machine that
    sleeps (`sleep`), a clock that is set (`set_back`), a stop.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._gone_s = 0.0
        self._events: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that were waited."""
        return self._gone_s

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Let `seconds` go by with all that happens in them, unless `stop` is set or is set meanwhile."""
        until_s = self._gone_s + max(0.0, seconds)
        while not stop.is_set():
            due = min((event for event in self._events if event[0] <= until_s), default=None, key=lambda e: e[0])
            if due is None:
                self._pass(until_s - self._gone_s)
                break
            self._events.remove(due)
            self._pass(max(0.0, due[0] - self._gone_s))
            due[1]()
        return stop.is_set()

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Call `action` when `seconds` have been waited in all."""
        self._events.append((seconds, action))

    def sleep(self, seconds: float) -> None:
        """The machine sleeps: the wall clock goes on, the other one stands still."""
        self._now += timedelta(seconds=seconds)

    def set_back(self, seconds: float) -> None:
        """Somebody sets the wall clock back."""
        self._now -= timedelta(seconds=seconds)

    def _pass(self, seconds: float) -> None:
        self._gone_s += seconds
        self._now += timedelta(seconds=seconds)
