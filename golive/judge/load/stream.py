"""The lines that load processes write, read into records and merged over processes. Pure.

A line is a JSON object with a `kind`: `second`, `state`, `began`, `worker`, `problem`, `ended` or `made`. What is no
such line is counted and told, never taken for something else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from golive.judge import wording
from golive.judge.load.histogram import Histogram, whole
from golive.judge.load.records import UNFINISHED, Second, State, added

_MOST_PROBLEMS = 50
_WORKER_STATES = ("joined", "lost", "quit")


@dataclass(kw_only=True)
class Stream:
    """What the lines said so far. `began_at` and `ended_at` are unix seconds, None until they were told."""

    began_at: float | None = None
    ended_at: float | None = None
    reason: str = ""
    last_at: float | None = None
    states: list[State] = field(default_factory=list)
    workers: dict[str, str] = field(default_factory=dict)
    lost_at: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unreadable: int = 0
    first_unreadable: str = ""
    _parts: list[Second] = field(default_factory=list)

    def take(self, line: str | Mapping[str, Any]) -> None:
        """Add one line, as text or decoded; one that cannot be read is counted in `unreadable`."""
        try:
            record = _decoded(line)
            _TAKEN[_word(record, "kind", _TAKEN)](self, record)
        except ValueError as error:
            self.unreadable += 1
            self.first_unreadable = self.first_unreadable or wording.brief(str(error))

    @property
    def seconds(self) -> tuple[Second, ...]:
        """One record for each second and name, all processes together, in order of time and name."""
        return merged(self._parts)

    def told(self) -> list[str]:
        """The problems, each once, and how many lines could not be read."""
        each = list(dict.fromkeys(self.problems))
        more = [f"and {len(each) - _MOST_PROBLEMS} more problems"] if len(each) > _MOST_PROBLEMS else []
        lost = [f"worker {name} was lost{self._after(at)}" for name, at in self.lost_at.items()]
        lines = wording.count(self.unreadable, "line", "lines")
        unread = [f"{lines} of the load's own record could not be read: {self.first_unreadable}"]
        return [*lost, *each[:_MOST_PROBLEMS], *more, *(unread if self.unreadable else [])]

    def _after(self, at: float) -> str:
        return "" if self.began_at is None else f" after {wording.span(max(0.0, at - self.began_at))}"

    def _second(self, record: Mapping[str, Any]) -> None:
        second = _second_of(record)
        self._seen(second.at + 1)
        self._parts.append(second)

    def _state(self, record: Mapping[str, Any]) -> None:
        cpu = record.get("cpu")
        state = State(
            at=_number(record, "at"),
            worker=_text(record, "worker"),
            users=whole(record.get("users"), "'users'"),
            level=_number(record, "level"),
            cpu=None if cpu is None else _number(record, "cpu"),
            queued=whole(record.get("queued", 0), "'queued'"),
        )
        self._seen(state.at)
        self.states.append(state)

    def _began(self, record: Mapping[str, Any]) -> None:
        at = _number(record, "at")
        self._seen(at)
        self.began_at = at if self.began_at is None else self.began_at

    def _ended(self, record: Mapping[str, Any]) -> None:
        at, reason = _number(record, "at"), _word(record, "reason", ("done", "stopped"))
        self._seen(at)
        self.ended_at, self.reason = at, reason

    def _worker(self, record: Mapping[str, Any]) -> None:
        name, at, state = _text(record, "worker"), _number(record, "at"), _word(record, "state", _WORKER_STATES)
        self.workers[name] = state
        if state == "lost":
            self.lost_at.setdefault(name, at)

    def _problem(self, record: Mapping[str, Any]) -> None:
        self.problems.append(wording.brief(_text(record, "text")))

    def _made(self, record: Mapping[str, Any]) -> None:
        """The ledger of test data is for whoever cleans up."""
        _text(record, "clean_up")

    def _seen(self, at: float) -> None:
        self.last_at = at if self.last_at is None else max(self.last_at, at)


_TAKEN: Mapping[str, Callable[[Stream, Mapping[str, Any]], None]] = {
    "second": Stream._second,
    "state": Stream._state,
    "began": Stream._began,
    "ended": Stream._ended,
    "worker": Stream._worker,
    "problem": Stream._problem,
    "made": Stream._made,
}


def read_stream(lines: Iterable[str | Mapping[str, Any]]) -> Stream:
    """Everything that these lines say; empty ones say nothing."""
    stream = Stream()
    for line in lines:
        if not isinstance(line, str) or line.strip():
            stream.take(line)
    return stream


def second_data(second: Second) -> dict[str, Any]:
    """A second as plain data, in the form of a line."""
    data: dict[str, Any] = {"at": second.at, "name": second.name, "n": second.n, "failures": dict(second.failures)}
    data["histogram"] = second.histogram.as_data()
    if second.intended is not None:
        data |= {"intended": second.intended.as_data(), "late_us": second.late_us}
    return data


def state_data(state: State) -> dict[str, Any]:
    """A state as plain data, in the form of a line."""
    return {name: getattr(state, name) for name in State.__slots__}


def _decoded(line: str | Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        record = json.loads(line) if isinstance(line, str) else line
    except RecursionError:
        record = None
    except ValueError:
        raise ValueError("it is no JSON") from None
    if not isinstance(record, Mapping):
        raise ValueError("it is no JSON object")
    return record


def _second_of(record: Mapping[str, Any]) -> Second:
    failures = record.get("failures", {})
    if not isinstance(failures, Mapping):
        raise ValueError("'failures' is a mapping from a kind to a number")
    counted = {str(kind): whole(n, "the number of failures") for kind, n in failures.items()}
    n, histogram = whole(record.get("n"), "'n'"), Histogram.from_data(record.get("histogram"))
    if histogram.count != n or sum(counted.values()) - counted.get(UNFINISHED, 0) > n:
        raise ValueError("as many latencies as requests, and no more failures, are in a second")
    at = _number(record, "at")
    return Second(
        at=math.floor(at),
        name=_text(record, "name"),
        n=n,
        failures={kind: number for kind, number in counted.items() if number},
        histogram=histogram,
        intended=None if record.get("intended") is None else Histogram.from_data(record["intended"]),
        late_us=whole(record.get("late_us", 0), "'late_us'"),
    )


def merged(parts: Iterable[Second]) -> tuple[Second, ...]:
    """One record for each second and name, in order of time and name; the parts are not changed."""
    groups: dict[tuple[int, str], list[Second]] = {}
    for part in parts:
        groups.setdefault((part.at, part.name), []).append(part)
    return tuple(_together(groups[key]) for key in sorted(groups))


def _together(parts: list[Second]) -> Second:
    if len(parts) == 1:
        return parts[0]
    totals = added(parts, 0.0)
    return Second(
        at=parts[0].at,
        name=parts[0].name,
        n=totals.n,
        failures=dict(totals.failures),
        histogram=totals.histogram,
        intended=totals.intended,
        late_us=sum(part.late_us for part in parts),
    )


def _number(record: Mapping[str, Any], key: str) -> float:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        raise ValueError(f"{key!r} is a number of at least 0")
    return float(value)


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key!r} is a text")
    return value


def _word(record: Mapping[str, Any], key: str, allowed: Iterable[str]) -> str:
    value = record.get(key)
    words = tuple(allowed)
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{key!r} is one of {', '.join(words)}")
    return value
