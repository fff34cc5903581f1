"""Processes that are started, told, heard and ended: nothing of them stays, and none but them is ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from load.children import Child, await_end
from tests.load.processes import comes_true


@contextmanager
def child(code: str, told: bytes = b"{}\n") -> Iterator[Child]:
    """A process that runs `code`, ended with the block."""
    started = Child("w1", [sys.executable, "-c", code], told, cwd=Path("/"), env=os.environ)
    try:
        yield started
    finally:
        started.end()
        assert not Path(f"/proc/{started.pid}").exists()


def test_a_plan_longer_than_any_pipe_is_told_whole() -> None:
    long = b"x" * 3_000_000 + b"\n"
    with child("import sys; print(len(sys.stdin.readline()))", long) as one:
        assert await_end([one], 20)
        assert one.said() == "3000001\n"
        assert one.exit_code() == 0


def test_one_that_ends_before_it_heard_all_is_no_trouble() -> None:
    with child("import sys; sys.exit('no fuel')", b"x" * 3_000_000) as one:
        assert await_end([one], 20)
        assert (one.exit_code(), one.said()) == (1, "no fuel\n")


def test_only_the_end_of_what_it_says_is_kept() -> None:
    with child("print('a' * 5_000_000); print('the end')") as one:
        assert await_end([one], 20)
        assert comes_true(lambda: one.said().endswith("the end\n"), 5)
        assert len(one.said()) <= 65_536


def test_it_is_told_by_the_end_of_its_input_that_nobody_holds_it() -> None:
    with child("import sys; sys.stdin.readline(); print('told', flush=True); sys.stdin.read()") as one:
        assert comes_true(lambda: "told" in one.said(), 10)
        assert one.exit_code() is None
    assert one.exit_code() is not None


def test_it_may_end_in_order_when_it_is_asked() -> None:
    listens = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); print(1, flush=True)"
    with child(f"{listens}; time.sleep(60)") as one:
        assert comes_true(one.said, 10)
        one.ask()
        assert await_end([one], 10)
        assert one.exit_code() == 7


STARTS_ANOTHER = """\
import subprocess, sys
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdout=subprocess.DEVNULL)
print(other.pid, flush=True)
"""


@pytest.mark.parametrize("more", ["", "import time; time.sleep(60)"], ids=["by itself", "killed"])
def test_what_it_started_ends_with_it(more: str) -> None:
    with child(STARTS_ANOTHER + more) as one:
        assert comes_true(one.said, 10)
        other = Path(f"/proc/{one.said().strip()}")
        if more:
            assert other.exists()
            one.end()
        assert await_end([one], 10)
        assert comes_true(lambda: not other.exists() or "Z" in other.joinpath("stat").read_text(), 5)


def test_an_end_is_told_once_and_its_number_is_used_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with child("pass") as one:
        assert await_end([one], 10)
        signalled: list[int] = []
        monkeypatch.setattr(os, "killpg", lambda pid, _: signalled.append(pid))
        one.ask()
        one.end()
        one.end()
        assert signalled == []
        assert one.exit_code() == 0


def test_others_are_left_alone() -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with child("import time; time.sleep(60)"):
            pass
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_waiting_ends_with_its_patience() -> None:
    with child("import time; time.sleep(60)") as one:
        began = time.monotonic()
        assert not await_end([one], 0.2)
        assert time.monotonic() - began < 5
