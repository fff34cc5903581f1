"""Faults that everybody on the machine notices, and runs in which nothing is wrong, on a machine that is quiet.

The environment is the demo's own, with nothing adjusted for the tests.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.faults import FAULTS
from tests.sweep import Sweep, in_order, sweep

HEALTHY_RUNS = 20


@pytest.fixture(scope="module")
def swept() -> Iterator[Sweep]:
    with sweep() as begun:
        yield begun


@pytest.mark.parametrize("name", in_order(fault for fault in FAULTS.values() if fault.needs_the_machine))
def test_fault_turns_exactly_its_criteria_red_and_healing_turns_them_green(name: str, swept: Sweep) -> None:
    swept.prove(name)


def test_healthy_runs_in_a_row_raise_no_false_alarm(swept: Sweep) -> None:
    for number in range(1, HEALTHY_RUNS + 1):
        found = swept.look()
        assert found.exit_code == 0, f"run {number}: {found.red}\n{found.printed}"
