"""Entries of a log collector: which are new, and how they become text. Pure.

A collector takes entries in late and out of order. So a look begins a while before the newest
entry of the last one, and leaves out those that were seen then, which the cursor names by a hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from golive.logs import Cursor
from golive.logs.framing import framed
from golive.logs.text import LogText

_MOST_SEEN = 20_000
"""As many as are carried in one look, unless the environment says otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry. `at_ns` is Unix time in ns, `stream` tells apart what was written by different programs."""

    at_ns: int
    stream: str
    text: str
    id: str = ""
    level: str | None = None

    @property
    def mark(self) -> str:
        """What it is known by."""
        known = self.id or f"{self.at_ns}\0{self.stream}\0{self.text}"
        return hashlib.sha256(known.encode("utf-8", "replace")).hexdigest()[:12]

    @property
    def at(self) -> datetime:
        """The time as such."""
        return moment(self.at_ns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """How far a collector was read: the newest entry's time, and the entries that were seen since `seen_from`."""

    newest_ns: int
    seen_from_ns: int
    seen: frozenset[str]

    @classmethod
    def of(cls, cursor: Cursor | None, kind: str) -> Place | None:
        """The place out of a cursor; one of another shape counts as none."""
        data = cursor or {}
        seen, newest, since = data.get("seen"), data.get("newest"), data.get("seen_from")
        if data.get("kind") != kind or not isinstance(seen, list) or not all(isinstance(one, str) for one in seen):
            return None
        if not (isinstance(newest, int) and isinstance(since, int)):
            return None
        return cls(newest_ns=newest, seen_from_ns=since, seen=frozenset(seen))

    def as_cursor(self, kind: str) -> dict[str, Any]:
        """JSON-ready."""
        return {"kind": kind, "newest": self.newest_ns, "seen_from": self.seen_from_ns, "seen": sorted(self.seen)}


def left_at(entries: Sequence[Entry], before: Place | None, *, start_ns: int, now_ns: int, late: timedelta) -> Place:
    """Where the next look goes on, after all `entries` were read that begin at `start_ns`.

    One writer whose clock is ahead makes no other one's entries late.
    """
    newest = max([*(entry.at_ns for entry in entries), before.newest_ns if before else start_ns])
    since = max(start_ns, min(newest, now_ns) - int(late.total_seconds() * 1e9))
    recent = sorted((entry for entry in entries if entry.at_ns >= since), key=lambda entry: entry.at_ns)
    if len(recent) > _MOST_SEEN:
        recent = recent[-_MOST_SEEN:]
        # All entries of this moment are among them, or none.
        since = recent[0].at_ns + 1
        recent = [entry for entry in recent if entry.at_ns >= since]
    return Place(newest_ns=newest, seen_from_ns=since, seen=frozenset(entry.mark for entry in recent))


def new_ones(entries: Iterable[Entry], before: Place | None) -> list[Entry]:
    """Those that were not seen at the last look, by time."""
    seen = before.seen if before else frozenset()
    return sorted((entry for entry in entries if entry.mark not in seen), key=lambda entry: entry.at_ns)


def has_last(entries: Iterable[Entry], before: Place) -> bool:
    """Whether what was seen last is still there: an entry of the newest moment that was known."""
    return any(entry.at_ns == before.newest_ns and entry.mark in before.seen for entry in entries)


def texts_of(entries: Sequence[Entry], like: LogText) -> tuple[LogText, ...]:
    """The entries of each stream as text of its own, so that lines of a stack trace stay together."""
    streams: dict[str, list[bytes]] = {}
    for entry in entries:
        streams.setdefault(entry.stream, []).append(framed(entry.at, entry.level, entry.text))
    return tuple(_with(like, b"".join(lines)) for lines in streams.values())


def moment(ns: int) -> datetime:
    """Unix time in ns as a moment."""
    return datetime.fromtimestamp(ns // 1000 / 1e6, UTC)


def ns_of(at: datetime) -> int:
    """A moment as Unix time in ns."""
    return int(at.timestamp() * 1_000_000) * 1000


def _with(like: LogText, data: bytes) -> LogText:
    return LogText(
        data=data, source=like.source, clock=like.clock, form=like.form, window_start=like.window_start, framed=True
    )
