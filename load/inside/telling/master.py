"""The master: tells workers when it is over, gathers what they measured, and writes the one stream."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gevent
from locust.runners import STATE_MISSING

from load.inside.engine import Engine
from load.inside.telling.alone import at_sigterm, every_second
from load.inside.telling.member import FINAL, FINISH, REPORT
from load.inside.telling.stream import Stream

_HAND_OVER_S = 2.5
"""How long workers have to stop their users and hand over, besides the time of requests on their way."""
_LATE_S = 3.0
"""How much later than the master a worker may have begun, and so end."""
_LOOK_S = 0.02


@dataclass
class _Member:
    """What is known of a worker."""

    client: str
    state: str = "joined"
    number: int = 0


class Master:
    """It makes no load itself. Whoever is told to finish answers with its last figures, which are waited for."""

    def __init__(self, engine: Engine, stream: Stream) -> None:
        self.engine = engine
        self.stream = stream
        self.environment: Any = None
        self._members: dict[str, _Member] = {}
        self._reason = "stopped"
        self._is_finishing = False
        self._is_over = False

    def listen(self, events: Any) -> None:
        """Workers report before locust says `init`."""
        events.worker_report.add_listener(self._reported)

    def attach(self, environment: Any) -> None:
        """Listen to locust, whose runner is there by now."""
        self.environment = environment
        environment.stop_timeout = self.engine.plan.timeout_s
        environment.runner.register_message(FINAL, self._final)
        # In reverse order when it quits: this comes before locust tells its workers to quit.
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
        self._finish(self.engine.plan.timeout_s)

    def second(self) -> None:
        """Who is lost, and how busy the master itself is."""
        for name, member in self._members.items():
            known = self.environment.runner.clients.get(member.client)
            if member.state == "joined" and (known is None or known.state == STATE_MISSING):
                self._tell(name, "lost")
        self.stream.write([*self.engine.recorder.take(), self.engine.state(0, is_worker=False)])

    def _reported(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        if REPORT in data:
            self._take(client_id, data[REPORT])

    def _final(self, msg: Any, **_: Any) -> None:
        self._take(msg.node_id, msg.data)

    def _take(self, client: str, payload: dict[str, Any]) -> None:
        name, number = str(payload["worker"]), int(payload["number"])
        member = self._members.setdefault(name, _Member(client, state=""))
        if number > member.number + 1:
            self.engine.recorder.problem(f"a report of worker {name} got lost")
        member.client, member.number = client, number
        if member.state not in ("joined", "quit"):
            self._tell(name, "joined")
        self.stream.write(payload["lines"])
        if payload.get("final"):
            if not self._is_finishing:
                after = round(self.engine.elapsed_s)
                self.engine.recorder.problem(f"worker {name} ended by itself after {after} s")
            self._tell(name, "quit")

    def _tell(self, name: str, state: str) -> None:
        self._members[name].state = state
        line = {"kind": "worker", "worker": name, "state": state, "at": round(self.engine.now(), 3)}
        self.stream.write([line])

    def _hurry(self, **_: Any) -> None:
        self._finish(0)

    def _finish(self, drain_s: float) -> None:
        if self._is_finishing:
            return
        self._is_finishing = True
        self.engine.drain(0)
        self.environment.stop_timeout = 0
        self.environment.runner.send_message(FINISH, {"drain_s": drain_s})
        until = time.monotonic() + drain_s + (_LATE_S if drain_s else 0.0) + _HAND_OVER_S
        while time.monotonic() < until and self._missing():
            gevent.sleep(_LOOK_S)
        for name in self._missing():
            self._tell(name, "lost")
            self.engine.recorder.problem(f"worker {name} did not hand over its last figures")
        self._end()

    def _missing(self) -> list[str]:
        """Those that are there and have not handed over."""
        return [name for name, member in self._members.items() if member.state == "joined"]

    def _end(self, **_: Any) -> None:
        if not self._is_over:
            self._is_over = True
            ended = {"kind": "ended", "at": round(self.engine.now(), 3), "reason": self._reason}
            self.stream.write([*self.engine.recorder.take(), self.engine.state(0, is_worker=False), ended])
            self.stream.close()
