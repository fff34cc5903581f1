"""What the reports cost per criterion: 500 criteria with every output on, beside the same session without any.

Run by `make benchmarks`. Both sessions run in turn in processes of their own; the best
of several rounds counts, since everything else on the machine only ever adds time.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.reports.conftest import prepare
from tests.reports.samples import many

pytest_plugins = ["pytester"]

CRITERIA = 500
ROUNDS = 5
BUDGET_MS = 2.0
LEAN = ["-p", "no:hypothesispytest", "-p", "no:testinfra", "-p", "no:cacheprovider", "-q"]
BARE = """
import json
from pathlib import Path
import pytest

TOLD = json.loads(Path("told.json").read_text())

@pytest.mark.parametrize("told", TOLD, ids=[one["criterion"] for one in TOLD])
def test_claim(told):
    assert told["outcome"] not in ("fail", "unknown"), told["message"]
"""


def seconds(folder: Path, *args: str) -> float:
    """How long a session takes, from the start of its process to the end."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *LEAN, *args], cwd=folder, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - began
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    return took


def test_reports_cost_less_than_two_milliseconds_per_criterion(
    pytester: pytest.Pytester,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All three outputs on, against bare pytest, and against pytest with the same two outputs of its own."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    prepare(pytester, many(CRITERIA))
    bare = tmp_path_factory.mktemp("bare")
    (bare / "test_bare.py").write_text(BARE, encoding="utf-8")
    (bare / "told.json").write_bytes((pytester.path / "told.json").read_bytes())
    (bare / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    own_outputs = ["--html=r.html", "--self-contained-html", "--junitxml=j.xml"]
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, folder, args in (
            ("bare pytest", bare, []),
            ("pytest with its own HTML and JUnit", bare, own_outputs),
            ("every report of ours", pytester.path, ["--told=told.json"]),
        ):
            best[name] = min(best.get(name, float("inf")), seconds(folder, *args))
    base = best["bare pytest"]
    per_criterion = {name: 1000 * (took - base) / CRITERIA for name, took in best.items()}
    with capsys.disabled():
        print(f"\n{CRITERIA} criteria, best of {ROUNDS}")
        for name, took in best.items():
            print(f"  {name:38} {took:6.2f} s  {took / base:5.2f} x  {per_criterion[name]:6.3f} ms per criterion")
    assert per_criterion["every report of ours"] < BUDGET_MS
