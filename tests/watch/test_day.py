"""A day in three minutes: `golive watch` against the real demo, to the verdict, killed on the way and started again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from demo import control
from golive.history.probes import probe_spans
from golive.history.runs import run_records
from golive.history.store import History
from golive.history.watches import watches
from golive.model import ProbeState

pytestmark = pytest.mark.xdist_group("demo-day")

ROOT = Path(__file__).resolve().parents[2]
SCALE = 480
COMMAND = [sys.executable, "-m", "commands.main"]
LABELS = ["15min", "2h", "6h", "12h", "18h", "24h"]
ENVIRONMENT = f"""
include: [{ROOT}/environments/demo.yaml]
system: warungin
watch:
  schedule: [15 min smoke, 2 h, 6 h, 12 h, 18 h, 24 h golive]
  # Eight seconds: what a run needs to begin on a busy machine.
  tolerance: 64 min
adjust:
  # Whoever else is busy on this machine is none of the demo's business.
  warungin.health.cpu: {{warning: 100, critical: 100}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "day.yaml").write_text(ENVIRONMENT, encoding="utf-8")
    yield tmp_path
    control.down(tmp_path / "demo")


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, "watch", f"--env={folder / 'day.yaml'}", f"--output={folder / 'out'}", f"--time-scale={SCALE}"],
            cwd=ROOT,
            env=surroundings(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_a_day_with_a_watch_that_is_killed_in_the_middle(
    folder: Path, start: Callable[[], subprocess.Popen[str]]
) -> None:
    first = start()
    said = until(first, "checkpoint 2h has ended")
    told = rf"beginning watch day-\S+, a trial at {SCALE} times the speed, hour 0.0 of 24, next checkpoint 15min in "
    assert any(re.search(told, line) for line in said)
    first.kill()
    first.communicate()
    second = start()
    out, _ = second.communicate(timeout=240)
    assert "continuing watch day-" in out
    assert second.returncode in (1, 3)
    assert ": PENDING" in out or ": NO-GO" in out

    with History.open(folder / "out" / "day" / "history.sqlite") as history:
        (watch,) = watches(history, "day")
        runs = run_records(history, "day", watch=watch.id, outcomes=False)
        spans = probe_spans(history, watch.id)
    assert [run.checkpoint for run in runs] == LABELS
    assert all(run.complete for run in runs)
    for run, slot in zip(runs, watch.schedule, strict=True):
        assert watch.due_at(slot) <= run.started_at <= watch.deadline(slot), (
            f"{run.checkpoint} began at {run.started_at}"
        )
    assert watch.target and all(run.target == watch.target for run in runs)
    assert len({run.criteria_digest for run in runs}) == 1
    assert [(span.endpoint, span.state) for span in spans] == [("api", ProbeState.UP), ("web", ProbeState.UP)]
    assert all(span.last_at >= watch.ends_at - timedelta(seconds=1) for span in spans)
    assert not mishaps(folder)


def mishaps(folder: Path) -> list[str]:
    """Reasons against GO that blame the watch itself and not what its checkpoints found or who has not signed."""
    told = subprocess.run(
        [*COMMAND, "verdict", f"--env={folder / 'day.yaml'}", f"--output={folder / 'out'}", "--json"],
        cwd=ROOT, env=surroundings(folder), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    reasons = json.loads(told.stdout)["reasons"]
    harmless = ("criterion-", "role-", "attestation-")
    return [reason["text"] for reason in reasons if not reason["kind"].startswith(harmless)]


def surroundings(folder: Path) -> Mapping[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith(("GITHUB_", "PYTEST_"))}
    return {**kept, "GOLIVE_DEMO_DIR": str(folder / "demo"), "PYTHONDONTWRITEBYTECODE": "1"}


def until(process: subprocess.Popen[str], text: str) -> list[str]:
    """What it says up to the line that holds `text`."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if text in line:
            return said
    pytest.fail("".join(said))
