"""Real locust processes for tests, told a plan as the runner tells it, and what they wrote."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golive.judge.load.records import Second
from golive.judge.load.stream import Stream, read_stream

ROOT = Path(__file__).resolve().parents[3]
LOCUSTFILE = ROOT / "load" / "inside" / "locustfile.py"
QUIET = ("--headless", "--only-summary", "--loglevel", "WARNING", "--exit-code-on-error", "0")
PATIENCE_S = 60.0

Plan = dict[str, Any]


def step(request: str, **more: Any) -> Plan:
    """A step as a plan has it."""
    method, path = request.split(" ", 1)
    plain: Plan = {"body": None, "headers": {}, "status": [], "save": {}, "clean_up": None}
    return {"method": method, "path": path, "name": request, **plain, **more}


def scenario(*steps: Plan, **more: Any) -> Plan:
    """A scenario as a plan has it."""
    plain: Plan = {"name": "one", "weight": 1, "as": None, "headers": {}, "think": [0.02, 0.04], "feed": None}
    return {**plain, "steps": list(steps), **more}


def plan(host: str, *scenarios: Plan, levels: Sequence[Sequence[float]] = ((0, 4), (2, 4)), **more: Any) -> Plan:
    """A plan in the closed model, of two seconds with four users unless it is said otherwise."""
    return {
        "profile": "tried",
        "model": "closed",
        "host": host,
        "allowed_hosts": [host],
        "scenarios": list(scenarios),
        "locustfile": None,
        "phases": [],
        "levels": [list(point) for point in levels],
        "users": 4,
        "arrivals": "constant",
        "timeout": 2.0,
        "max_rate": 2000.0,
        "user_agent": "golive-load-test",
        "request_id_prefix": "run-7",
        "verify": True,
        **more,
    }


@dataclass
class Pressed:
    """The processes of one load, and its stream."""

    stream: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def lines(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The lines of that kind so far."""
        if not self.stream.exists():
            return []
        *whole, _ = self.stream.read_bytes().split(b"\n")
        found = [json.loads(line) for line in whole]
        return [line for line in found if kind in (None, line["kind"])]

    def read(self) -> Stream:
        """The stream as the judge reads it; every line of it can be read."""
        stream = read_stream(self.lines())
        assert stream.unreadable == 0, stream.first_unreadable
        return stream

    def seconds(self, name: str | None = None) -> list[Second]:
        """The merged seconds."""
        return [second for second in self.read().seconds if name in (None, second.name)]

    def count(self, name: str | None = None) -> int:
        """How many requests ended."""
        return sum(second.n for second in self.seconds(name))

    def failures(self, name: str | None = None) -> Counter[str]:
        """How many failed of what."""
        found: Counter[str] = Counter()
        for second in self.seconds(name):
            found.update(second.failures)
        return found

    def problems(self) -> list[str]:
        """What was told."""
        return [line["text"] for line in self.lines("problem")]

    def wait_for(self, what: Callable[[], object], told: str) -> None:
        """Return when `what` holds."""
        until = time.monotonic() + PATIENCE_S
        while not what():
            assert time.monotonic() < until, f"{told}; the stream: {self.lines()[-5:]}; said: {self.said()}"
            time.sleep(0.02)

    def wait(self) -> dict[str, int]:
        """The exit code of each, when all of them are gone."""
        return {name: process.wait(PATIENCE_S) for name, process in self.processes.items()}

    def said(self) -> str:
        """What they printed."""
        return "\n".join(log.read_text(errors="replace") for log in sorted(self.stream.parent.glob("*.log")))


def start(told: Plan, directory: Path, *, workers: int = 0) -> Pressed:
    """One process, or a master with that many workers."""
    pressed = Pressed(directory / "stream.jsonl")
    if not workers:
        _start(pressed, told, "w1", "lone", 1, [])
        return pressed
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    waits = ["--expect-workers", str(workers), "--expect-workers-max-wait", "60"]
    bound = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port]
    _start(pressed, told, "master", "master", workers, [*bound, *waits])
    for number in range(1, workers + 1):
        to = ["--worker", "--master-host", "127.0.0.1", "--master-port", port]
        _start(pressed, told, f"w{number}", "worker", workers, to)
    return pressed


@contextmanager
def pressing(told: Plan, directory: Path, *, workers: int = 0) -> Iterator[Pressed]:
    """As `start`; nothing is left behind."""
    pressed = start(told, directory, workers=workers)
    try:
        yield pressed
    finally:
        for process in pressed.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()
            let_go(process)


def press(told: Plan, directory: Path, *, workers: int = 0) -> Pressed:
    """A whole load, to its end."""
    with pressing(told, directory, workers=workers) as pressed:
        codes = pressed.wait()
        assert set(codes.values()) == {0}, (codes, pressed.said())
        return pressed


def _start(pressed: Pressed, told: Plan, name: str, role: str, workers: int, options: Sequence[str]) -> None:
    whole = {**told, "stream": str(pressed.stream), "role": role, "worker": name, "workers": workers}
    with (pressed.stream.parent / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *QUIET, *options],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=pressed.stream.parent,
            env=environment(),
            start_new_session=True,
        )
    pressed.processes[name] = process
    assert process.stdin is not None
    process.stdin.write(json.dumps(whole).encode() + b"\n")
    process.stdin.flush()


def environment() -> Mapping[str, str]:
    """Without what would change locust's options."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}


def let_go(process: subprocess.Popen[bytes]) -> None:
    """Hold its standard input no more."""
    assert process.stdin is not None
    process.stdin.close()


def terminate(process: subprocess.Popen[bytes]) -> None:
    """Ask one process to end in order."""
    process.send_signal(signal.SIGTERM)
