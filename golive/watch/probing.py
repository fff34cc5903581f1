"""Availability between the checkpoints: every endpoint is asked again and again, each by a thread of its own.

What an answer means: as expected and in time is up; any other answer, a refusal, a time-out, a certificate that does
not verify and a name that does not exist are down, since no user gets further. Trouble of this machine (no route, no
file descriptor, no name server, a machine too busy to look in time) is unknown, because it says nothing of the target.
A route that ends at a router near the target looks the same as a dead target, and counts as down.

A sample is timed by the wall clock, spaced by the monotonic one. A machine that slept leaves a hole in the samples,
which is unknown time; a clock that was set back is told, and samples never go back behind earlier ones.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from golive import __version__
from golive.environment.load import Environment
from golive.environment.sections import AvailabilityProbe, AvailabilitySection
from golive.history.storage.trouble import HistoryUnusable
from golive.model import CouldNotLook, ProbeState, Watch
from golive.targets.http import Client, NoAnswer
from golive.watch.clock import Clock

SHORTEST_S = 0.25
_STEP_S = 2.0
_BUSY_S = 1.0
_TICK = timedelta(milliseconds=1)
_WORDS = {ProbeState.UP: "up again", ProbeState.DOWN: "down", ProbeState.UNKNOWN: "out of sight"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """What one probe found; `at` is when it began."""

    endpoint: str
    state: ProbeState
    at: datetime
    message: str = ""


class Recorder(Protocol):
    """Where samples go, at once."""

    def __call__(self, sample: Sample, *, longest_gap_s: float) -> None:
        """Keep `sample`. Two of them further apart than `longest_gap_s` leave unknown time between them."""


def interval_s(section: AvailabilitySection, time_scale: float) -> float:
    """Real seconds between two probes: in a trial fewer, but never so few that the target is pressed."""
    return section.every if time_scale == 1.0 else max(SHORTEST_S, section.every / time_scale)


def longest_gap_s(section: AvailabilitySection) -> float:
    """Real seconds that two samples may lie apart: what the judgement over the uptime takes one to stand for."""
    return 2 * section.every


class Prober:
    """Asks one endpoint at fixed times and says what it found. A slow answer delays nothing and leaves out a time."""

    def __init__(
        self,
        probe: AvailabilityProbe,
        client: Client,
        *,
        every_s: float,
        timeout_s: float,
        record: Callable[[Sample], None],
        clock: Clock,
    ) -> None:
        self._probe = probe
        self._client = client
        self._every_s = every_s
        self._timeout_s = timeout_s
        self._record = record
        self._clock = clock
        self._last_at: datetime | None = None
        self._ahead_s = self._wall_ahead_s()

    def run(self, stop: threading.Event, *, first_in_s: float = 0.0) -> None:
        """Probe until `stop` is set."""
        begun_s = self._clock.monotonic() + first_in_s
        turn = 0
        while not self._clock.wait(begun_s + turn * self._every_s - self._clock.monotonic(), stop):
            self._notice_step()
            self._look(stop)
            turn = max(turn + 1, math.ceil((self._clock.monotonic() - begun_s) / self._every_s))

    def _look(self, stop: threading.Event) -> None:
        at, began_s = self._clock.now(), self._clock.monotonic()
        state, message = self._ask()
        took_s = self._clock.monotonic() - began_s
        slept_s = (self._clock.now() - at).total_seconds() - took_s
        if stop.is_set() and state is not ProbeState.UP:
            # Whoever is being stopped is in no state to say that somebody else is down.
            return
        if state is ProbeState.DOWN and (took_s > self._timeout_s + _BUSY_S or abs(slept_s) > _STEP_S):
            state, message = ProbeState.UNKNOWN, "this machine was too busy, or slept, while it looked"
        self._keep(state, at, message)

    def _ask(self) -> tuple[ProbeState, str]:
        request = self._probe.request
        try:
            answer = self._client.send(request, fresh=True, timeout_s=self._timeout_s)
        except NoAnswer as error:
            return ProbeState.UNKNOWN if error.own else ProbeState.DOWN, str(error)
        except CouldNotLook as error:
            return ProbeState.UNKNOWN, str(error)
        if answer.status != self._probe.status:
            return ProbeState.DOWN, f"{answer.told}, {self._probe.status} is expected"
        return ProbeState.UP, ""

    def _notice_step(self) -> None:
        """Say so when the wall clock and the monotonic one have parted since the last look."""
        ahead_s = self._wall_ahead_s()
        step_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        if self._last_at is None or abs(step_s) <= _STEP_S:
            return
        what = "this machine slept, or its clock was set forward, for" if step_s > 0 else "the clock was set back by"
        self._keep(ProbeState.UNKNOWN, self._clock.now(), f"{what} {abs(step_s):.0f} s")

    def _wall_ahead_s(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _keep(self, state: ProbeState, at: datetime, message: str) -> None:
        if self._last_at is not None:
            at = max(at, self._last_at + _TICK)
        self._last_at = at
        self._record(Sample(endpoint=self._probe.endpoint, state=state, at=at, message=message))


class Probing:
    """All probes of an environment. Safe to read from other threads while it goes on."""

    def __init__(
        self, environment: Environment, watch: Watch, *, record: Recorder, clock: Clock, tell: Callable[[str], None]
    ) -> None:
        section = environment.section.watch
        self._section = section.availability if section is not None else None
        self._environment = environment
        self._watch = watch
        self._recorder = record
        self._clock = clock
        self._tell = tell
        self._lost: set[str] = set()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._clients: list[Client] = []
        self._numbers = itertools.count()
        self._latest: dict[str, Sample] = {}

    @property
    def latest(self) -> Mapping[str, Sample]:
        """The last sample of each endpoint."""
        return dict(self._latest)

    def start(self) -> None:
        """Begin to probe; the endpoints take turns, so that they are not all asked at the same instant."""
        if self._section is None:
            return
        every_s = interval_s(self._section, self._watch.time_scale)
        for number, probe in enumerate(self._section.probes):
            prober = Prober(
                probe,
                self._client(probe.endpoint),
                every_s=every_s,
                timeout_s=self._section.timeout,
                record=self._record,
                clock=self._clock,
            )
            first_in_s = every_s * number / len(self._section.probes)
            thread = threading.Thread(
                target=prober.run,
                args=(self._stop,),
                kwargs={"first_in_s": first_in_s},
                name=f"probe-{probe.endpoint}",
                daemon=True,
            )
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End every thread; returns once the probes that are under way have ended, at the latest after their time."""
        self._stop.set()
        limit_s = self._section.timeout + _BUSY_S if self._section is not None else 0.0
        for thread in self._threads:
            thread.join(limit_s)
        for client in self._clients:
            client.close()

    def _record(self, sample: Sample) -> None:
        """Keep a sample, and tell a person of what changed. One that cannot be kept is unknown time."""
        assert self._section is not None  # noqa: S101 - nothing is probed without one
        before = self._latest.get(sample.endpoint)
        self._latest[sample.endpoint] = sample
        if sample.state is not (before.state if before is not None else ProbeState.UP):
            self._tell(f"{sample.endpoint} is {_WORDS[sample.state]}{f': {sample.message}' if sample.message else ''}")
        try:
            self._recorder(sample, longest_gap_s=longest_gap_s(self._section))
            self._lost.discard(sample.endpoint)
        except HistoryUnusable as error:
            if sample.endpoint not in self._lost:
                self._lost.add(sample.endpoint)
                self._tell(f"what {sample.endpoint} answers cannot be kept, so this time stays unknown: {error}")

    def _client(self, name: str) -> Client:
        client = Client(
            name,
            self._environment.section.endpoints[name],
            user_agent=f"golive/{__version__} (watch {self._watch.id})",
            request_id=lambda: f"{self._watch.id}-{name}-{next(self._numbers)}",
        )
        self._clients.append(client)
        return client
