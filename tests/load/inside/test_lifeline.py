"""Whoever holds the standard input of a process that makes load holds its life."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.inside.pressing import LOCUSTFILE, QUIET, Pressed, environment, let_go, plan, pressing, scenario, step
from tests.load.inside.target import Target, target

LATEST_S = 12.0
"""Three seconds of grace, and much slack for a busy machine."""
HOLDER = """
import json, subprocess, sys, time
arguments, line, log = json.loads(sys.stdin.readline())
process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=open(log, "wb"), stderr=subprocess.STDOUT,
                           start_new_session=True)
process.stdin.write(line.encode() + b"\\n")
process.stdin.flush()
print(process.pid, flush=True)
time.sleep(120)
"""


@pytest.fixture
def server() -> Iterator[Target]:
    with target() as running:
        yield running


def test_the_end_of_standard_input_ends_it_in_order(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok")), levels=((0, 4), (60, 4)))
    with pressing(told, tmp_path) as pressed:
        pressed.wait_for(lambda: pressed.count() > 10, "it began")
        let_go(pressed.processes["w1"])
        assert pressed.wait() == {"w1": 0}
    assert pressed.lines()[-1]["reason"] == "stopped"
    assert pressed.count() + pressed.failures()["unfinished"] == len(server.asked)


def test_code_that_never_yields_does_not_keep_it_alive(server: Target, tmp_path: Path) -> None:
    own = tmp_path / "stubborn.py"
    own.write_text(
        "from locust import FastHttpUser, task\n"
        "class Stubborn(FastHttpUser):\n"
        "    @task\n"
        "    def spin(self):\n"
        "        self.client.get('/ok')\n"
        "        while True:\n"
        "            pass\n"
    )
    told = plan(server.url, locustfile=str(own), levels=((0, 1), (60, 1)))
    with pressing(told, tmp_path) as pressed:
        pressed.wait_for(lambda: server.asked, "it began")
        began = time.monotonic()
        let_go(pressed.processes["w1"])
        assert pressed.wait() == {"w1": 75}
    assert time.monotonic() - began < LATEST_S


def test_nothing_is_left_when_whoever_started_it_is_killed(server: Target, tmp_path: Path) -> None:
    pressed = Pressed(tmp_path / "stream.jsonl")
    part = {"stream": str(pressed.stream), "role": "lone", "worker": "w1", "workers": 1}
    told = {**plan(server.url, scenario(step("GET /ok")), levels=((0, 2), (60, 2))), **part}
    arguments = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *QUIET]
    given = json.dumps([arguments, json.dumps(told), str(tmp_path / "w1.log")]) + "\n"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder:
        holder.stdin.write(given)
        holder.stdin.flush()
        pid = int(holder.stdout.readline())
        watched = os.pidfd_open(pid)
        try:
            pressed.wait_for(lambda: pressed.count() > 0, "it began")
            holder.kill()
            pressed.wait_for(lambda: pressed.lines("ended"), "it ended by itself")
            until = time.monotonic() + LATEST_S
            while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
                assert time.monotonic() < until
                time.sleep(0.05)
        finally:
            if Path(f"/proc/{pid}/cmdline").exists():
                signal.pidfd_send_signal(watched, signal.SIGKILL)
            os.close(watched)


def test_workers_and_master_end_with_their_standard_input(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok")), levels=((0, 2), (60, 2)))
    with pressing(told, tmp_path, workers=1) as pressed:
        pressed.wait_for(lambda: pressed.count() > 5, "it began")
        began = time.monotonic()
        for process in pressed.processes.values():
            let_go(process)
        codes = pressed.wait()
    assert set(codes.values()) <= {0, 75}
    assert time.monotonic() - began < LATEST_S


def test_where_a_plan_is_all_that_comes_it_may_be_told_to_go_on(server: Target, tmp_path: Path) -> None:
    told = plan(server.url, scenario(step("GET /ok")), levels=((0, 2), (2, 2)), lifeline=False)
    with pressing(told, tmp_path) as pressed:
        let_go(pressed.processes["w1"])
        assert pressed.wait() == {"w1": 0}
    assert pressed.lines()[-1]["reason"] == "done"
    assert pressed.count() > 20
