"""A day in four minutes: `golive watch` against the real demo, killed on the way, to GO with the fourth signature."""

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
SCALE = 360
COMMAND = [sys.executable, "-m", "commands.main"]
LABELS = ["15min", "1h", "2h", "3h", "4h", "6h", "8h", "10h", "12h", "16h", "20h", "24h"]
ROLES = ["QA Lead", "Security Lead", "Tech Lead", "Product Manager"]
ENVIRONMENT = f"""
include: [{ROOT}/environments/demo.yaml]
system: warungin
watch:
  milestones: {{stable: 4 h, very stable: 12 h}}
  # Ten seconds: what a run needs to begin on a busy machine.
  tolerance: 60 min
  availability:
    probes:
      - {{endpoint: api, request: GET /health}}
      - {{endpoint: web, request: GET /index.html}}
adjust:
  # Whoever else is busy on this machine is none of the demo's business.
  warungin.health.cpu: {{warning: 100, critical: 100}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "day.yaml").write_text(ENVIRONMENT, encoding="utf-8")
    # Up before the watch begins, so that it stays up after its end, with the keys to sign with.
    control.up(tmp_path / "demo")
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
    out, _ = second.communicate(timeout=300)
    assert "continuing watch day-" in out
    assert second.returncode == 3, out
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
    assert verdict(folder) == (3, [f"not signed by the {', the '.join(ROLES[:3])} and the {ROLES[3]}"])
    for number, role in enumerate(ROLES, 1):
        slug = role.lower().replace(" ", "-")
        key = folder / "demo" / "signers" / slug
        golive(folder, "sign", f"--role={role}", f"--name=Signer {number}", f"--key={key}")
        code, reasons = verdict(folder)
        assert code == (0 if number == 4 else 3), reasons
    assert reasons == []
    archive = folder / "day.zip"
    golive(folder, "bundle", "-o", str(archive))
    checked = ran("verify", str(archive), folder=folder)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    golive(folder, "report")
    page = (folder / "out" / "day" / "golive.html").read_text(encoding="utf-8")
    assert "trial" in page
    assert all(f"Signer {number}" in page for number in range(1, 5))


def verdict(folder: Path) -> tuple[int, list[str]]:
    """The exit code of the verdict and its reasons, each up to what stands in brackets."""
    told = golive(folder, "verdict", "--json", codes=(0, 1, 3))
    reasons = json.loads(told.stdout)["reasons"]
    return told.returncode, [reason["text"].partition(" (")[0] for reason in reasons]


def golive(
    folder: Path, command: str, *arguments: str, codes: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    """A command over the watch in `folder`, which ends with one of these codes."""
    done = ran(command, f"--env={folder / 'day.yaml'}", f"--output={folder / 'out'}", *arguments, folder=folder)
    assert done.returncode in codes, done.stdout + done.stderr
    return done


def ran(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=surroundings(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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
