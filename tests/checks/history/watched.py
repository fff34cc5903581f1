"""A watch in a real history: checkpoints of the past hours with their values, and the run that looks back now."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from fixtures.past import Past
from fixtures.trends import Trends
from golive.environment.schedule import slots_of
from golive.history.baselines import Baseline, BaselineValue, set_baseline
from golive.history.runs import begin_run, finish_run
from golive.history.store import History
from golive.history.watches import open_watch
from golive.model import (
    Criterion,
    Deployment,
    Measurement,
    Outcome,
    Place,
    RunRecord,
    Severity,
    Status,
    Watch,
    When,
    utc_text,
)
from tests.judged import Judged, judged, run_context, written

MEMORY = "shop.health.memory"
SCHEDULE = ("1 h", "2 h", "3 h", "4 h", "6 h", "8 h", "10 h", "12 h", "16 h", "20 h", "24 h golive")


def measured(value: float, name: str = "api memory", unit: str = "MB", **keys: Any) -> Measurement:
    """One value; by default the memory of a service."""
    return Measurement(name=name, value=value, unit=unit, **keys)


class WatchDay:
    """The watch of one deployment, `hour` hours after it began. `watched=False`: runs after a deployment, no watch."""

    def __init__(self, folder: Path, hour: float, *, time_scale: float = 1.0, watched: bool = True) -> None:
        self.context = run_context(folder)
        self.context.directory.mkdir(exist_ok=True)
        assert self.context.history is not None
        self.history: History = self.context.history
        self.started_at = self.context.started_at
        self.begin = self.started_at - timedelta(hours=hour / time_scale)
        if not watched:
            self._set_section(deployment={"deployed_at": utc_text(self.begin)})
        self.watch = self._opened(time_scale) if watched else None
        self.context.watch = self.watch
        self.knows(MEMORY)

    def knows(self, *names: str, check: str = "hosts/memory", severity: Severity = Severity.HIGH) -> WatchDay:
        """The environment has these criteria as well, and this run judges them."""
        environment = self.context.environment
        made = tuple(criterion(name, check, severity) for name in names)
        object.__setattr__(environment, "criteria", (*environment.criteria, *made))
        self.context.selected = (*self.context.selected, *names)
        return self

    def looked(
        self,
        hour: float,
        *measurements: Measurement,
        of: str = MEMORY,
        status: Status = Status.PASS,
        checkpoint: str | None = None,
        aborted: str | None = None,
        severity: Severity = Severity.HIGH,
    ) -> WatchDay:
        """An earlier run at that hour judged the criterion `of`."""
        at = self.moment(hour)
        label = checkpoint or (f"{hour:g}h" if self.watch else None)
        record = RunRecord(
            run=f"run-at-{hour:g}-{label}",
            environment=self.context.environment.name,
            system="shop",
            started_at=at,
            finished_at=None if aborted else at + timedelta(seconds=5),
            aborted=aborted,
            watch=self.watch.id if self.watch else None,
            checkpoint=label,
            selected=(of,),
            outcomes=(outcome(of, at, status, measurements, severity),),
        )
        begin_run(self.history, replace(record, finished_at=None, aborted=None))
        finish_run(self.history, record.run, finished_at=at + timedelta(seconds=5), aborted=aborted)
        return self

    def course(self, values: Sequence[float], hours: Sequence[float], **keys: Any) -> WatchDay:
        """Earlier looks with these values at these hours; the last value is this run's own."""
        for hour, value in zip(hours, values, strict=False):
            self.looked(hour, measured(value, **keys))
        return self.sees(measured(values[-1], **keys))

    def sees(self, *measurements: Measurement, of: str = MEMORY, status: Status = Status.PASS) -> WatchDay:
        """This run has judged the criterion `of`."""
        seen = outcome(of, self.started_at, status, measurements, Severity.HIGH)
        with (self.context.directory / "outcomes.jsonl").open("a") as journal:
            journal.write(json.dumps(seen.as_data()) + "\n")
        return self

    def has_baseline(self, values: dict[tuple[str, str, str], float], name: str = "v1") -> WatchDay:
        """A valid baseline with these values by criterion, name and unit."""
        known = {key: BaselineValue(value) for key, value in values.items()}
        made = Baseline(
            name=name,
            environment=self.context.environment.name,
            version="1",
            made_at=self.begin,
            runs=("old",),
            values=known,
        )
        set_baseline(self.history, made)
        return self

    def moment(self, hour: float) -> datetime:
        """The real moment of that hour."""
        scale = self.watch.time_scale if self.watch else 1.0
        return self.begin + timedelta(hours=hour / scale)

    def judge(self, check: ModuleType, *, past: Past | None = None, **keys: Any) -> Judged:
        """What the check comes to in this run."""
        test = next(f for name, f in inspect.getmembers(check, inspect.isfunction) if name.startswith("test_"))
        return self.judged(test, written(check.Params, **{"criteria": [MEMORY], **keys}), past)

    def judged(self, test: Callable[..., None], params: Any, past: Past | None = None) -> Judged:
        """What a test function comes to in this run."""
        past = past or Past(self.context)
        trends = Trends(self.context, past)
        return judged(test, criterion=params, trends=trends, past=past, context=self.context)

    def _opened(self, time_scale: float) -> Watch:
        return open_watch(
            self.history,
            Watch(
                id="watch-1",
                environment=self.context.environment.name,
                system="shop",
                deployment=Deployment(version="1", deployed_at=self.begin),
                starts_at=self.begin,
                opened_at=self.begin,
                schedule=slots_of(SCHEDULE),
                tolerance_s=900.0,
                time_scale=time_scale,
            ),
        )

    def _set_section(self, **section: Any) -> None:
        environment = self.context.environment
        changed = type(environment.section).model_validate({"system": "shop", **section})
        object.__setattr__(environment, "section", changed)


def outcome(
    name: str, at: datetime, status: Status, measurements: Sequence[Measurement], severity: Severity
) -> Outcome:
    """What a criterion came to at a moment."""
    return Outcome(
        criterion=name,
        status=status,
        severity=severity,
        message="seen",
        started_at=at,
        measurements=tuple(measurements),
    )


def criterion(name: str, check: str, severity: Severity) -> Criterion:
    """A criterion that a check answers at every checkpoint."""
    return Criterion(
        id=name,
        says="It holds",
        severity=severity,
        when=(When.CHECKPOINT,),
        answer="check",
        place=Place(file="x"),
        check=check,
    )
