"""Availability as real servers answer: what is up, what is down, what says nothing, and time that nobody saw."""

from __future__ import annotations

import errno
import os
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from golive.environment.sections import AvailabilityProbe, AvailabilitySection, EndpointSection
from golive.history.probes import probe_spans, record_probe
from golive.history.store import History, HistoryUnusable
from golive.history.watch_record import probe_policy
from golive.history.watches import open_watch
from golive.judge.uptime import uptime
from golive.model import ProbeState
from golive.targets.http import Client
from golive.targets.wire.exchange import NAME_UNRESOLVED, Course
from golive.targets.wire.trouble import is_own
from golive.watch.clock import Clock, FakeClock, RealClock
from golive.watch.probing import Prober, Probing, Sample, interval_s, longest_gap_s
from tests.rogues import always, closing, dripping, endless, refusing, rogue, silent, web_page
from tests.watch.made import START, day, shop

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UP, DOWN, UNKNOWN = ProbeState.UP, ProbeState.DOWN, ProbeState.UNKNOWN


def status(code: int) -> bytes:
    return f"HTTP/1.1 {code} Whatever\r\nContent-Length: 0\r\n\r\n".encode()


@dataclass
class Asked:
    """One prober of one server. `probe(n)` looks `n` times, with the clock it is given, and gives the samples."""

    port: int
    clock: Clock = field(default_factory=RealClock)
    every_s: float = 0.05
    timeout_s: float = 0.5
    scheme: str = "http"
    host: str = "127.0.0.1"
    expected: int = 200
    section: dict[str, Any] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)

    def probe(self, count: int = 1, *, after: Callable[[int], None] | None = None) -> list[Sample]:
        stop = threading.Event()

        def record(sample: Sample) -> None:
            self.samples.append(sample)
            if after is not None:
                after(len(self.samples))
            if len(self.samples) >= count:
                stop.set()

        url = f"{self.scheme}://{self.host}:{self.port}"
        section = EndpointSection.model_validate({"url": url, **self.section})
        client = Client("api", section, user_agent="golive/test", request_id=lambda: "id-1")
        probe = AvailabilityProbe.model_validate({"endpoint": "api", "request": "GET /health", "status": self.expected})
        prober = Prober(probe, client, every_s=self.every_s, timeout_s=self.timeout_s, record=record, clock=self.clock)
        try:
            prober.run(stop)
        finally:
            client.close()
        return self.samples


# What an answer means


def test_the_expected_answer_is_up() -> None:
    with rogue(always(OK)) as port:
        assert [(s.state, s.message) for s in Asked(port).probe(3)] == [(UP, "")] * 3


def test_another_answer_may_be_the_expected_one() -> None:
    with rogue(always(status(401))) as port:
        assert Asked(port, expected=401).probe()[0].state is UP


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (always(status(500)), "GET /health at api answered 500, 200 is expected"),
        (always(status(503)), "GET /health at api answered 503, 200 is expected"),
        (always(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), "answered 302, 200 is expected"),
        (silent, "api did not answer within 0.5 s: connected, but no byte came"),
        (dripping, "api"),
        (closing, "api closed the connection"),
        (web_page, "GET /health at api answered 400, 200 is expected"),
        (endless(b"rubbish"), "api"),
        (always(b"SSH-2.0-OpenSSH_9.6\r\n"), "api does not speak HTTP"),
    ],
)
def test_anything_else_is_down(behaviour: Callable[[socket.socket], None], told: str) -> None:
    with rogue(behaviour) as port:
        (sample,) = Asked(port).probe()
    assert sample.state is DOWN
    assert told in sample.message


def test_a_refusal_is_down() -> None:
    with refusing() as port:
        (sample,) = Asked(port).probe()
    assert (sample.state, sample.message) == (DOWN, "api refused the connection (GET /health)")


def test_no_tls_where_it_is_expected_is_down() -> None:
    with rogue(always(OK)) as port:
        (sample,) = Asked(port, scheme="https").probe()
    assert sample.state is DOWN
    assert "does not agree on TLS" in sample.message


