"""A shop of its own in a temporary folder, and real pytest sessions and `golive` commands against it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
HOSTS = {"app": {"connect": "local://", "cpu_window": "100 ms"}}
LIMIT_S = 60.0
Data = dict[str, Any]


@dataclass(frozen=True)
class Ran:
    """What one session said, and what it left behind in `directory` (None: it left nothing)."""

    code: int
    out: str
    output: Path

    @property
    def lines(self) -> list[str]:
        return [line for line in self.out.splitlines() if line.strip()]

    @property
    def directory(self) -> Path:
        found = [f for f in self.output.glob("*/*") if f.is_dir() and not f.is_symlink()]
        return max(found, key=lambda f: f.stat().st_mtime_ns)

    @property
    def results(self) -> Data:
        found: Data = json.loads((self.directory / "results.json").read_text(encoding="utf-8"))
        return found

    @property
    def outcomes(self) -> dict[str, Data]:
        return {o["criterion"]: o for o in self.results["outcomes"]}

    @property
    def statuses(self) -> dict[str, str]:
        return {name: o["outcome"] for name, o in self.outcomes.items()}

    def message(self, criterion: str) -> str:
        return str(self.outcomes[criterion]["message"])

    @property
    def journal(self) -> list[Data]:
        text = (self.directory / "outcomes.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    @property
    def cases(self) -> dict[str, ET.Element]:
        """The test cases of junit.xml by criterion, or by name where there is none."""
        cases = {}
        for case in ET.parse(self.directory / "junit.xml").getroot().iter("testcase"):  # noqa: S314 - our own
            named = [p.get("value", "") for p in case.iterfind("properties/property") if p.get("name") == "criterion"]
            cases[named[0] if named else case.get("name", "")] = case
        return cases

    @property
    def history(self) -> Path:
        return self.directory.parent / "history.sqlite"

    @property
    def state(self) -> Data:
        """What the runs left for later ones."""
        with closing(sqlite3.connect(self.history)) as store:
            return {key: json.loads(value) for key, value in store.execute("select key, value from state")}

    @property
    def runs(self) -> list[str]:
        """The runs that the history knows, oldest first."""
        with closing(sqlite3.connect(self.history)) as store:
            return [run for (run,) in store.execute("select run from runs order by id")]

    @property
    def artefacts(self) -> dict[str, str]:
        """Everything that was written, and everything that was said."""
        files = [f for f in self.output.rglob("*") if f.is_file()]
        return {"stdout": self.out, **{f.name: f.read_text(encoding="utf-8", errors="replace") for f in files}}


@dataclass
class Shop:
    """One environment in a folder; `run` verifies it."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.folder / "shop.yaml"

    def write(self, criteria: Sequence[Data] | str = (), **sections: Any) -> None:
        """The environment and its criteria, from what YAML would hold or as YAML text."""
        text = dedent(criteria) if isinstance(criteria, str) else json.dumps(list(criteria), indent=1)
        (self.folder / "criteria.yaml").write_text(text, encoding="utf-8")
        whole = {"system": "shop", "hosts": HOSTS, "criteria": ["criteria.yaml"], **sections}
        self.file.write_text(json.dumps(whole, indent=1), encoding="utf-8")

    def own(self, text: str, name: str = "test_own.py", folder: str = "own") -> Path:
        """A file of the team's own tests."""
        file = self.folder / folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
        return file

    def command(self, *args: str) -> list[str]:
        return [
            str(BIN / "pytest"),
            f"--env={self.file}",
            f"--output={self.folder / 'output'}",
            "-p",
            "no:cacheprovider",
            *args,
        ]

    def run(self, *args: str) -> Ran:
        done = run([*self.command(*args)], self.variables)
        return Ran(done.returncode, done.stdout, self.folder / "output")

    def start(self, *args: str) -> subprocess.Popen[str]:
        """A session that is still running, in a process group of its own."""
        return subprocess.Popen(
            self.command(*args),
            cwd=ROOT,
            env=surroundings(self.variables),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def ended(self, process: subprocess.Popen[str]) -> Ran:
        out, _ = process.communicate(timeout=LIMIT_S)
        return Ran(process.returncode, out, self.folder / "output")


def run(command: Sequence[str], variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command to its end, both of its outputs as one text."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=surroundings(variables or {}),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=LIMIT_S,
        check=False,
    )


def surroundings(variables: Mapping[str, str]) -> dict[str, str]:
    """Whatever runs these tests, the sessions inside do not take themselves for CI or for a part of it."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name != "CI" and not name.startswith(("GITHUB_", "GITLAB_", "CI_", "PYTEST_", "COV_"))
    }
    return {**inherited, "COLUMNS": "160", "PYTHONDONTWRITEBYTECODE": "1", **variables}


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Until `condition` holds; the test fails when that takes too long."""
    until = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < until, f"never came: {what}"
        time.sleep(0.02)


def file_there(name: str, path: Path, **keys: Any) -> Data:
    """A criterion that a file is there."""
    return {
        "id": name,
        "says": "The file is there",
        "check": "hosts/file",
        "path": str(path),
        "severity": "high",
        **keys,
    }
