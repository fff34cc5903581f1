"""What our load processes measure beside independent generators, on the same server at the same time.

Needs hey and wrk (Debian packages of these names); without them it fails, it does not skip.
"""

from __future__ import annotations

import asyncio
import csv
import math
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from golive.judge.load.histogram import Histogram
from tests.load.inside.pressing import Plan, Pressed, plan, pressing, scenario, step

AGREE = 0.15
"""How far p50 and p95 may lie apart."""
SPAN_S = 10
RATE = 60
USERS = 12
STALL_S, EVERY_S = 0.5, 5.0
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
SAID_BY_WRK = """
done = function(summary, latency, requests)
  io.write(string.format("GOLIVE %d %d %d %d", latency:percentile(50), latency:percentile(95), summary.requests,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status +
    summary.errors.timeout))
end
"""


@dataclass
class Server:
    """Answers after 20 to 60 ms, evenly spread; and, told so, to nobody for half a second out of five."""

    stalls: bool = False
    url: str = ""
    asked: int = 0
    delays: random.Random = field(default_factory=lambda: random.Random(11))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.asked += 1
                await asyncio.sleep(0.002 if self.stalls else self.delays.uniform(0.02, 0.06))
                into = time.time() % EVERY_S
                if self.stalls and into < STALL_S:
                    await asyncio.sleep(STALL_S - into)
                writer.write(ANSWER)
                await writer.drain()
        writer.close()


@contextmanager
def serving(*, stalls: bool = False) -> Iterator[Server]:
    """A running one, with a loop of its own in a thread."""
    known, loop = Server(stalls=stalls), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    made = asyncio.run_coroutine_threadsafe(asyncio.start_server(known.serve, "127.0.0.1", 0, backlog=256), loop)
    server = made.result(10)
    known.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield known
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def test_at_the_same_rate_hey_measures_the_same(tmp_path: Path) -> None:
    with serving() as server, _pressing(_open(server, users=30), tmp_path) as pressed:
        words = ["hey", "-z", f"{SPAN_S}s", "-c", str(USERS), "-q", str(RATE // USERS), "-o", "csv", server.url + "/x"]
        rows = list(csv.DictReader(_run(words).splitlines()))
        assert pressed.wait() == {"w1": 0}
    assert {row["status-code"] for row in rows} == {"200"}
    theirs = sorted(float(row["response-time"]) * 1000 for row in rows)
    real, intended = _measured(pressed)
    assert intended is not None
    assert real.count == RATE * SPAN_S
    assert len(theirs) == pytest.approx(RATE * SPAN_S, rel=0.1)
    for p in (50, 95):
        his = theirs[math.ceil(p / 100 * len(theirs)) - 1]
        ours = f"ours {real.percentile(p):.1f} ms, from the intended start {intended.percentile(p):.1f}"
        print(f"p{p}: {ours}, hey {his:.1f}")
        assert real.percentile(p) == pytest.approx(his, rel=AGREE)
        assert intended.percentile(p) == pytest.approx(his, rel=AGREE)


def test_with_as_many_users_wrk_measures_the_same(tmp_path: Path) -> None:
    script = tmp_path / "said.lua"
    script.write_text(SAID_BY_WRK)
    with serving() as server:
        one = scenario(step("GET /x"), think=[0, 0])
        told = plan(server.url, one, levels=((0, USERS), (SPAN_S, USERS)), users=USERS)
        with _pressing(told, tmp_path) as pressed:
            words = ["wrk", "-t", "1", "-c", str(USERS), "-d", f"{SPAN_S}s", "-s", str(script), server.url + "/x"]
            p50, p95, count, errors = (int(word) for word in _run(words).rpartition("GOLIVE ")[2].split())
            assert pressed.wait() == {"w1": 0}
    real, _ = _measured(pressed)
    assert errors == 0
    assert real.count == pytest.approx(count, rel=AGREE)
    for p, his in ((50, p50 / 1000), (95, p95 / 1000)):
        print(f"p{p}: ours {real.percentile(p):.1f} ms of {real.count}, wrk {his:.1f} of {count}")
        assert real.percentile(p) == pytest.approx(his, rel=AGREE)


def test_a_server_that_stalls_now_and_then_is_seen_in_the_open_model(tmp_path: Path) -> None:
    with serving(stalls=True) as server, _pressing(_open(server, users=2), tmp_path) as pressed:
        assert pressed.wait() == {"w1": 0}
    real, intended = _measured(pressed)
    assert intended is not None
    told = (
        f"p50 {intended.percentile(50):.0f} ms, p95 {intended.percentile(95):.0f} ms, p99 {intended.percentile(99):.0f}"
    )
    print(f"{told} ms from the intended start; p95 {real.percentile(95):.0f} ms from the real one")
    assert intended.percentile(50) < 100
    assert intended.percentile(99) > 350
    # Two busy users ask nothing meanwhile: from the real start four or six of six hundred were slow.
    assert real.percentile(95) < 100 < 350 < real.max_ms


def _open(server: Server, *, users: int) -> Plan:
    one = scenario(step("GET /x"), think=[0, 0])
    return plan(server.url, one, model="open", levels=((0, RATE), (SPAN_S, RATE)), users=users)


@contextmanager
def _pressing(told: Plan, folder: Path) -> Iterator[Pressed]:
    """The load, from its beginning on."""
    with pressing(told, folder) as pressed:
        pressed.wait_for(lambda: pressed.lines("began"), "it began")
        yield pressed


def _measured(pressed: Pressed) -> tuple[Histogram, Histogram | None]:
    assert pressed.failures() == {}
    real, intended = Histogram(), Histogram()
    for second in pressed.seconds():
        real.merge(second.histogram)
        if second.intended is not None:
            intended.merge(second.intended)
    return real, intended if intended.count else None


def _run(words: list[str]) -> str:
    return subprocess.run(words, capture_output=True, check=True, text=True, timeout=SPAN_S + 60).stdout
