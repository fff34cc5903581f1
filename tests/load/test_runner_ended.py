"""Whatever ends the process that runs a load, nothing of the load is left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.load.processes import Known, all_gone, below, comes_true
from tests.load.targets import Target, target

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shop() -> Iterator[Target]:
    with target() as running:
        yield running


@contextmanager
def pressed(shop: Target, folder: Path, processes: int) -> Iterator[tuple[subprocess.Popen[str], list[Known]]]:
    """A load that is under way in a process of its own, and the processes that it has started."""
    words = [sys.executable, "-m", "tests.load.pressing", shop.url, str(folder), str(processes)]
    runner = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert comes_true(lambda: shop.made > 20 or runner.poll() is not None, 40)
        children = below(runner.pid)
        assert len(children) == (1 if processes == 1 else processes + 1)
        yield runner, children
    finally:
        if runner.poll() is None:
            runner.kill()
        runner.communicate(timeout=20)


@pytest.mark.parametrize("processes", [1, 2])
def test_killed_outright_it_leaves_no_process_and_no_load(shop: Target, tmp_path: Path, processes: int) -> None:
    with pressed(shop, tmp_path, processes) as (runner, children):
        runner.kill()
        killed_at = time.time()
        assert all_gone(children, 12)
    assert shop.times[-1] - killed_at < 6


@pytest.mark.parametrize("processes", [1, 2])
def test_an_interrupt_stops_it_at_once_and_keeps_what_was_measured(
    shop: Target, tmp_path: Path, processes: int
) -> None:
    with pressed(shop, tmp_path, processes) as (runner, children):
        runner.send_signal(signal.SIGINT)
        asked_at = time.time()
        said, _ = runner.communicate(timeout=30)
        assert runner.returncode == 130, said
        assert all_gone(children, 0)
    assert "load steady was interrupted: " in said
    posts = [at for (line, _), at in zip(shop.asked, shop.times, strict=True) if line.startswith("POST")]
    assert posts[-1] - asked_at < 5
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["stopped"] == "it was interrupted"
    assert sum(second["n"] for second in result["seconds"]) > 10
    # What was on its way was answered to nobody; all else is taken back.
    assert len(shop.orders) <= 4
