"""A shop with a watch, and checkpoints that take fake time and write into a real history."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from golive.environment.load import Environment
from golive.environment.sections import EnvironmentSection
from golive.history.runs import begin_run, finish_run
from golive.history.store import History
from golive.model import Criterion, Outcome, Place, RunRecord, Severity, Slot, Status, Watch, When
from golive.watch.clock import FakeClock
from golive.watch.keeper import selection
from golive.watch.schedule import new_watch

START = datetime(2026, 5, 1, 9, tzinfo=UTC)
HOUR_S = 3600.0
SMOKE, CPU, FINAL = "shop.smoke.up", "shop.health.cpu", "shop.golive.all"
REQUIRED: Mapping[When, Collection[str]] = {When.SMOKE: {SMOKE}, When.CHECKPOINT: {CPU}, When.GOLIVE: {FINAL, CPU}}
LABELS = ["15min", "1h", "2h", "3h", "4h", "6h", "8h", "10h", "12h", "16h", "20h", "24h"]


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def shop(*, deployed_at: datetime | None = START, version: str = "1.0", **sections: Any) -> Environment:
    """An environment with a watch of the usual schedule, unless `watch` says otherwise."""
    written = {"system": "shop", "watch": {}, **sections}
    deployment = {"version": version, "deployed_at": deployed_at}
    return Environment(
        name="shop",
        file=Path("shop.yaml"),
        files=(),
        section=EnvironmentSection.model_validate({**written, "deployment": deployment}),
        criteria=tuple(_criterion(name, when) for name, when in _occasions().items()),
        waivers=(),
        attestations=(),
        secrets=(),
    )


def day(**more: Any) -> Watch:
    """A watch over the usual schedule from `START`."""
    return new_watch(shop(), deployed_at=START, now=START, **more)


def selected_by(slot: Slot) -> tuple[str, ...]:
    """What a complete run of a checkpoint selects."""
    return tuple(sorted({criterion for occasion in slot.occasions for criterion in REQUIRED[occasion]}))


def run_at(watch: Watch, at: datetime, label: str | None, **more: Any) -> RunRecord:
    """A complete run of the checkpoint `label`, three minutes long."""
    slot = next((slot for slot in watch.schedule if slot.label == label), None)
    given = {
        "run": f"run-{at:%d-%H%M%S}", "environment": "shop", "system": "shop", "started_at": at, "watch": watch.id,
        "finished_at": at + timedelta(minutes=3), "deployment": watch.deployment, "checkpoint": label,
        "selected": selected_by(slot) if slot else (), "selection": selection(slot) if slot else "", **more,
    }  # fmt: skip
    return RunRecord(**given)


def held(at: datetime, criterion: str = CPU, status: Status = Status.PASS, message: str = "it holds") -> Outcome:
    return Outcome(criterion=criterion, status=status, severity=Severity.HIGH, message=message, started_at=at)


@dataclass
class FakeRuns:
    """What a keeper begins: each run takes `takes_s` of the clock's time. `begun` are the labels in order.

    `ends` maps a label to how its next run ends: "dies" (its process is gone), "refuses" (it never gets as far as
    the history), "hangs" (until it is told to stop), "clings" (until it is killed); without one it is complete.
    """

    history: History
    watch: Watch
    clock: FakeClock
    takes_s: float = 180.0
    ends: dict[str, list[str]] = field(default_factory=dict)
    outcomes: Mapping[str, tuple[Outcome, ...]] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    numbers: Any = field(default_factory=itertools.count)

    def begin(self, slot: Slot) -> FakeRun:
        self.begun.append(slot.label)
        self.at.append(self.clock.now())
        waiting = self.ends.get(slot.label, [])
        return FakeRun(self, slot, waiting.pop(0) if waiting else "")


class FakeRun:
    """One of them."""

    def __init__(self, runs: FakeRuns, slot: Slot, end: str) -> None:
        self._runs, self._slot, self._end = runs, slot, end
        self._until_s = runs.clock.monotonic() + runs.takes_s
        self._code: int | None = None
        self.name = f"run-{next(runs.numbers)}"
        if end != "refuses":
            record = run_at(runs.watch, runs.clock.now(), slot.label, run=self.name, finished_at=None)
            begin_run(runs.history, replace(record, outcomes=runs.outcomes.get(slot.label, ())))

    def poll(self) -> int | None:
        code = {"": 0, "refuses": 4, "dies": -9}.get(self._end)
        if self._code is None and code is not None and self._runs.clock.monotonic() >= self._until_s:
            self._finish(code)
        return self._code

    def interrupt(self) -> None:
        self._runs.told.append("interrupt")
        if self._end != "clings":
            self._finish(2, aborted="interrupted")

    def kill(self) -> None:
        self._runs.told.append("kill")
        self._finish(-9, aborted="its process died")

    def tail(self) -> str:
        return f"the tail of {self.name}"

    def _finish(self, code: int, aborted: str | None = None) -> None:
        self._code = code
        if self._end == "refuses":
            return
        if self._end == "dies":
            aborted = "its process died"
        finish_run(self._runs.history, self.name, finished_at=self._runs.clock.now(), aborted=aborted)


def _occasions() -> dict[str, tuple[When, ...]]:
    ids = sorted({criterion for wanted in REQUIRED.values() for criterion in wanted})
    return {name: tuple(when for when, wanted in REQUIRED.items() if name in wanted) for name in ids}


def _criterion(name: str, when: tuple[When, ...]) -> Criterion:
    return Criterion(
        id=name, says="It holds", severity=Severity.HIGH, when=when, answer="check", place=Place(file="shop.yaml"),
        check="hosts/file",
    )  # fmt: skip
