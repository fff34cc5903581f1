"""Every check is proven by a fault: each way of breaking the demo turns exactly its criteria red, and healing green.

This is the long test of the suite: a whole checkpoint for each fault and a look after healing, on real servers.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo import control
from demo.faults import FAULTS, Fault
from tests.verification import Verified, golive, verify

HEALTHY_RUNS = 20
_RESTART_S = 40 * 60


@dataclass
class Begun:
    """When the watch over the demo began, by the monotonic clock."""

    at: float


@pytest.fixture(scope="module")
def begun(demo: Path) -> Begun:
    """The watch begins with the demo."""
    del demo
    return Begun(time.monotonic())


@pytest.fixture(scope="module")
def demo() -> Iterator[Path]:
    """A demo of this module's own; its path is short, as those of sockets must be."""
    folder = Path(tempfile.mkdtemp(prefix="gl-"))
    control.up(folder / "d")
    yield folder
    control.down(folder / "d")
    shutil.rmtree(folder, ignore_errors=True)


def checkpoint(demo: Path) -> Verified:
    return verify(demo / "d", demo / "out", "-m", "checkpoint")


def look_again(demo: Path, fault: Fault) -> Verified:
    """At what the fault turned red; that nothing else stays red is seen by the next fault and by the healthy runs.

    At everything where a criterion looks for the traces of what others did in the same run, and after a deployment,
    from which every criterion counts anew.
    """
    rests_on_others = any(criterion.endswith("-evidence") for criterion in fault.turns_red)
    if not fault.turns_red or rests_on_others or fault.needs_new_deployment:
        return checkpoint(demo)
    return verify(demo / "d", demo / "out", "-m", "checkpoint", "-k", " or ".join(sorted(fault.turns_red)))


@pytest.fixture(scope="module", autouse=True)
def seen_healthy(demo: Path) -> Verified:
    """Faults are judged against a system that was seen healthy, as after a first checkpoint."""
    found = checkpoint(demo)
    assert found.exit_code == 0, found.printed
    assert len(found.outcomes) >= 75
    return found


@pytest.fixture(autouse=True)
def young_watch(demo: Path, begun: Begun) -> None:
    """A watch that nobody keeps misses its first checkpoint after an hour, and these tests take longer than that."""
    if time.monotonic() - begun.at > _RESTART_S:
        restarted = golive(demo / "d", demo / "out", "watch", "restart", "--env=demo", "--reason=the tests go on")
        assert restarted.exit_code == 0, restarted.printed
        begun.at = time.monotonic()


def test_there_are_faults_enough_and_each_criterion_they_name_is_judged(seen_healthy: Verified) -> None:
    judged = {name.partition("[")[0] for name in seen_healthy.outcomes}
    assert len(FAULTS) >= 45
    for fault in FAULTS.values():
        assert fault.turns_red or fault.shows_in != "run", f"{fault.name} turns nothing red"
        assert fault.turns_red <= judged, f"{fault.name}: {fault.turns_red - judged}"


@pytest.mark.parametrize("name", FAULTS)
def test_fault_turns_exactly_its_criteria_red_and_healing_turns_them_green(name: str, demo: Path) -> None:
    fault = FAULTS[name]
    control.break_(name, demo / "d")
    try:
        broken = checkpoint(demo)
    finally:
        control.heal(name, demo / "d")
    red = {criterion.partition("[")[0] for criterion in broken.red}
    told = "\n".join(f"{criterion}: {message}" for criterion, message in broken.red.items())
    assert red == fault.turns_red, f"missing {fault.turns_red - red}, unexpected {red - fault.turns_red}:\n{told}"
    assert broken.exit_code == (0 if fault.shows_in == "trend" else 1), broken.printed
    if fault.turns_red:
        assert re.search(fault.told_as, told), f"no message has /{fault.told_as}/:\n{told}"
    if fault.shows_in == "watch":
        ready = broken.outcomes["warungin.checkpoint.signoff-ready-next"]
        assert re.search(fault.told_as.removeprefix("^"), ready["message"]), ready
    healed = look_again(demo, fault)
    assert not healed.red
    assert healed.exit_code == 0, healed.printed


def test_healthy_runs_in_a_row_raise_no_false_alarm(demo: Path) -> None:
    for number in range(1, HEALTHY_RUNS + 1):
        found = checkpoint(demo)
        assert found.exit_code == 0, f"run {number}: {found.red}\n{found.printed}"
