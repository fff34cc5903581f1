"""A process that makes the load by itself, and writes the stream."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

import gevent

from load.inside.engine import Engine
from load.inside.telling.stream import Stream

_AFTER_S = 0.02
"""A second is written so much after it is over."""


class Alone:
    """Writes a line for all that happens, once a second, and the last ones when the users are gone."""

    def __init__(self, engine: Engine, stream: Stream, names: Sequence[str]) -> None:
        self.engine = engine
        self.stream = stream
        self.environment: Any = None
        self._names = list(names)
        self._reason = "stopped"
        self._is_over = False
        self._users = 0

    def attach(self, environment: Any) -> None:
        """Listen to locust, whose runner is there by now."""
        self.environment = environment
        environment.stop_timeout = self.engine.plan.timeout_s
        environment.events.quitting.add_listener(self._hurry)
        environment.events.quit.add_listener(self._end)
        every_second(self.engine, self.second)
        at_sigterm(environment, self._hurry)

    def begin(self) -> None:
        """The first second."""
        self.engine.begin(0)
        self.stream.write([{"kind": "began", "at": round(self.engine.now(), 3)}])

    def finish(self) -> None:
        """The last stage is over."""
        self._reason = "done"
        # As long as any request may take: one that hangs is a time-out, and not left out of all figures.
        self.engine.drain(self.engine.plan.timeout_s)
        self.environment.stop_timeout = 0

    def second(self) -> None:
        """What was measured in the seconds that are over."""
        engine = self.engine
        lines = engine.recorder.take(before=engine.now())
        self._users = self.environment.runner.user_count or self._users
        self.stream.write([*lines, engine.state(self._users)])

    def _hurry(self, **_: Any) -> None:
        self.engine.drain(0)
        self.environment.stop_timeout = 0

    def _end(self, **_: Any) -> None:
        if not self._is_over:
            self._is_over = True
            self.engine.count_what_never_began(self._names)
            ended = {"kind": "ended", "at": round(self.engine.now(), 3), "reason": self._reason}
            self.stream.write([*self.engine.recorder.take(), self.engine.state(self._users), ended])
            self.stream.close()


def at_sigterm(environment: Any, hurry: Callable[[], None]) -> None:
    """End in order. Locust itself listens to SIGTERM only when its shape is over."""

    def end() -> None:
        hurry()
        environment.runner.quit()

    gevent.signal_handler(signal.SIGTERM, end)


def every_second(engine: Engine, action: Callable[[], None]) -> None:
    """Call it whenever a second is over. An error in it ends the process: what cannot be told must not go on."""

    def clock() -> None:
        while True:
            gevent.sleep(1 - engine.now() % 1 + _AFTER_S)
            action()

    gevent.spawn(clock).link_exception(lambda _: os.kill(os.getpid(), signal.SIGTERM))
