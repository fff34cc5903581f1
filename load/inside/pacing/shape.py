"""The shape that locust follows: as many users as the plan has at each time, or the pool of the open model."""

from __future__ import annotations

import math
from typing import Any, Protocol

import gevent
from locust import LoadTestShape

from load.inside.engine import Engine

_TICK_S = 1.0
Tick = tuple[int, float] | tuple[int, float, Any]


class Governor(Protocol):
    """Who is told when the load begins and when its last stage is over."""

    engine: Engine

    def begin(self) -> None:
        """Called before the first user starts."""

    def finish(self) -> None:
        """Returns when all that was measured has been handed over."""


class Planned(LoadTestShape):
    """Asked once a second by the master or the lone process; waits for a bend that comes before the next question."""

    abstract = True
    governor: Governor

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._last: tuple[int, float] | None = None

    def tick(self) -> tuple[int, float] | None:
        """(users, users to start or stop per second); None when it is over."""
        engine = self.governor.engine
        if engine.began is None:
            self.governor.begin()
        elif (bend := engine.course.next_bend(engine.elapsed_s)) - engine.elapsed_s < _TICK_S:
            gevent.sleep(max(0.0, bend - engine.elapsed_s))
        if engine.elapsed_s >= engine.course.end_s:
            self.governor.finish()
            return None
        users = wanted(engine)
        if self._last is None or self._last[0] != users:
            # All that is missing at once: a ramp is made of the questions, one a second.
            self._last = users, float(max(1, abs(users - (self._last or (0, 0))[0])))
        return self._last


def wanted(engine: Engine) -> int:
    """How many users there are to be until the next question."""
    plan = engine.plan
    if plan.is_open:
        return max(plan.users, plan.workers)
    now = engine.elapsed_s
    level = engine.course.mean(now, min(now + _TICK_S, engine.course.next_bend(now)))
    return max(1, math.floor(level + 0.5)) if level > 0 else 0


def governed(shape: type[LoadTestShape], governor: Governor) -> type[LoadTestShape]:
    """A shape of the user's own with the caps of the plan, which also ends in order."""

    class Governed(shape):  # type: ignore[misc, valid-type]
        """What the user's shape says, capped."""

        def tick(self) -> Any:
            """As the user's own."""
            engine = governor.engine
            if engine.began is None:
                self.reset_time()
                governor.begin()
            said = super().tick()
            if said is None:
                governor.finish()
                return None
            most = engine.plan.max_users
            return said if most is None else (min(said[0], most), *said[1:])

    return Governed
