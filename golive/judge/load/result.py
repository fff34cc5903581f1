"""What a load showed, merged over its processes: totals of any part of it, its course, and whether to believe it.

Pure: lines and times are passed in. A second belongs to the phase in which its middle lies, so that the phases of a
load together hold each of its seconds once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from golive.judge.load.records import Point, Second, State, Totals, added
from golive.judge.load.saturation import saturation
from golive.judge.load.stream import Stream, merged, read_stream, second_data, state_data
from golive.model import Phase


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadResult:
    """One load. Times are unix seconds.

    `planned` are the phases as they were meant, `phases` as they were. `stopped` says why it ended early, "" when it
    came to its end. `workers` maps a load process to `joined`, `lost` or `quit`. `generator_cpu` is the highest CPU use
    of a load process, in per cent of a core, None where none was told; `saturated` says why latencies are not to be
    believed, or "". `samples` maps a name (`cpu app`) to (unix seconds, value) pairs of the target.
    """

    profile: str
    model: str
    planned: tuple[Phase, ...]
    began_at: float
    ended_at: float
    stopped: str = ""
    seconds: tuple[Second, ...] = ()
    states: tuple[State, ...] = ()
    workers: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    warm_up_s: float = 0.0
    generator_cpu: float | None = None
    saturated: str = ""
    samples: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its requests, sorted."""
        return tuple(sorted({second.name for second in self.seconds}))

    @property
    def lost(self) -> tuple[str, ...]:
        """The load processes that were lost while it ran."""
        return tuple(name for name, state in self.workers.items() if state == "lost")

    @property
    def lasted_s(self) -> float:
        """Seconds from its beginning to its end."""
        return max(0.0, self.ended_at - self.began_at)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases that began, the last one ending where the load was stopped."""
        begun = [phase for phase in self.planned if phase.start_s < self.lasted_s]
        return tuple(replace(phase, end_s=min(phase.end_s, self.lasted_s)) for phase in begun)

    def window(self, name: str | None = None, phase: str | None = None, *, with_warm_up: bool = False) -> Totals:
        """Everything of a request name (None: of all) in a phase (None: in the whole load).

        `phase` is the name of one (`hold 1`) or a kind (`hold`: all of them); KeyError unless it was planned. Without
        `with_warm_up` seconds that begin in the warm-up are left out. A phase that was not reached gives empty totals.
        """
        spans = self._spans(phase)
        counted = {at for at in self._clock() if self._counts(at, spans, with_warm_up)}
        covered_s = math.fsum(self._overlap(at) for at in counted)
        chosen = (s for s in self.seconds if s.at in counted and name in (None, s.name))
        return added(chosen, covered_s)

    def series(self, name: str | None = None) -> list[Point]:
        """Every second from its beginning to its end, also those without an answer; None takes all names together."""
        at_second: dict[int, list[Second]] = {}
        for second in self.seconds:
            if name in (None, second.name):
                at_second.setdefault(second.at, []).append(second)
        users, first = self._users(), math.floor(self.began_at)
        return [_point(at - first, added(at_second.get(at, ()), 1.0), users.get(at, 0)) for at in self._clock()]

    def as_data(self) -> dict[str, Any]:
        """All of it as plain JSON-ready data (see `from_data`)."""
        plain = ("profile", "model", "began_at", "ended_at", "stopped", "warm_up_s", "generator_cpu", "saturated")
        return {
            **{name: getattr(self, name) for name in plain},
            "planned": [{name: getattr(phase, name) for name in Phase.__slots__} for phase in self.planned],
            "seconds": [second_data(second) for second in self.seconds],
            "states": [state_data(state) for state in self.states],
            "workers": dict(self.workers),
            "problems": list(self.problems),
            "samples": {name: [list(pair) for pair in pairs] for name, pairs in self.samples.items()},
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild it from `as_data`; ValueError, KeyError or TypeError on data of another shape."""
        stream = read_stream(
            [
                *({**second, "kind": "second"} for second in data["seconds"]),
                *({**state, "kind": "state"} for state in data["states"]),
            ]
        )
        if stream.unreadable:
            raise ValueError(f"this is no result of a load: {stream.first_unreadable}")
        if not 0 <= data["ended_at"] - data["began_at"] <= _LONGEST_S:
            raise ValueError("this is no result of a load: it ends before it begins, or lasts longer than a month")
        given = {name: data[name] for name in cls.__slots__}
        given |= {"planned": tuple(Phase(**phase) for phase in data["planned"]), "problems": tuple(data["problems"])}
        return cls(**{**given, "seconds": stream.seconds, "states": tuple(stream.states)})

    def _clock(self) -> range:
        """Every whole second that the load, or anything that was counted, lies in."""
        counted = [second.at for second in self.seconds]
        return range(
            min([math.floor(self.began_at), *counted]), max([math.ceil(self.ended_at), *(at + 1 for at in counted)])
        )

    def _spans(self, phase: str | None) -> list[tuple[float, float]] | None:
        """From when to when after its beginning; None for all of it."""
        if phase is None:
            return None
        spans = [(p.start_s, p.end_s) for p in self.planned if phase in (p.name, p.kind)]
        if not spans:
            raise KeyError(f"{phase!r} is no phase of {self.profile}: {', '.join(p.name for p in self.planned)}")
        return spans

    def _counts(self, at: int, spans: list[tuple[float, float]] | None, with_warm_up: bool) -> bool:
        if not with_warm_up and self.warm_up_s > 0 and at < self.began_at + self.warm_up_s:
            return False
        # The second that it began in belongs to it, even if it had begun before.
        middle_s = max(0.0, at + 0.5 - self.began_at)
        return spans is None or any(start <= middle_s < end for start, end in spans)

    def _overlap(self, at: int) -> float:
        """How much of that second the load was there."""
        return max(0.0, min(at + 1.0, self.ended_at) - max(float(at), self.began_at))

    def _users(self) -> dict[int, int]:
        """The users of all load processes at the end of each second; a process keeps those that it told last."""
        told: dict[int, list[State]] = {}
        for state in self.states:
            told.setdefault(math.floor(state.at), []).append(state)
        users: dict[str, int] = {}
        course = {}
        for at in self._clock():
            users |= {state.worker: state.users for state in told.get(at, ())}
            course[at] = sum(users.values())
        return course