def test_a_certificate_authority_that_is_missing_here_says_nothing_of_the_target() -> None:
    with rogue(always(OK)) as port:
        (sample,) = Asked(port, scheme="https", section={"tls": {"ca_file": "/nowhere/ca.pem"}}).probe()
    assert sample.state is UNKNOWN
    assert "the CA file /nowhere/ca.pem cannot be used" in sample.message


def test_no_file_descriptor_here_says_nothing_of_the_target() -> None:
    with socket.create_server(("127.0.0.1", 0)) as target, no_descriptor_left():
        (sample,) = Asked(target.getsockname()[1]).probe()
    assert sample.state is UNKNOWN
    assert "Too many open files" in sample.message


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    # What is imported later opens files.
    import golive.targets.wire.session
    import golive.targets.wire.trouble  # noqa: F401

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_free = os.dup(0)
    os.close(next_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("error", "own"),
    [
        (OSError(errno.ENETUNREACH, "no route"), True),
        (OSError(errno.ENETDOWN, "the network is down"), True),
        (OSError(errno.EMFILE, "too many files"), True),
        (OSError(errno.EADDRNOTAVAIL, "no port left"), True),
        (MemoryError(), True),
        (OSError(errno.EHOSTUNREACH, "no such host"), False),
        (ConnectionRefusedError(), False),
        (ConnectionResetError(), False),
        (TimeoutError(), False),
        # OpenSSL counts its errors otherwise: its 1 is no EPERM.
        (ssl.SSLError(errno.EPERM, "wrong version number"), False),
    ],
)
def test_what_lies_on_this_side(error: Exception, own: bool) -> None:
    assert is_own(error, Course(budget_s=1)) is own
    assert is_own(RuntimeError("wrapped", error), Course(budget_s=1)) is own


@pytest.mark.parametrize(
    ("error", "own"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), False),
        (socket.gaierror(socket.EAI_AGAIN, "no server answered"), True),
        (socket.gaierror(socket.EAI_FAIL, "the server failed"), True),
        (TimeoutError("the name was not resolved in time"), True),
    ],
)
def test_that_a_name_does_not_exist_is_an_answer_and_no_name_server_is_none(error: Exception, own: bool) -> None:
    assert is_own(error, Course(budget_s=1, stage=NAME_UNRESOLVED)) is own


# When it looks


def test_it_keeps_its_times_whatever_the_answers_take() -> None:
    """Answers of 250 ms at intervals of 100 ms: every third time is used, and nothing piles up."""
    waiting = 0
    most = 0

    def slow(line: socket.socket) -> None:
        nonlocal waiting, most
        line.recv(4096)
        waiting += 1
        most = max(most, waiting)
        time.sleep(0.25)
        waiting -= 1
        line.sendall(OK)

    with rogue(slow) as port:
        samples = Asked(port, every_s=0.1, timeout_s=5.0).probe(4)
    assert most == 1
    assert all(later.at - earlier.at >= timedelta(seconds=0.25) for earlier, later in pairwise(samples))


def test_it_does_not_drift() -> None:
    clock = FakeClock(START)
    with rogue(always(OK)) as port:
        samples = Asked(port, clock, every_s=5.0).probe(200)
    assert [s.at for s in samples] == [START + timedelta(seconds=5 * n) for n in range(200)]


def test_a_server_that_is_slow_for_a_while_leaves_out_times_and_no_more() -> None:
    clock = FakeClock(START)

    def slow(line: socket.socket) -> None:
        line.recv(4096)
        if clock.monotonic() == 10.0:
            clock.wait(7.0, threading.Event())
        line.sendall(OK)

    with rogue(slow) as port:
        samples = Asked(port, clock, every_s=5.0).probe(5)
    assert [(s.at - START).total_seconds() for s in samples] == [0, 5, 10, 20, 25]


# Clocks that are set, machines that sleep


def recorded(history: History, samples: list[Sample]) -> None:
    for s in samples:
        record_probe(history, "w", s.endpoint, s.state, s.at, s.message, longest_gap_s=10.0)


