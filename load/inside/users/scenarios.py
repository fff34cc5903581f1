"""The users that locust runs: journeys with think times (closed model), or a pool that serves arrivals (open model)."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, ClassVar, NoReturn

import gevent
from gevent import GreenletExit
from locust import User, constant, task
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from load.inside.engine import Engine
from load.inside.plan import Plan, ScenarioPlan
from load.inside.users.connection import Connection, is_ours, kind_of, opener
from load.inside.users.journeys import Step, saved_from, steps_of

_AFTER_TROUBLE_S = 0.1
"""A user whose connection failed does not try again at once, or one refusing server is asked thousands of times."""
_GRAIN_S = 0.002
"""How exactly a sleeper is woken. Having slept that much longer is not being late."""
_IDLE_S = 60.0

Values = dict[str, Any]


class Journey:
    """A scenario with all that its users share."""

    def __init__(self, scenario: ScenarioPlan, plan: Plan) -> None:
        self.name = scenario.name
        self.weight = scenario.weight
        self.account = scenario.account
        self.steps: tuple[Step, ...] = steps_of(scenario, plan)
        self._think_s = scenario.think_s
        self._rows = scenario.rows
        self._in_turn = scenario.in_turn
        self._turn: Iterator[int] = count()

    def begin_turns(self, index: int, of: int) -> None:
        """Workers take rows in turn like dealt cards."""
        self._turn = count(index, of)

    def values(self) -> Values:
        """A row of the feed."""
        if not self._rows:
            return {}
        at = next(self._turn) % len(self._rows) if self._in_turn else random.randrange(len(self._rows))  # noqa: S311
        return dict(self._rows[at])

    def think_s(self) -> float:
        """How long to think before the next request."""
        low, high = self._think_s
        return low + random.random() * (high - low)  # noqa: S311 - a pause needs no secrecy


class Sender(User):
    """A user with a connection of its own."""

    abstract = True
    wait_time = constant(1)  # only after an error of ours: a journey does its own waiting
    engine: ClassVar[Engine]
    open_socket: ClassVar[Any]

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.connection = Connection(type(self).open_socket)
        self._timer = self.engine.plan.timeout_s

    def on_stop(self) -> None:
        """Its connection goes with it."""
        self.connection.close()

    def send(self, step: Step, journey: Journey, values: Values, due: float | None = None) -> str | None:
        """One request, measured and counted. `due`: when it was meant to begin. Returns the kind of its failure."""
        engine, recorder, body, failure = self.engine, self.engine.recorder, b"", None
        request = step.request(values, engine.request_id().encode())
        self._await_turn(step, due)
        recorder.in_flight += 1
        began = time.perf_counter()
        limit = gevent.Timeout.start_new(self._timer)
        try:
            status, body = self.connection.exchange(
                request, is_head=step.is_head, keep=bool(step.save), is_repeatable=step.is_repeatable
            )
            failure = None if step.is_wanted(status) else str(status)
            if step.is_diverted(status):
                recorder.problem(
                    f"{step.name} was redirected ({status}), is the session over? If not, give its 'status'"
                )
        except gevent.Timeout as error:
            if error is not limit:
                raise
            failure = "timeout"
        except GreenletExit:
            recorder.unfinished(engine.now(), step.name)
            if step.clean_up:
                recorder.unsure(step.name)
            raise
        except Exception as error:  # noqa: BLE001 - whatever a server can provoke is a failure of the request, by name
            failure = self._told(error)
        finally:
            limit.close()
            recorder.in_flight -= 1
        ended = time.perf_counter()
        if failure is None and (step.save or step.clean_up):
            failure = self._keep(step, journey, values, body)
        elif step.clean_up and not (failure or "").isdigit():
            recorder.unsure(step.name)
        late_us = 0 if due is None else max(0, int((began - due) * 1e6))
        recorder.request(engine.unix(ended), step.name, int((ended - began) * 1e6), failure, late_us)
        return failure

    def rest(self, seconds: float) -> None:
        """Sleep; a user that is to stop need not wake up for it."""
        self.stop_if_told()
        self._state = LOCUST_STATE_WAITING  # who waits is ended at once, who has asked may hear the answer
        gevent.sleep(seconds)
        self.stop_if_told()
        self._state = LOCUST_STATE_RUNNING

    def idle(self) -> NoReturn:
        """Ask nothing more, and be there until the end."""
        while True:
            self.rest(_IDLE_S)

    def stop_if_told(self) -> None:
        """StopUser when fewer users are wanted."""
        if self._state == LOCUST_STATE_STOPPING:
            raise StopUser

    def _await_turn(self, step: Step, due: float | None) -> None:
        try:
            self.engine.wait_for_pace()
        except GreenletExit:
            if due is not None:  # it has arrived, if only here
                self.engine.recorder.unfinished(self.engine.now(), step.name)
            raise
        if due is None and self.engine.is_ending:
            self.idle()

    def _keep(self, step: Step, journey: Journey, values: Values, body: bytes) -> str | None:
        try:
            if step.save:
                values.update(saved_from(body, step.save))
            if (undo := step.undo(values)) is not None:
                self.engine.recorder.made(undo, journey.account)
        except (ValueError, KeyError) as error:
            self.engine.recorder.problem(f"{step.name}: {error}")
            if step.clean_up:
                self.engine.recorder.unsure(step.name)
            return "failed"
        return None

    def _told(self, error: Exception) -> str:
        kind = kind_of(error)
        if is_ours(error):
            self.engine.recorder.problem(f"the machine that makes the load has run out of something: {error}")
        elif kind.startswith("other"):
            self.engine.recorder.problem(f"requests failed: {type(error).__name__}: {error}")
        return kind


class Walker(Sender):
    """Closed model: one journey after the other, thinking after each request."""

    abstract = True
    journey: ClassVar[Journey]

    @task
    def walk(self) -> None:
        """Until it is stopped."""
        engine, journey = self.engine, self.journey
        while not engine.is_ending:
            values = journey.values()
            for step in journey.steps:
                if engine.is_ending or not step.needs <= values.keys():
                    break
                failure = self.send(step, journey, values)
                pause = journey.think_s()
                if failure is not None and not failure.isdigit():
                    pause = max(pause, _AFTER_TROUBLE_S)
                if pause:
                    self.rest(pause)
                else:
                    self.stop_if_told()
        self.idle()


class Server(Sender):
    """Open model: takes the next arrival, waits until it is due, and goes on its journey."""

    abstract = True
    journeys: ClassVar[Sequence[Journey]]

    @task
    def serve(self) -> None:
        """Until no more arrive."""
        engine = self.engine
        weights = [journey.weight for journey in self.journeys]
        while not engine.is_closed and (arrival := engine.arrivals.claim()) is not None:
            due = (engine.began or 0.0) + arrival
            engine.recorder.in_flight += 1
            try:
                if (wait := due - time.perf_counter()) > 0:
                    self.rest(wait)
                    now = time.perf_counter()
                    due = now if now - due <= _GRAIN_S else due
                self._go(random.choices(self.journeys, weights)[0], due)  # noqa: S311
            finally:
                engine.recorder.in_flight -= 1
        self.idle()

    def _go(self, journey: Journey, due: float) -> None:
        values = journey.values()
        first: float | None = due
        for step in journey.steps:
            if not step.needs <= values.keys() or (first is None and self.engine.is_ending):
                break
            self.send(step, journey, values, first)
            self.stop_if_told()
            first = None


def user_classes(engine: Engine) -> tuple[Mapping[str, type[User]], Sequence[Journey]]:
    """The classes by their names for locust, and the journeys behind them. ValueError for a journey that cannot be."""
    plan = engine.plan
    shared: dict[str, Any] = {"engine": engine, "open_socket": staticmethod(opener(plan)), "abstract": False}
    journeys = [Journey(scenario, plan) for scenario in plan.scenarios]
    if plan.is_open:
        return {"Pool": type("Pool", (Server,), {**shared, "journeys": journeys})}, journeys
    made = {}
    for number, journey in enumerate(journeys, 1):
        name = f"Scenario{number}"
        made[name] = type(name, (Walker,), {**shared, "journey": journey, "weight": journey.weight})
    return made, journeys
