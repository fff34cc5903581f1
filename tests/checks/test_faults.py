"""Every check is proven by a fault: each way of breaking the demo turns exactly its criteria red, and healing green.

This is the long test of the suite: a whole checkpoint for each fault, on real servers. Several processes may share it,
each with a demo of its own. What such a neighbour would notice is in `test_faults_alone.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.faults import FAULTS
from tests.sweep import Sweep, criteria, in_order, sweep
from tests.verification import ROOT

ADJUSTED = f"""
include: [{ROOT}/environments/demo.yaml]
system: warungin
# Measured all the same, as other criteria ask for the value.
waivers:
  - criterion: warungin.health.cpu
    reason: another demo is being tested on this machine
    approver: the tests
    risk: none, as test_faults_alone.py breaks it
    expires: 2999-01-01T00:00:00Z
adjust:
  warungin.health.cpu: {{again: 0}}
  # Those that the demo keeps free may be listened on by somebody else's intruder.
  "warungin.security.issues-check[ports]": {{lowest: 18900, highest: 18999}}
"""
# What only a load shows is tried in tests/checks/load.
JUDGED = {name: fault for name, fault in FAULTS.items() if fault.shows_in != "load"}
APART = [name for name, fault in JUDGED.items() if not fault.needs_the_machine]


@pytest.fixture(scope="module")
def swept() -> Iterator[Sweep]:
    with sweep(ADJUSTED) as begun:
        yield begun


def test_there_are_faults_enough_and_each_criterion_they_name_is_judged(swept: Sweep) -> None:
    judged = criteria(swept.see_healthy().outcomes)
    assert len(judged) >= 75
    assert len(JUDGED) >= 45
    for fault in JUDGED.values():
        assert fault.turns_red or fault.shows_in != "run", f"{fault.name} turns nothing red"
        assert fault.turns_red <= judged, f"{fault.name}: {fault.turns_red - judged}"


@pytest.mark.parametrize("name", in_order(FAULTS[name] for name in APART))
def test_fault_turns_exactly_its_criteria_red_and_healing_turns_them_green(name: str, swept: Sweep) -> None:
    swept.prove(name)
