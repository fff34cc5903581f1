"""A worker: hands what it measured over to its master once a second, and the rest when it is told to finish."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from load.inside.engine import Engine
from load.inside.users.scenarios import Journey

FINISH = "golive_finish"
FINAL = "golive_final"
REPORT = "golive"


class Member:
    """What goes to the master is numbered, so that a missing report is noticed there."""

    def __init__(self, engine: Engine, journeys: Sequence[Journey], names: Sequence[str]) -> None:
        self.engine = engine
        self.environment: Any = None
        self._journeys = journeys
        self._names = list(names)
        self._number = 0
        self._is_final = False

    def listen(self, events: Any) -> None:
        """The first report is sent before locust says `init`."""
        events.report_to_master.add_listener(self._report)

    def attach(self, environment: Any) -> None:
        """Listen to locust, whose runner is there by now."""
        self.environment = environment
        environment.runner.register_message(FINISH, self._finish, concurrent=True)
        environment.events.test_start.add_listener(self._begin)
        environment.events.quitting.add_listener(self._hurry)

    def _begin(self, **_: Any) -> None:
        if self.engine.began is not None:
            return  # one that was taken for lost and came back goes on where it is
        index = max(0, self.environment.runner.worker_index)
        self.engine.begin(index)
        for journey in self._journeys:
            journey.begin_turns(index, self.engine.plan.workers)

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        users = self.environment.runner.user_count if self.environment else 0
        engine = self.engine
        data[REPORT] = self._payload([*engine.recorder.take(before=engine.now()), engine.state(users)])

    def _finish(self, msg: Any, **_: Any) -> None:
        drain_s = float(msg.data["drain_s"])
        if drain_s:
            self.engine.complete()
        self._hand_over(drain_s)

    def _hurry(self, **_: Any) -> None:
        self._hand_over(0)

    def _hand_over(self, drain_s: float) -> None:
        engine = self.engine
        users = self.environment.runner.user_count
        engine.drain(drain_s)
        self.environment.stop_timeout = 0
        self.environment.runner.stop()
        engine.count_what_never_began(self._names)
        if not self._is_final:
            self._is_final = True
            lines = [*engine.recorder.take(), engine.state(users)]
            self.environment.runner.send_message(FINAL, {**self._payload(lines), "final": True})

    def _payload(self, lines: Sequence[Any]) -> dict[str, Any]:
        self._number += 1
        return {"worker": self.engine.plan.worker, "number": self._number, "lines": list(lines)}


def spread(names: Sequence[str], weights: Sequence[float]) -> list[str]:
    """Names in proportion to their weights, for what never came so far as to be chosen."""
    return random.choices(names, weights, k=100) if names else ["request"]  # noqa: S311
