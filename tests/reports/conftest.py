"""Sessions that report: real pytest in a folder of its own, with outcomes from `tests.reports.emulation`."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from golive.judge.load.result import LoadResult
from golive.model import Outcome
from tests.reports.emulation import info

ROOT = Path(__file__).resolve().parents[2]
TEST_FILE = """
from tests.reports.emulation import act

def test_claim(told):
    act(told)
"""


@dataclass(frozen=True)
class Told:
    """What a session left behind."""

    result: pytest.RunResult
    directory: Path

    @property
    def results(self) -> dict[str, Any]:
        """results.json."""
        found: dict[str, Any] = json.loads((self.directory / "results.json").read_text(encoding="utf-8"))
        return found

    @property
    def page(self) -> str:
        """report.html."""
        return (self.directory / "report.html").read_text(encoding="utf-8")

    @property
    def junit(self) -> str:
        """junit.xml."""
        return (self.directory / "junit.xml").read_text(encoding="utf-8")

    @property
    def suite(self) -> ET.Element:
        """The one test suite in junit.xml."""
        found = ET.fromstring(self.junit).find("testsuite")  # noqa: S314 - written by the session under test
        assert found is not None
        return found


_LEAN = ("-p", "no:hypothesispytest", "-p", "no:pytest11.testinfra", "-p", "no:testinfra", "-p", "no:platformdirs")


Tell = Callable[..., Told]


@pytest.fixture(autouse=True)
def _outside_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs these tests, the sessions inside do not take themselves for CI, and have 80 columns."""
    for name in [name for name in os.environ if name == "CI" or name.startswith(("GITHUB_", "GITLAB_", "CI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def tell(pytester: pytest.Pytester) -> Tell:
    """Run a session over outcomes and give back what it left: `tell(outcomes, "-n", "2", subprocess=True)`."""

    def run(
        outcomes: Sequence[Outcome | dict[str, Any]],
        *args: str,
        subprocess: bool = False,
        loads: Mapping[str, LoadResult] | None = None,
    ) -> Told:
        prepare(pytester, outcomes)
        if loads is not None:
            data = {name: result.as_data() for name, result in loads.items()}
            (pytester.path / "loads.json").write_text(json.dumps(data), encoding="utf-8")
            args = ("--loads=loads.json", *args)
        start = pytester.runpytest_subprocess if subprocess else pytester.runpytest_inprocess
        result = start("--told=told.json", "-p", "no:cacheprovider", *_LEAN, *args)
        return Told(result, info(pytester.path).directory)

    return run


def prepare(pytester: pytest.Pytester, outcomes: Sequence[Outcome | dict[str, Any]]) -> None:
    """Lay out the files of a session in the folder of `pytester`."""
    told = [one.as_data() if isinstance(one, Outcome) else one for one in outcomes]
    (pytester.path / "told.json").write_text(json.dumps(told), encoding="utf-8")
    pytester.makeconftest("from tests.reports.emulation import *")
    pytester.makepyfile(test_shop=TEST_FILE)
