"""What a checkpoint found that the forms ask for by name: services up, critical log lines, measured values. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from golive.model import Criterion, Measurement, Outcome, Status
from reports.golive.views.day import Checkpoint, Day
from reports.golive.views.series import nearness
from reports.wording import rank

_RUNNING = "services/running"
_CRITICAL_LINES = "logs/no_critical"
_RECORD = "history/measured"
"""The check whose criteria are the values that a checkpoint record asks for."""
_USUAL = ("hosts/cpu", "hosts/memory", "hosts/disk", "http/latency", "http/page_load", "database/query_time")
"""What is recorded where an environment does not say which values it wants."""
_MOST_USUAL = 12
_SHORT = {"cpu": "CPU", "db": "DB", "api": "API", "url": "URL", "http": "HTTP", "sql": "SQL"}


@dataclass(frozen=True, kw_only=True)
class Services:
    """How many services were up, of how many."""

    up: int
    expected: int

    @property
    def whole(self) -> bool:
        """All of them."""
        return self.up >= self.expected

    def __str__(self) -> str:
        return f"{self.up}/{self.expected} UP"


@dataclass(frozen=True, kw_only=True)
class Value:
    """One line of a checkpoint record: what was to be measured, and the value nearest to its limit, if there is one."""

    criterion: str
    label: str
    measurement: Measurement | None
    status: Status | None


def services(day: Day, outcomes: Mapping[str, Outcome]) -> Services | None:
    """The services that were running, the worst look at each set of them counted; None where none was counted."""
    worst: dict[str, Measurement] = {}
    for outcome, measurement in _measured(outcomes, _RUNNING, "running"):
        of = str(_param(day.criteria.get(outcome.criterion), "services") or "")
        known = worst.get(of)
        if measurement.critical is not None and (known is None or measurement.value < known.value):
            worst[of] = measurement
    if not worst:
        return None
    return Services(
        up=sum(int(m.value) for m in worst.values()), expected=sum(int(m.critical or 0) for m in worst.values())
    )


def critical_lines(day: Day, outcomes: Mapping[str, Outcome]) -> int | None:
    """Critical log lines since the look before; None where they were not counted."""
    return _most(_lines(day, outcomes, since_deployment=False))


def critical_lines_so_far(day: Day, outcomes: Mapping[str, Outcome]) -> int | None:
    """Critical log lines since the deployment; None where they were not counted that far back."""
    return _most(_lines(day, outcomes, since_deployment=True))


def values(day: Day, column: Checkpoint) -> list[Value]:
    """The values that the record of a checkpoint asks for and that were due there, blank ones included."""
    found = []
    for name in recorded(day.record.criteria):
        if name not in column.expected and name not in column.outcomes:
            continue
        outcome = column.outcomes.get(name)
        measurements = () if outcome is None else outcome.measurements
        nearest = max(measurements, key=lambda m: (nearness(m) is not None, nearness(m) or 0.0), default=None)
        status = None if outcome is None else outcome.status
        found.append(Value(criterion=name, label=label_of(name), measurement=nearest, status=status))
    return found


def recorded(criteria: Sequence[Criterion]) -> list[str]:
    """Ids of the criteria whose values a checkpoint record shows, in the order the environment names them."""
    ordered = sorted(criteria, key=lambda criterion: criterion.id)
    wanted: dict[str, None] = {}
    for criterion in ordered:
        if criterion.check == _RECORD:
            wanted |= dict.fromkeys(str(name) for name in _param(criterion, "criteria") or ())
    if wanted:
        return [c.id for name in wanted for c in ordered if name in (c.id, c.base_id) and c.answer == "check"]
    return [c.id for check in _USUAL for c in ordered if c.check == check][:_MOST_USUAL]


def label_of(criterion: str) -> str:
    """A short name for people: `warungin.performance.api-latency` is `API latency`."""
    base, _, item = criterion.partition("[")
    words = re.split(r"[-_ ]+", base.rpartition(".")[2])
    told = " ".join(_SHORT.get(word.lower(), word) for word in words)
    return f"{told} ({item.rstrip(']')})" if item else told


def worst_of(outcomes: Iterable[Outcome]) -> Status | None:
    """The worst outcome there is."""
    return min((outcome.status for outcome in outcomes), key=rank, default=None)


def _lines(day: Day, outcomes: Mapping[str, Outcome], *, since_deployment: bool) -> Iterator[float]:
    for outcome, measurement in _measured(outcomes, _CRITICAL_LINES, "critical lines"):
        since = _param(day.criteria.get(outcome.criterion), "since")
        if (since == "deployment") == since_deployment:
            yield measurement.value


def _most(lines: Iterable[float]) -> int | None:
    most = max(lines, default=None)
    return None if most is None else int(most)


def _measured(outcomes: Mapping[str, Outcome], check: str, name: str) -> Iterator[tuple[Outcome, Measurement]]:
    for outcome in outcomes.values():
        if outcome.check == check:
            for measurement in outcome.measurements:
                if measurement.name == name:
                    yield outcome, measurement


def _param(criterion: Criterion | None, name: str) -> Any:
    """A parameter of a criterion's check, whether its parameters are a model or plain data."""
    params = None if criterion is None else criterion.params
    return params.get(name) if isinstance(params, Mapping) else getattr(params, name, None)