_LONGEST_S = 31 * 86_400.0
_AFTERWARDS_S = 3600.0
_TOLERANCE_S = 2
_EXACT_TO_S = 3.0


def result_of(
    *,
    profile: str,
    model: str,
    planned: Sequence[Phase],
    lines: Iterable[str | Mapping[str, Any]],
    warm_up_s: float = 0.0,
    runner_cpu: float = 90.0,
    stopped: str = "",
    problems: Iterable[str] = (),
) -> LoadResult:
    """The result of the lines that load processes wrote (as text or decoded), in any order.

    `stopped` is why it was ended early, where that is known; `problems` come before those of the lines. Never raises
    on lines: what cannot be read, a load that never began and an end that was not seen are told in the result.
    """
    stream = read_stream(lines)
    counted = stream.seconds
    began_at, ended_at = _times(stream, min((second.at for second in counted), default=0), planned)
    seconds, strays = _within(counted, math.floor(began_at), math.ceil(ended_at))
    told = [*problems, *([] if stream.began_at is not None else ["the load never began"]), *stream.told()]
    if strays:
        told.append(f"{strays} requests were told of times outside of the load (is a clock wrong?)")
    states = tuple(sorted(stream.states, key=lambda state: (state.at, state.worker)))
    known = [state.cpu for state in states if state.cpu is not None]
    return LoadResult(
        profile=profile,
        model=model,
        planned=tuple(planned),
        began_at=began_at,
        ended_at=ended_at,
        stopped=stopped or _early(stream, ended_at - began_at, planned),
        seconds=seconds,
        states=states,
        workers=stream.workers,
        problems=tuple(dict.fromkeys(told)),
        warm_up_s=warm_up_s,
        generator_cpu=max(known, default=None),
        saturated=saturation(states, above=runner_cpu) if seconds else "",
    )


def _times(stream: Stream, first: int, planned: Sequence[Phase]) -> tuple[float, float]:
    """When it began (else at the `first` second) and ended, without an end up to where something was heard of it."""
    began_at = float(first) if stream.began_at is None else stream.began_at
    ended_at = stream.ended_at if stream.ended_at is not None else stream.last_at
    # Bounded: one line with a wrong time must not make it last for years.
    longest_s = max((phase.end_s for phase in planned), default=0.0) + _AFTERWARDS_S
    return began_at, min(max(began_at, ended_at or 0.0), began_at + longest_s)


def _early(stream: Stream, lasted_s: float, planned: Sequence[Phase]) -> str:
    """Why it ended early, as far as the lines tell."""
    if stream.ended_at is None:
        return "its end was not seen"
    if stream.reason != "done":
        return "it was stopped"
    # A shape is asked for its level once a second, so that an end is never exact.
    meant_s = max((phase.end_s for phase in planned), default=0.0)
    return "" if lasted_s >= meant_s - _EXACT_TO_S else "it ended of itself"


def _within(seconds: tuple[Second, ...], first: int, end: int) -> tuple[tuple[Second, ...], int]:
    """The same requests, none outside of the load, and how many of them were told of more than a little outside."""
    last = max(first, end - 1)
    if all(first <= second.at <= last for second in seconds):
        return seconds, 0
    moved = [(min(max(second.at, first), last), second) for second in seconds]
    strays = sum(second.n for at, second in moved if abs(at - second.at) > _TOLERANCE_S)
    return merged(replace(second, at=at) for at, second in moved), strays


def _point(second: int, totals: Totals, users: int) -> Point:
    latency = totals.latency
    p50, p95, p99 = (latency.percentile(p) if latency.count else None for p in (50, 95, 99))
    return Point(second, float(totals.n), p50, p95, p99, totals.failed("all"), users)
