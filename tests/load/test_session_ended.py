"""A whole pytest session that presses, ended from outside: no load goes on, and no process of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.load.processes import Known, all_gone, below, comes_true
from tests.load.targets import Target, target
from tests.sessions import Ran, Shop

CRITERIA = """
- {id: shop.load.complete, says: The load runs to its end, check: load/complete, profile: steady, severity: high,
   when: [load]}
- {id: shop.load.p95, says: It is fast, check: load/latency, profile: steady, of: p95, critical: 2 s, severity: high,
   when: [load]}
"""


@pytest.fixture
def shop() -> Iterator[Target]:
    with target() as running:
        yield running


@contextmanager
def pressing(shop: Target, folder: Path, *words: str) -> Iterator[tuple[Shop, subprocess.Popen[str], list[Known]]]:
    """A session whose load is under way, and all processes that it has started."""
    made = Shop(folder)
    profile = {
        "scenarios": [{"name": "reader", "think_time": "20 ms", "steps": ["GET /orders"]}],
        "stages": [{"ramp": "200 ms", "users": 4}, {"hold": "60 s"}],
    }
    load = {"endpoints": ["api"], "max_users": 10, "max_rate": "300/s", "profiles": {"steady": profile}}
    made.write(CRITERIA, production=False, endpoints={"api": {"url": shop.url}}, load=load)
    session = made.start("-m", "load", *words)
    try:
        assert comes_true(lambda: len(shop.times) > 60 or session.poll() is not None, 60)
        yield made, session, below(session.pid)
    finally:
        if session.poll() is None:
            session.kill()
        if session.stdout is not None and not session.stdout.closed:
            session.communicate(timeout=30)


@pytest.mark.parametrize("words", [[], ["-n", "1"]], ids=["alone", "distributed"])
def test_killed_outright_it_leaves_no_process_and_no_load(shop: Target, tmp_path: Path, words: list[str]) -> None:
    with pressing(shop, tmp_path, *words) as (_, session, started):
        assert len(started) == 1 + len(words) // 2
        session.kill()
        killed_at = time.time()
        assert all_gone(started, 20)
    assert shop.times[-1] - killed_at < 10


def test_an_interrupt_ends_the_session_and_the_load_and_keeps_what_was_measured(shop: Target, tmp_path: Path) -> None:
    with pressing(shop, tmp_path) as (made, session, started):
        session.send_signal(signal.SIGINT)
        asked_at = time.time()
        ran: Ran = made.ended(session)
        assert ran.code == 2, ran.out
        assert all_gone(started, 0)
    assert shop.times[-1] - asked_at < 5
    assert (ran.directory / "load" / "steady" / "seconds.csv").read_text().count("GET /orders") >= 1
    assert "passed" not in ran.lines[-1]


def test_an_interrupt_ends_a_distributed_session_and_its_load(shop: Target, tmp_path: Path) -> None:
    with pressing(shop, tmp_path, "-n", "1") as (made, session, started):
        os.killpg(session.pid, signal.SIGINT)  # as a terminal does: everyone in its group
        asked_at = time.time()
        ran = made.ended(session)
        assert ran.code == 2, ran.out
        assert all_gone(started, 12)
    assert shop.times[-1] - asked_at < 10