def test_a_machine_that_slept_leaves_unknown_time(tmp_path: Path) -> None:
    clock = FakeClock(START)
    environment = shop(
        endpoints={"api": {"url": "http://127.0.0.1:1"}},
        watch={"availability": {"probes": [{"endpoint": "api", "request": "GET /health"}]}},
    )
    policy = probe_policy(environment)
    assert policy is not None
    clock.at(52.0, lambda: clock.sleep(3600))
    with rogue(always(OK)) as port, History.open(tmp_path / "history.sqlite") as history:
        recorded(history, Asked(port, clock, every_s=5.0).probe(22))
        spans = probe_spans(history, "w")
    assert [(span.state, span.message) for span in spans] == [
        (UP, ""),
        (UNKNOWN, "this machine slept, or its clock was set forward, for 3600 s"),
        (UP, ""),
    ]
    found = uptime(spans, begin=START, end=clock.now(), policy=policy)["api"]
    assert found.down_s == 0
    assert 3590 <= found.unknown_s <= 3600
    assert found.up_s + found.unknown_s == pytest.approx((clock.now() - START).total_seconds())


@pytest.mark.parametrize("back_s", [5.0, 3600.0])
def test_a_clock_that_is_set_back_is_told_and_no_sample_lies_before_another(tmp_path: Path, back_s: float) -> None:
    clock = FakeClock(START)
    clock.at(52.0, lambda: clock.set_back(back_s))
    with rogue(always(OK)) as port, History.open(tmp_path / "history.sqlite") as history:
        samples = Asked(port, clock, every_s=5.0).probe(30)
        recorded(history, samples)
        spans = probe_spans(history, "w")
    assert [s.at for s in samples] == sorted({s.at for s in samples})
    assert [span.state for span in spans] == [UP, UNKNOWN, UP]
    assert spans[1].message == f"the clock was set back by {back_s:.0f} s"
    assert sum(span.samples for span in spans) == 30


def test_an_outage_while_the_clock_is_behind_is_not_lost(tmp_path: Path) -> None:
    clock = FakeClock(START)
    clock.at(52.0, lambda: clock.set_back(3600))
    answers = iter([OK] * 12 + [status(503)] + [OK] * 20)

    def scripted(line: socket.socket) -> None:
        line.recv(4096)
        line.sendall(next(answers))

    with rogue(scripted) as port, History.open(tmp_path / "history.sqlite") as history:
        recorded(history, Asked(port, clock, every_s=5.0).probe(30))
        states = [span.state for span in probe_spans(history, "w")]
    assert states == [UP, UNKNOWN, UP, DOWN, UP]


def test_a_machine_too_busy_to_look_in_time_does_not_say_that_the_target_is_down() -> None:
    clock = FakeClock(START)

    def stalled(line: socket.socket) -> None:
        line.recv(4096)
        clock.wait(30.0, threading.Event())

    with rogue(stalled) as port:
        (sample,) = Asked(port, clock, every_s=5.0).probe()
    assert (sample.state, sample.message) == (UNKNOWN, "this machine was too busy, or slept, while it looked")


def test_a_small_correction_of_the_clock_is_nothing_to_tell() -> None:
    clock = FakeClock(START)
    clock.at(7.0, lambda: clock.set_back(1.0))
    with rogue(always(OK)) as port:
        assert {s.state for s in Asked(port, clock, every_s=5.0).probe(5)} == {UP}


# All endpoints of an environment


