"""The hour-by-hour monitoring log of a watch, computed from its checkpoints and, between them, the probe. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from golive.judge.uptime import Uptime
from golive.judge.wording import span
from golive.model import EXTRA, Outcome, Severity, Status
from reports.golive.views import readings
from reports.golive.views.availability import Availability
from reports.golive.views.day import HOUR_S, Checkpoint, Day, State, standing
from reports.golive.views.timeline import STATE_WORDS
from reports.text import clipped, plural

_CLEAN = (Status.PASS, Status.NOT_APPLICABLE)
_NAMED = 3
_SHORT = 160


class HourStatus(StrEnum):
    """How an hour was. What each word takes is said in `MEANINGS`."""

    NORMAL = "NORMAL"
    EXCELLENT = "EXCELLENT"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"
    NO_DATA = "NO DATA"


MEANINGS = {
    HourStatus.EXCELLENT: "a checkpoint found every criterion in order, and nothing was down or unseen",
    HourStatus.NORMAL: "nothing failed; known from a checkpoint, or from the availability probe alone",
    HourStatus.WARNING: "something failed that is not critical, warned, flapped, or could not be looked at",
    HourStatus.CRITICAL: "a critical criterion failed, a service or endpoint was down, or a critical line was logged",
    HourStatus.NO_DATA: "neither a checkpoint nor the probe tells anything",
}


@dataclass(frozen=True, kw_only=True)
class Hour:
    """One entry of the log. `source` says what it is known from; `errors` is None where nobody counted."""

    number: int
    begin: datetime
    end: datetime
    status: HourStatus
    services: str
    errors: int | None
    errors_told: str
    notes: tuple[str, ...]
    source: str


def monitoring_log(day: Day, available: Availability | None) -> list[Hour]:
    """An entry for each hour of the watch, those to come included."""
    last = max(1, math.ceil(day.length_s / HOUR_S))
    held: dict[int, list[Checkpoint]] = {}
    for checkpoint in day.checkpoints:
        if checkpoint.slot is not None:
            held.setdefault(_hour_of(checkpoint.slot.offset_s, last), []).append(checkpoint)
    return [_Entry(day, available, number, held).hour() for number in range(1, last + 1)]


class _Errors(NamedTuple):
    """Critical log lines: how many if that is known of the hour alone, and whether some of a later count may be its."""

    number: int | None
    told: str
    doubtful: bool = False


@dataclass(frozen=True)
class _Entry:
    """What is known of one hour."""

    day: Day
    available: Availability | None
    number: int
    held: Mapping[int, Sequence[Checkpoint]]

    def hour(self) -> Hour:
        watch = self.day.watch
        outcomes = self._outcomes()
        services = readings.services(self.day, outcomes)
        errors = self._errors(outcomes)
        status = self._status(outcomes, services, errors)
        return Hour(
            number=self.number,
            begin=watch.moment((self.number - 1) * HOUR_S),
            end=watch.moment(self.number * HOUR_S),
            status=status,
            services=self._services(services),
            errors=errors.number,
            errors_told=errors.told,
            notes=tuple(self._notes(outcomes, status)),
            source=self._source(outcomes),
        )

    @property
    def _checkpoints(self) -> Sequence[Checkpoint]:
        return self.held.get(self.number, ())

    @property
    def _probed(self) -> Mapping[str, Uptime]:
        return {} if self.available is None else self.available.hour(self.number)

    @property
    def _seen(self) -> dict[str, Uptime]:
        return {name: found for name, found in self._probed.items() if found.percent is not None}

    def _outcomes(self) -> dict[str, Outcome]:
        """What stands when the checkpoints of this hour and the other runs within it are taken together."""
        runs = [run for checkpoint in self._checkpoints for run in checkpoint.runs]
        for run in self.day.runs:
            extra = run.checkpoint == EXTRA or run.checkpoint not in self.day.labels
            if extra and int(self.day.hours(run.started_at)) + 1 == self.number:
                runs.append(run)
        return standing(sorted(runs, key=lambda run: run.started_at), self.day.course.counts)

    def _services(self, found: readings.Services | None) -> str:
        if found is not None:
            return str(found)
        seen = self._seen
        if not seen:
            return "not looked at"
        up = sum(one.down_s == 0 for one in seen.values())
        return f"not counted; {up}/{len(self._probed)} endpoints UP"

    def _errors(self, outcomes: Mapping[str, Outcome]) -> _Errors:
        """Critical log lines of this hour: counted here, or by the next checkpoint, which reads on from the last."""
        counted = readings.critical_lines(self.day, outcomes)
        if counted is not None:
            return _Errors(counted, f"{counted} critical")
        for number in sorted(n for n in self.held if n > self.number):
            for checkpoint in self.held[number]:
                later = readings.critical_lines(self.day, checkpoint.outcomes)
                if later is not None:
                    by = f" by hour {number}" if later else ""
                    told = f"{later} critical{by} (read at {checkpoint.name})"
                    return _Errors(later if later == 0 else None, told, doubtful=later > 0)
        return _Errors(None, "not counted")

    def _status(
        self, outcomes: Mapping[str, Outcome], services: readings.Services | None, errors: _Errors
    ) -> HourStatus:
        seen = self._seen
        if not outcomes and not seen:
            return HourStatus.NO_DATA
        found = outcomes.values()
        if (
            any(o.status is Status.FAIL and o.severity is Severity.CRITICAL for o in found)
            or (services is not None and not services.whole)
            or bool(errors.number)
            or any(one.down_s > 0 for one in seen.values())
        ):
            return HourStatus.CRITICAL
        troubled = any(o.status.blocks or o.status is Status.WARN or o.flapping for o in found)
        if troubled or errors.doubtful or self._doubtful:
            return HourStatus.WARNING
        whole = [c for c in self._checkpoints if c.state is State.DONE]
        return HourStatus.EXCELLENT if whole and all(o.status in _CLEAN for o in found) else HourStatus.NORMAL

    @property
    def _doubtful(self) -> bool:
        """A checkpoint was not held as it had to be, or more of the hour was unseen than the whole watch allows."""
        allowed_s = self.available.policy.unknown_at_most_s if self.available else 0.0
        return any(c.state.spoils for c in self._checkpoints) or any(
            found.unknown_s > allowed_s for found in self._probed.values()
        )

    def _source(self, outcomes: Mapping[str, Outcome]) -> str:
        looked = [c.name for c in self._checkpoints if c.runs]
        if looked:
            return f"checkpoint {' and '.join(looked)}"
        if outcomes:
            return "a run besides the checkpoints"
        return "availability probe" if self._seen else ""

    def _notes(self, outcomes: Mapping[str, Outcome], status: HourStatus) -> Iterable[str]:
        begin = self.day.watch.moment((self.number - 1) * HOUR_S)
        if begin >= self.day.now:
            yield "yet to come"
            return
        if self.day.watch.moment(self.number * HOUR_S) > self.day.now:
            yield "not over yet"
        for checkpoint in self._checkpoints:
            if checkpoint.state is not State.DONE:
                yield f"checkpoint {checkpoint.name} {STATE_WORDS[checkpoint.state]}"
        yield from _troubles(outcomes)
        yield from _unavailable(self._probed)
        yield from self._written()
        good = sum(not o.status.blocks and o.status is not Status.WARN for o in outcomes.values())
        if outcomes and good == len(outcomes):
            yield f"{plural(good, 'criterion', 'criteria')} in order"
        elif not outcomes and status is not HourStatus.NO_DATA and not self._checkpoints:
            yield "no checkpoint in this hour"

    def _written(self) -> Iterable[str]:
        """What people wrote down about a checkpoint of this hour, or else in this hour."""
        labels = {checkpoint.label for checkpoint in self._checkpoints}
        for note in sorted(self.day.record.notes, key=lambda note: note.at):
            own = int(self.day.hours(note.at)) + 1 == self.number
            if note.checkpoint in labels if note.checkpoint is not None else own:
                yield f"{note.by}: {clipped(note.text, _SHORT)}"


def _hour_of(offset_s: float, last: int) -> int:
    """The hour that a checkpoint looks back on: the one at 4 h belongs to hour 4."""
    return min(max(1, math.ceil(offset_s / HOUR_S)), last)


def _troubles(outcomes: Mapping[str, Outcome]) -> list[str]:
    """What was not in order, in a few words for each kind."""
    told = []
    for status, word in ((Status.FAIL, "failed"), (Status.UNKNOWN, "unknown"), (Status.WARN, "warned")):
        found = sorted(
            (o for o in outcomes.values() if o.status is status),
            key=lambda o: ((o.check or "").startswith("history/"), list(Severity).index(o.severity), o.criterion),
        )
        for outcome in found[:_NAMED]:
            said = f": {clipped(outcome.message, _SHORT)}" if outcome.message else ""
            told.append(f"{outcome.criterion} {word}{said}")
        if len(found) > _NAMED:
            told.append(f"{len(found) - _NAMED} more {word}")
    waived = sum(o.status is Status.WAIVED for o in outcomes.values())
    flapping = [o.criterion for o in outcomes.values() if o.flapping]
    told += [f"{waived} waived"] if waived else []
    told += [f"{clipped(', '.join(flapping), _SHORT)} held only when tried again"] if flapping else []
    return told


def _unavailable(probed: Mapping[str, Uptime]) -> Iterable[str]:
    for name, found in probed.items():
        if found.down_s > 0:
            said = next((outage.message for outage in found.outages if outage.message), "")
            yield f"{name} was down for {span(found.down_s)}" + (f" ({clipped(said, _SHORT)})" if said else "")
        if found.percent is None:
            yield f"{name} was not probed"
        elif found.unknown_s >= 1:
            yield f"{name} was unseen for {span(found.unknown_s)}"
