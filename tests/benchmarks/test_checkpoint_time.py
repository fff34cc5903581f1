"""What a whole checkpoint costs on the demo, beside plain pytest over as many tests that do nothing.

Run with `pytest tests/benchmarks -s`; figures are medians of whole processes on this machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from demo import control
from tests.verification import ROOT, verify

ROUNDS = 5


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def test_checkpoint_takes_under_six_seconds_and_collecting_under_one(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="gl-"))
    control.up(folder / "d")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_plain.py").write_text(
        "import pytest\n@pytest.mark.parametrize('n', range(82))\ndef test_plain(n): assert n >= 0\n"
    )

    def plain(*arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *arguments, str(tmp_path)], capture_output=True, check=True
        )

    def ours(*arguments: str) -> None:
        found = verify(folder / "d", folder / "out", "-m", "checkpoint", *arguments)
        assert found.exit_code == 0, found.printed

    try:
        times: dict[str, list[float]] = {"checkpoint": [], "collect": [], "plain run": [], "plain collect": []}
        for _ in range(ROUNDS):
            times["checkpoint"].append(seconds(ours))
            times["plain run"].append(seconds(plain))
            times["collect"].append(seconds(lambda: ours("--collect-only", "-q")))
            times["plain collect"].append(seconds(lambda: plain("--collect-only")))
    finally:
        control.down(folder / "d")
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"\nrepository {ROOT.name}: medians of {ROUNDS} whole processes")
    for mine, peer in (("checkpoint", "plain run"), ("collect", "plain collect")):
        print(
            f"{mine:12} {median[mine]:.2f} s   {peer:14} {median[peer]:.2f} s   ratio {median[mine] / median[peer]:.1f}"
        )
    assert median["checkpoint"] < 6
    assert median["collect"] < 1.5, "a busy machine gets half a second more than the goal of one"