@dataclass
class Probed:
    """An environment with two endpoints, what was recorded and what was said."""

    ports: tuple[int, int]
    records: list[tuple[Sample, float]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    full: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def record(self, sample: Sample, *, longest_gap_s: float) -> None:
        if self.full:
            raise HistoryUnusable("history x: cannot be written: the disk is full")
        self.records.append((sample, longest_gap_s))

    @contextmanager
    def going_on(self, time_scale: float = 100.0) -> Iterator[Probing]:
        names = ("api", "web")
        urls = {
            n: {"url": f"http://127.0.0.1:{p}", "headers": self.headers} for n, p in zip(names, self.ports, strict=True)
        }
        probes = [{"endpoint": name, "request": "GET /health"} for name in names]
        environment = shop(endpoints=urls, watch={"availability": {"probes": probes}})
        watch = day(time_scale=time_scale)
        probing = Probing(environment, watch, record=self.record, clock=RealClock(), tell=self.said.append)
        probing.start()
        try:
            yield probing
        finally:
            probing.stop()

    def until(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < until
            time.sleep(0.01)

    def of(self, endpoint: str) -> list[Sample]:
        return [sample for sample, _ in self.records if sample.endpoint == endpoint]


def test_every_endpoint_is_asked_by_itself() -> None:
    with rogue(always(OK)) as api, rogue(silent) as web:
        probed = Probed((api, web))
        with probed.going_on():
            probed.until(lambda: len(probed.of("api")) >= 5)
    assert {s.state for s in probed.of("api")} == {UP}
    assert {gap for _, gap in probed.records} == {10.0}
    # The one that hangs keeps nobody waiting: its first probe still waits, and being stopped is no outage.
    assert probed.of("web") == []
    assert probed.said == []


def test_requests_can_be_told_from_those_of_users_and_carry_the_endpoints_headers() -> None:
    seen: list[str] = []

    def note(line: socket.socket) -> None:
        seen.append(line.recv(4096).decode())
        line.sendall(OK)

    with rogue(note) as port:
        probed = Probed((port, port), headers={"X-Tenant": "north"})
        with probed.going_on():
            probed.until(lambda: len(seen) >= 4)
    watch = day(time_scale=100.0).id
    assert all("User-Agent: golive/" in text and f"(watch {watch})" in text for text in seen)
    assert all("X-Tenant: north" in text and "Connection: close" in text for text in seen)
    ids = [line for text in seen for line in text.splitlines() if line.startswith("X-Request-Id")]
    assert len(set(ids)) == len(ids)


def test_what_changes_is_told_and_what_stays_is_not() -> None:
    answers = iter([OK, status(503), status(503), *[OK] * 100])

    def scripted(line: socket.socket) -> None:
        line.recv(4096)
        line.sendall(next(answers))

    with rogue(scripted) as api, rogue(always(OK)) as web:
        probed = Probed((api, web))
        with probed.going_on() as probing:
            probed.until(lambda: len(probed.of("api")) >= 5)
            assert probing.latest["api"].state is UP
    assert probed.said == ["api is down: GET /health at api answered 503, 200 is expected", "api is up again"]


def test_samples_that_cannot_be_kept_are_told_once_and_probing_goes_on() -> None:
    with rogue(always(OK)) as api, refusing() as web:
        probed = Probed((api, web), full=True)
        with probed.going_on():
            probed.until(lambda: len(probed.said) >= 3)
            time.sleep(0.6)
            probed.full = False
            probed.until(lambda: len(probed.records) >= 2)
    kept = [line for line in probed.said if "cannot be kept" in line]
    assert sorted(line.split()[1] for line in kept) == ["api", "web"]
    assert all("so this time stays unknown: history x: cannot be written: the disk is full" in line for line in kept)


def test_without_availability_nothing_is_probed() -> None:
    probing = Probing(shop(), day(), record=Probed((1, 1)).record, clock=RealClock(), tell=print)
    probing.start()
    probing.stop()
    assert probing.latest == {}


def test_a_trial_probes_faster_but_never_presses_the_target() -> None:
    section = AvailabilitySection.model_validate({"probes": [{"endpoint": "api", "request": "GET /"}]})
    assert [interval_s(section, scale) for scale in (1, 4, 240)] == [5.0, 1.25, 0.25]
    assert longest_gap_s(section) == 10.0


def test_every_sample_is_in_the_history_at_once(tmp_path: Path) -> None:
    with rogue(always(OK)) as api, refusing() as web, History.open(tmp_path / "history.sqlite") as history:
        watch = open_watch(history, day())
        probed = Probed((api, web))

        def record(sample: Sample, *, longest_gap_s: float) -> None:
            record_probe(
                history, watch.id, sample.endpoint, sample.state, sample.at, sample.message,
                longest_gap_s=longest_gap_s,
            )  # fmt: skip

        probed.record = record  # type: ignore[method-assign]
        with probed.going_on():
            probed.until(lambda: sum(span.samples for span in probe_spans(history, watch.id)) >= 6)
        spans = probe_spans(history, watch.id)
    assert [(span.endpoint, span.state) for span in spans] == [("api", UP), ("web", DOWN)]
    assert all(isinstance(span.first_at, datetime) for span in spans)
