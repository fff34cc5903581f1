"""Real loads on a demo of the tests' own: under each fault its criteria turn red, and healthy all are green.

One demo for all of them. A fault is pressed with the profile that is to show it, and with all criteria of that.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo import control
from demo.faults import FAULTS
from tests.sweep import told
from tests.verification import ROOT, Verified, verify

ADJUSTED = f"""
include: [{ROOT}/environments/demo.yaml]
system: warungin
# Measured all the same; whoever else works on this machine is not the demo's doing.
waivers:
  - criterion: warungin.load.resources
    reason: other tests run on this machine
    approver: the tests
    risk: none, as test_beside.py breaks it
    expires: 2999-01-01T00:00:00Z
"""
STEADY = ("-k", "not rush and not recovery and not soak and not leak")
SOAK = ("-k", "soak or leak")
RED = {
    "load-errors": {"warungin.load.errors", "warungin.load.errors-5xx"},
    "throughput-capped": {"warungin.load.throughput"},
    "slow-tail": {"warungin.load.latency[p95]"},
    "slow-leak": {"warungin.load.memory-leak"},
}
TOO = {"slow-tail": {"warungin.load.throughput"}}
"""What may turn red as well: who waits for a slow answer asks for less."""
CAUSES = {
    "load-errors": r"error rate: \d.* 1 % needed \(\d+ of \d+ requests: \d+x 500\)",
    "throughput-capped": r"throughput in hold 1: \d+(\.\d+)? requests/s, at least 35",
    "slow-tail": r"p95: 1\d\d\d ms, below 1000 ms needed",
    "slow-leak": r"steady growth of the memory of worker: ",
}


@dataclass
class Pressed:
    """A demo of the tests' own."""

    folder: Path

    def load(self, *arguments: str, environment: str = "adjusted") -> Verified:
        """All loads, or those that are asked for."""
        file = self.folder / f"{environment}.yaml"
        return verify(self.folder / "d", self.folder / "out", "-m", "load", *arguments, environment=str(file))

    def under(self, fault: str, *arguments: str) -> Verified:
        """The same under a fault that is healed afterwards."""
        control.break_(fault, self.folder / "d")
        try:
            return self.load(*arguments)
        finally:
            control.heal(fault, self.folder / "d")


@pytest.fixture(scope="module")
def pressed() -> Iterator[Pressed]:
    folder = Path(tempfile.mkdtemp(prefix="gl-"))
    (folder / "adjusted.yaml").write_text(ADJUSTED, encoding="utf-8")
    control.up(folder / "d")
    try:
        yield Pressed(folder)
    finally:
        control.down(folder / "d")
        shutil.rmtree(folder, ignore_errors=True)


def test_a_healthy_demo_holds_its_load(pressed: Pressed) -> None:
    found = pressed.load()
    assert found.exit_code == 0, f"{told(found)}\n{found.printed}"
    assert len(found.outcomes) >= 20
    assert {"pass", "waived"} >= {outcome["outcome"] for outcome in found.outcomes.values()}, found.printed
    assert found.outcomes["warungin.load.complete[steady]"]["outcome"] == "pass"


@pytest.mark.parametrize("fault", RED)
def test_a_fault_turns_exactly_its_criteria_red(pressed: Pressed, fault: str) -> None:
    found = pressed.under(fault, *(SOAK if fault == "slow-leak" else STEADY))
    assert found.exit_code == 1, found.printed
    assert RED[fault] <= found.red.keys() <= RED[fault] | TOO.get(fault, set()), f"{told(found)}\n{found.printed}"
    assert re.search(CAUSES[fault], told(found)), told(found)
    if fault == "slow-tail":
        assert found.outcomes["warungin.load.latency[p50]"]["outcome"] == "pass", found.printed


def test_the_faults_that_only_a_load_shows_are_all_tried_here() -> None:
    shown = {name for name, fault in FAULTS.items() if fault.shows_in == "load"}
    assert shown <= RED.keys()
    assert all(FAULTS[name].turns_red == RED[name] for name in shown)
    assert all(re.search(FAULTS[name].told_as, "error rate: 4 % throughput in hold 1: 9 at least 35") for name in shown)


ABORTS = """
include: [{root}/environments/demo.yaml]
system: warungin
load:
  endpoints: [api]
  max_users: 40
  max_rate: 200/s
  abort_on: [{{errors: 2 %, over: 3 s, min_requests: 20}}]
  profiles:
    steady:
      scenarios: [{{name: any, as: cashier_store_1, think_time: 100 ms, steps: [GET /api/stores/1/products]}}]
      stages: [{{ramp: 1 s, users: 10}}, {{hold: 40 s}}]
    rush: &short
      scenarios: [{{name: any, think_time: 50 ms, steps: [GET /health]}}]
      stages: [{{ramp: 1 s, users: 2}}, {{hold: 3 s}}, {{spike: 1 s, users: 4}}, {{hold: 3 s}}]
    soak: *short
adjust:
  warungin.load.sale: {{not_applicable: nothing is sold in this load}}
"""


def test_a_load_that_hurts_is_stopped_and_says_so(pressed: Pressed) -> None:
    (pressed.folder / "aborts.yaml").write_text(ABORTS.format(root=ROOT), encoding="utf-8")
    control.break_("load-errors", pressed.folder / "d")
    try:
        found = pressed.load("-k", "complete and steady or load.errors", environment="aborts")
    finally:
        control.heal("load-errors", pressed.folder / "d")
    assert found.exit_code == 1, found.printed
    complete = found.outcomes["warungin.load.complete[steady]"]
    assert complete["outcome"] == "fail"
    stopped = re.match(r"stopped after (\d+) of 41 s: .*2 %", complete["message"])
    assert stopped, complete["message"]
    assert int(stopped[1]) < 20
    # Judged by what there was, or unknown where that was too little: never a pass.
    assert found.outcomes["warungin.load.errors"]["outcome"] in ("fail", "unknown")
    assert "the load was stopped: " in found.outcomes["warungin.load.errors"]["message"]


def test_under_xdist_one_process_presses_and_the_others_look_back(pressed: Pressed) -> None:
    (pressed.folder / "aborts.yaml").write_text(ABORTS.format(root=ROOT), encoding="utf-8")
    found = pressed.load("-n", "2", "-k", "rush and complete or recovery", environment="aborts")
    assert found.outcomes["warungin.load.complete[rush]"]["outcome"] == "pass", found.printed
    latest = pressed.folder / "out" / "aborts" / "latest"
    assert [folder.name for folder in (latest / "load").iterdir()] == ["rush"]
    # What the process beside it measured came over.
    assert json.loads((latest / "results.json").read_text(encoding="utf-8"))["load"].keys() == {"rush"}
