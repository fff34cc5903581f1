"""Runs the suite against a demo of the tests' own, as a user would, and reads what it came to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 120


@dataclass(frozen=True)
class Verified:
    """One run: its exit code, what it printed, and its outcomes by criterion."""

    exit_code: int
    printed: str
    outcomes: dict[str, dict[str, Any]]

    @property
    def red(self) -> dict[str, str]:
        """Message by criterion of what failed or is unknown, without the criteria that only look back at the run."""
        return {
            name: f"{o['outcome']}: {o['message']}"
            for name, o in self.outcomes.items()
            if o["outcome"] in ("fail", "unknown") and not str(o["check"]).startswith("history/")
        }


def verify(demo: Path, output: Path, *arguments: str, environment: str = "demo") -> Verified:
    """`pytest --env=ENVIRONMENT ARGUMENTS` against the demo that lives in `demo`; a name, or the path of a file."""
    return _ran(demo, output, environment, "pytest", f"--output={output}", *arguments)


def golive(demo: Path, output: Path, *arguments: str, environment: str = "demo") -> Verified:
    """`golive ARGUMENTS --env=… --output=…` beside the demo that lives in `demo`."""
    return _ran(demo, output, environment, "commands.main", *arguments, f"--output={output}")


def _ran(demo: Path, output: Path, environment: str, module: str, *arguments: str) -> Verified:
    inherited = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith(("GITHUB_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments, f"--env={environment}"],
        cwd=ROOT,
        env={**inherited, "GOLIVE_DEMO_DIR": str(demo)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    results = output / Path(environment).stem / "latest" / "results.json"
    found = json.loads(results.read_text(encoding="utf-8")) if results.exists() else {"outcomes": []}
    return Verified(done.returncode, done.stdout + done.stderr, {o["criterion"]: o for o in found["outcomes"]})
