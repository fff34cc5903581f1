"""Unexpected ends of containers: from the engine's events, and from what the containers themselves still show.

The engine remembers its last few hundred events, of which health checks make several a
minute; so a container's last end and its count of restarts count too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from golive.targets.services import Crash, told
from golive.targets.services.containers import Container

_ASKED_WITHIN = timedelta(seconds=90)
_SAME = timedelta(seconds=5)
_NO_STOP = (
    "1",
    "9",
    "10",
    "12",
    *(f"{sign}{name}" for sign in ("", "SIG") for name in ("HUP", "KILL", "USR1", "USR2")),
)
"""Signals that ask for no orderly end: a kill, and those by which a service is told to read its files again."""
_STOPPED = (0, 143)
"""Exit codes of an end that was asked for: none, and that of SIGTERM."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    """A crash, and the container that it was of; `was_asked` when it is none, since it was asked for."""

    container: str
    crash: Crash
    was_asked: bool = False


def crashes(
    events: Iterable[Mapping[str, Any]], containers: Iterable[Container], *, leave_out: frozenset[str] = frozenset()
) -> tuple[Crash, ...]:
    """Each crash once, in order of time; those without a time first."""
    shown = list(containers)
    ends = list(_from_events(events, {c.id: c for c in shown}, leave_out))
    found = [end for end in ends if not end.was_asked]
    for end in _still_shown(shown, [end for end in ends if end.was_asked]):
        if not any(other.container == end.container and _is_same(other.crash.at, end.crash.at) for other in found):
            found.append(end)
    return tuple(sorted((end.crash for end in found), key=lambda crash: crash.at.timestamp() if crash.at else 0.0))


def known_since(containers: Iterable[Container], oldest_event: datetime | None) -> datetime | None:
    """Since when no crash can have been missed: as far back as events go, or since the youngest container's start."""
    starts = [container.started_at or container.created_at for container in containers]
    known = [start for start in starts if start is not None]
    if not known or len(known) < len(starts):
        return oldest_event
    return min(max(known), oldest_event) if oldest_event else max(known)


def _from_events(
    rows: Iterable[Mapping[str, Any]], containers: Mapping[str, Container], leave_out: frozenset[str]
) -> Iterator[_End]:
    asked: dict[str, datetime] = {}
    starved: dict[str, datetime] = {}
    for row in rows:
        at, what, identity = told.unix(row.get("at")), told.text(row.get("what")), told.text(row.get("id"))
        container = containers.get(identity)
        name = container.service if container else told.text(row.get("service"))
        if at is None or not name or name in leave_out or told.text(row.get("oneoff")).lower() == "true":
            continue
        if what == "kill" and told.text(row.get("signal")).upper() not in _NO_STOP:
            asked[identity] = at
        elif what == "oom":
            starved[identity] = at
        elif what.startswith("health_status") and what.endswith("unhealthy"):
            yield _End(container=identity, crash=Crash(at=at, says=f"{name}: unhealthy"))
        elif what == "die" and (says := _died(row, starved, identity, at)):
            was_asked = _was_asked(asked.get(identity), at)
            yield _End(container=identity, crash=Crash(at=at, says=f"{name}: {says}"), was_asked=was_asked)
        if what == "die":
            # An end that was asked for is one: the next one, after a new start, was not.
            asked.pop(identity, None)


def _was_asked(asked_at: datetime | None, at: datetime) -> bool:
    """A container that was asked to stop did not crash, even if it had to be killed in the end."""
    return asked_at is not None and at - asked_at <= _ASKED_WITHIN


def _died(row: Mapping[str, Any], starved: Mapping[str, datetime], identity: str, at: datetime) -> str:
    code = told.text(row.get("code"))
    if code == "0":
        return ""
    if identity in starved and at - starved[identity] <= _SAME:
        return f"killed for lack of memory (exit code {code})"
    return f"ended with exit code {code}"


def _still_shown(containers: Iterable[Container], asked: Sequence[_End]) -> Iterator[_End]:
    for container in containers:
        was_asked = any(e.container == container.id and _is_same(e.crash.at, container.finished_at) for e in asked)
        says = _shown(container, was_asked)
        if says:
            crash = Crash(at=container.finished_at, says=f"{container.service}: {says}")
            yield _End(container=container.id, crash=crash)


def _shown(container: Container, was_asked: bool) -> str:
    """Lack of memory and new starts are no matter of how the last end came about."""
    if container.oom_killed:
        return "killed for lack of memory"
    if container.restarts:
        times = "once" if container.restarts == 1 else f"{container.restarts} times"
        return f"started again {times} after it ended"
    has_ended = (
        not was_asked
        and not container.running
        and container.exit_code is not None
        and container.finished_at is not None
    )
    return f"ended with exit code {container.exit_code}" if has_ended and container.exit_code not in _STOPPED else ""


def _is_same(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= _SAME
