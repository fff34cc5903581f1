"""What the users, the shape and the reports of one process share."""

from __future__ import annotations

import math
import os
import random
import time
from itertools import count
from typing import Any

import gevent

from load.inside.pacing.arrivals import Arrivals
from load.inside.pacing.course import Course
from load.inside.pacing.pace import Pace
from load.inside.plan import Plan
from load.inside.telling.aggregate import Recorder

_LOOK_S = 0.01
_LATE_S = 3.0
"""How much later than the others a worker may have begun."""
_QUEUE_S = 2.0
"""How long arrivals that wait for a free user when the last stage is over may still be taken."""


class Engine:
    """The clock of a load, its pace and its figures in this process."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.course = Course(plan.levels)
        self.recorder = Recorder(plan.worker, is_open=plan.is_open, secrets=plan.secrets)
        self.arrivals = Arrivals(Course([]))
        self.pace = None if plan.max_rate is None else Pace(plan.max_rate / plan.workers)
        self.is_ending = False
        self.is_closed = False
        self._last_s = self.course.end_s - 1e-6
        self.began: float | None = None
        # From here on this clock is told, so that a step of the machine's clock moves no request into another second.
        self._unix = time.time() - time.perf_counter()
        self._cpu = (time.perf_counter(), time.process_time())
        self._ids = count(1)
        self._id_start = f"{plan.request_id_prefix}-{plan.worker}-{os.urandom(3).hex()}-"

    def begin(self, index: int) -> None:
        """Now is second 0 of the load; `index` says which of the workers this is, from 0 on."""
        self.began = time.perf_counter()
        source = random.Random() if self.plan.poisson else None  # noqa: S311 - arrivals need no secrecy
        self.arrivals = Arrivals(self.course, index=index % self.plan.workers, of=self.plan.workers, poisson=source)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning; 0 before it."""
        return 0.0 if self.began is None else time.perf_counter() - self.began

    def unix(self, at: float) -> float:
        """A time of `perf_counter` as unix seconds."""
        return at + self._unix

    def now(self) -> float:
        """Unix seconds."""
        return time.perf_counter() + self._unix

    def request_id(self) -> str:
        """A new one for each request."""
        return f"{self._id_start}{next(self._ids)}"

    def wait_for_pace(self) -> None:
        """Return when the cap on requests per second allows one more."""
        if self.pace is not None and (wait := self.pace.wait_s(time.perf_counter())) > 0:
            gevent.sleep(wait)

    def complete(self) -> None:
        """Return when the last stage is over by this process's own clock, which may have begun a little late."""
        if self.began is not None:
            gevent.sleep(min(_LATE_S, max(0.0, self.course.end_s - self.elapsed_s)))

    def drain(self, most_s: float) -> None:
        """Begin no more requests; return when those on their way are answered, at the latest after `most_s` seconds.

        Arrivals that wait for a free user are taken for a moment longer; a queue is no reason to go on.
        """
        if not self.is_ending:
            self.is_ending = True
            self.recorder.end_at(self._last_second() if most_s else int(self.now()))
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < most_s:
            self.is_closed = passed >= _QUEUE_S
            if not self.recorder.in_flight and (self.is_closed or not self._queued()):
                break
            gevent.sleep(_LOOK_S)

    def _last_second(self) -> int:
        """The last second that belongs to the last stage: what is answered late began in it, or before."""
        late_s = self.elapsed_s - self.course.end_s
        end = self.now() - (late_s if 0 <= late_s <= _LATE_S else 0.0)
        return math.ceil(end - 0.5) - 1

    def state(self, users: int, *, is_worker: bool = True) -> dict[str, Any]:
        """The line of kind `state`; its CPU is what this process used since the last one."""
        (then, used_then), self._cpu = self._cpu, (time.perf_counter(), time.process_time())
        passed = max(1e-6, self._cpu[0] - then)
        return {
            "kind": "state",
            "at": int(self.now()),
            "worker": self.plan.worker,
            "users": users,
            "level": 0.0 if self.began is None else round(self.course.at(min(self.elapsed_s, self._last_s)), 3),
            "cpu": round(100 * (self._cpu[1] - used_then) / passed, 1),
            "queued": self._queued() if is_worker else 0,
        }

    def count_what_never_began(self, names: list[str]) -> None:
        """Arrivals that were due and found no free user are unfinished requests of one of these names."""
        for number in range(self._queued()):
            self.arrivals.claim()
            self.recorder.unfinished(self.now(), names[number % len(names)])

    def _queued(self) -> int:
        if not self.plan.is_open or self.began is None:
            return 0
        return self.arrivals.queued(self.elapsed_s)
