"""Breaks a demo in one way after the other, and sees each time what a whole checkpoint makes of it.

That a fault was healed is seen by the checkpoint under the next one, which is green but for what that one turns red.
Where it could not be seen there, a checkpoint of the healed demo comes in between.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo import control
from demo.faults import FAULTS, Fault
from tests.verification import Verified, golive, verify

_RESTART_S = 40 * 60


@dataclass
class Sweep:
    """A demo of the tests' own, with a watch over it, and what is known about it.

    `unseen` are the faults that were healed, each with those of its criteria that were not seen green since.
    `deployed_anew`: nobody has seen it healthy since its last deployment. `begun_anew`: nor ever since its start, so
    that nobody has even logged in.
    """

    folder: Path
    environment: str
    starts: int = 1
    watched_since: float = field(default_factory=time.monotonic)
    unseen: dict[str, frozenset[str]] = field(default_factory=dict)
    deployed_anew: bool = True
    begun_anew: bool = True

    def look(self) -> Verified:
        """A whole checkpoint."""
        self._keep_the_watch_young()
        return verify(self.folder / "d", self._output, "-m", "checkpoint", environment=self.environment)

    def see_healthy(self) -> Verified:
        """A checkpoint at which nothing is wrong; AssertionError names the faults that were not healed."""
        found = self.look()
        red = criteria(found.red)
        assert not red, f"not healed: {self._left_behind(red) or 'none'}\n{told(found)}"
        assert found.exit_code == 0, found.printed
        self.unseen.clear()
        self.deployed_anew = self.begun_anew = False
        return found

    def prove(self, name: str) -> None:
        """The fault turns exactly its criteria red, with a message that names the cause, and those before it green.

        If not, the demo is begun anew, so that what is left behind is not held against the faults that follow.
        """
        try:
            self._prove(name)
        except AssertionError:
            self._begin_anew()
            raise

    def _prove(self, name: str) -> None:
        fault = FAULTS[name]
        if self._must_be_seen_healthy_before(fault):
            self.see_healthy()
        control.break_(name, self.folder / "d")
        try:
            broken = self.look()
        finally:
            control.heal(name, self.folder / "d")
        self._judge(fault, broken)
        if not fault.turns_red:
            self.see_healthy()

    def _judge(self, fault: Fault, broken: Verified) -> None:
        red = criteria(broken.red)
        missing, unexpected = fault.turns_red - red, red - fault.turns_red
        left_behind = self._left_behind(unexpected)
        self.unseen = {name: left & red for name, left in self.unseen.items() if left & red}
        self.unseen[fault.name] = fault.turns_red | unexpected
        self.deployed_anew |= fault.needs_new_deployment
        if missing or unexpected:
            raise AssertionError(
                f"missing {sorted(missing)}, unexpected {sorted(unexpected)}; not healed: {left_behind or 'none'}\n"
                f"{told(broken)}\nred after {fault.name} was healed: {told(self.look()) or 'nothing'}"
            )
        assert broken.exit_code == (0 if fault.shows_in == "trend" else 1), broken.printed
        if fault.turns_red:
            assert re.search(fault.told_as, told(broken)), f"no message has /{fault.told_as}/:\n{told(broken)}"
        if fault.shows_in == "watch":
            ready = broken.outcomes["warungin.checkpoint.signoff-ready-next"]
            assert re.search(fault.told_as.removeprefix("^"), ready["message"]), ready

    @property
    def _output(self) -> Path:
        return self.folder / f"out{self.starts}"

    def _begin_anew(self) -> None:
        control.down(self.folder / "d")
        control.up(self.folder / "d")
        self.starts += 1
        self.watched_since = time.monotonic()
        self.unseen.clear()
        self.deployed_anew = self.begun_anew = True

    def _must_be_seen_healthy_before(self, fault: Fault) -> bool:
        """What it turns red must have been seen green since; and what is red now must not become what is usual."""
        hidden = any(left & fault.turns_red for left in self.unseen.values())
        becomes_usual = not fault.needs_new_deployment or fault.needs_earlier_look
        return hidden or self.begun_anew or (self.deployed_anew and becomes_usual)

    def _left_behind(self, red: Iterable[str]) -> str:
        """Faults that were healed and whose criteria are red."""
        return ", ".join(name for name, left in self.unseen.items() if left & set(red))

    def _keep_the_watch_young(self) -> None:
        """A watch that nobody keeps misses its first checkpoint after an hour; a slow machine takes longer."""
        if time.monotonic() - self.watched_since > _RESTART_S:
            place, why = self.folder / "d", "--reason=the tests go on"
            restarted = golive(place, self._output, "watch", "restart", why, environment=self.environment)
            assert restarted.exit_code == 0, restarted.printed
            self.watched_since = time.monotonic()


@contextmanager
def sweep(adjusted: str = "") -> Iterator[Sweep]:
    """A demo that was seen healthy before its first fault, and is seen healthy after its last one.

    `adjusted` is YAML that is added to its environment. Its path is short, as those of sockets must be.
    """
    folder = Path(tempfile.mkdtemp(prefix="gl-"))
    environment = "demo"
    if adjusted:
        (folder / "adjusted.yaml").write_text(adjusted, encoding="utf-8")
        environment = str(folder / "adjusted.yaml")
    control.up(folder / "d")
    try:
        begun = Sweep(folder, environment)
        begun.see_healthy()
        yield begun
        begun.see_healthy()
    finally:
        control.down(folder / "d")
        shutil.rmtree(folder, ignore_errors=True)


def criteria(names: Iterable[str]) -> frozenset[str]:
    """Ids without the items of `for_each`."""
    return frozenset(name.partition("[")[0] for name in names)


def told(found: Verified) -> str:
    """What is red, a line each."""
    return "\n".join(f"{criterion}: {message}" for criterion, message in found.red.items())


def in_order(faults: Iterable[Fault]) -> list[str]:
    """Names of faults, those of which one can be seen to be healed under the next one after each other if possible.

    First those that leave the deployment as it is. Among them the ones with the most criteria first, since they are
    the hardest to find a neighbour for.
    """
    left = sorted(faults, key=lambda fault: (fault.needs_new_deployment, -len(fault.turns_red), fault.name))
    ordered: list[Fault] = []
    while left:
        last = ordered[-1].turns_red if ordered else frozenset()
        same = [fault for fault in left if fault.needs_new_deployment == left[0].needs_new_deployment]
        ordered.append(next((fault for fault in same if not fault.turns_red & last), left[0]))
        left.remove(ordered[-1])
    return [fault.name for fault in ordered]
