"""Log lines, whatever they come from.

A kind of source is one file here: it defines `Config(LogSection)` and `open_source`, which
makes a `LogSource` of it. A source is read from a cursor on (only what is new), or from a
moment on; what may be missing is told in `LogReading.gap`, never passed over.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Protocol, cast

from golive.environment.sections import LogSection
from golive.logs.event import LogEvent
from golive.logs.levels import HEAVY
from golive.logs.sought import Found, Sought
from golive.model import CouldNotLook

__all__ = [
    "Cursor",
    "Found",
    "LogClient",
    "LogEvent",
    "LogHost",
    "LogReading",
    "LogSource",
    "Opening",
    "Piece",
    "Reach",
    "Said",
    "Sought",
    "merged",
    "open_source",
]

Cursor = dict[str, Any]
"""Where a source was left, as JSON-ready data that only the source understands."""
MAX_EVENTS = 5_000


class Piece(Protocol):
    """A part of what was read: lines that were carried here (`LogText`), or counted where they are (`Counted`)."""

    @property
    def source(self) -> str:
        """The name of the source."""

    @property
    def size(self) -> int:
        """Bytes that were looked through."""

    @property
    def lines(self) -> int:
        """How many lines were carried whole; 0 where they were counted elsewhere."""

    @property
    def oldest(self) -> datetime | None:
        """Time of the first line with one."""

    @property
    def newest(self) -> datetime | None:
        """Time of the last line with one."""

    @property
    def heavy(self) -> tuple[LogEvent, ...]:
        """The events of WARNING and above that are at hand."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many events of WARNING, ERROR and CRITICAL there are, also those that are not at hand."""

    @property
    def malformed(self) -> int:
        """Lines that look like JSON but are none, among those that were parsed."""

    def find(self, sought: Sought, *, limit: int) -> Found:
        """The last `limit` lines that are sought, whatever their level."""


@dataclass(frozen=True, kw_only=True)
class LogReading:
    """What one look at one or several sources found.

    `gap` says why lines may be missing, None when all of the window were there to read.
    `oldest` and `newest` are the times of the first and last line that were read.
    `remarks` is what was noticed beside it: clocks that were set, lines out of their order.
    """

    sources: tuple[str, ...]
    pieces: tuple[Piece, ...] = field(default=(), repr=False)
    window_start: datetime | None = None
    oldest: datetime | None = None
    gap: str | None = None
    remarks: tuple[str, ...] = ()
    own_marks: frozenset[str] = frozenset()

    @property
    def bytes_read(self) -> int:
        """Size of what was looked through, here or where it is."""
        return sum(piece.size for piece in self.pieces)

    @property
    def newest(self) -> datetime | None:
        """Time of the last line with one."""
        return max((at for piece in self.pieces if (at := piece.newest) is not None), default=None)

    @cached_property
    def events(self) -> tuple[LogEvent, ...]:
        """Events of WARNING and above within the window, by time; the newest 5000 of each piece that was read."""
        return self._ordered(event for piece in self.pieces for event in piece.heavy[-MAX_EVENTS:])

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many events of WARNING, ERROR and CRITICAL there are, and under `lines` how many lines were read here."""
        counts: Counter[str] = Counter(dict.fromkeys(HEAVY, 0))
        for piece in self.pieces:
            counts.update(piece.counts)
        counts["lines"] = sum(piece.lines for piece in self.pieces)
        return dict(counts)

    @cached_property
    def amount(self) -> str:
        """How much was looked through, in words."""
        elsewhere = sum(piece.size for piece in self.pieces if not piece.lines)
        count = self.counts["lines"]
        lines = "1 line read" if count == 1 else f"{count} lines read"
        return f"{lines}, {elsewhere / 1e6:.0f} MB counted where they are" if elsewhere else lines

    def count_of(self, source: str, *levels: str) -> int:
        """How many events of these levels one source has."""
        return sum(piece.counts[level] for piece in self.pieces if piece.source == source for level in levels)

    @property
    def malformed(self) -> int:
        """Lines that look like JSON but are none, among those that were parsed."""
        return sum(piece.malformed for piece in self.pieces)

    def of_level(self, *levels: str) -> tuple[LogEvent, ...]:
        """The events of these levels that are at hand, by time."""
        return tuple(event for event in self.events if event.level in levels)

    def not_at_hand(self, *levels: str) -> str | None:
        """Why not each event of these levels can be judged though all are counted; None if all are here."""
        counted = sum(self.counts[level] for level in levels)
        here = len(self.of_level(*levels))
        return f"only {here} of {counted} lines are at hand" if here < counted else None

    def find(self, sought: Sought, *, limit: int = 1_000) -> Found:
        """The last `limit` lines of each piece that are sought, whatever their level, by time."""
        found = [piece.find(sought, limit=limit) for piece in self.pieces]
        events = self._ordered(event for one in found for event in one.events)
        return Found(events=events, incomplete=_joined(one.incomplete for one in found))

    def marked(self, marks: Iterable[str]) -> LogReading:
        """The same reading; events whose line contains one of `marks` are `own`."""
        return replace(self, own_marks=frozenset(marks))

    def _ordered(self, events: Iterable[LogEvent]) -> tuple[LogEvent, ...]:
        is_own = self._is_own
        found = [replace(event, own=True) if is_own(event.raw) else event for event in events]
        return tuple(sorted(found, key=lambda e: e.time.timestamp() if e.time else float("inf")))

    @cached_property
    def _is_own(self) -> Callable[[str], object]:
        if not self.own_marks:
            return lambda _: False
        longest_first = sorted(self.own_marks, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first))).search


def merged(readings: Sequence[LogReading]) -> LogReading:
    """Several readings as one; what may be missing in any of them may be missing in the whole."""
    starts = [r.window_start for r in readings if r.window_start is not None]
    oldest = [r.oldest for r in readings if r.oldest is not None]
    return LogReading(
        sources=tuple(dict.fromkeys(name for r in readings for name in r.sources)),
        pieces=tuple(piece for r in readings for piece in r.pieces),
        window_start=min(starts, default=None),
        oldest=min(oldest, default=None),
        gap=_joined(r.gap for r in readings),
        remarks=tuple(dict.fromkeys(remark for r in readings for remark in r.remarks)),
        own_marks=frozenset().union(*(r.own_marks for r in readings)),
    )


class CommandOutput(Protocol):
    """What a command on a host printed."""

    @property
    def stdout_bytes(self) -> bytes:
        """Standard output."""

    @property
    def stderr_bytes(self) -> bytes:
        """Standard error."""

    @property
    def exit_code(self) -> int:
        """The exit code."""


class LogHost(Protocol):
    """What a source needs of a host (`golive.targets.hosts.host.Host` is one)."""

    @property
    def name(self) -> str:
        """The host's name in the environment."""

    @property
    def is_local(self) -> bool:
        """Whether it is this very machine, from which carrying costs little."""

    def run(self, command: str, *, timeout_s: float | None = ..., max_bytes: int = ...) -> CommandOutput:
        """Run one `sh` command there; CouldNotLook when it cannot be run or prints more than `max_bytes`."""


class Answered(Protocol):
    """What an HTTP request brought."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def body(self) -> bytes:
        """The body."""


class LogClient(Protocol):
    """What is needed of an HTTP client (`golive.targets.http.Client` is one)."""

    name: str

    def send(self, request: str, *, headers: Mapping[str, str] | None = ..., body: Any = ...) -> Answered:
        """The answer to `METHOD /path`; CouldNotLook when none comes."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How a source comes to what holds its lines."""

    host_of: Callable[[str], LogHost]
    client_of: Callable[[str], LogClient]


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """The first look of a source at its host: shell text that may be run in company, and the host's name.

    What it prints is what `LogSource.read` takes as `said`, once MARK in it was replaced by a word drawn at random.
    """

    MARK: ClassVar[str] = "@golive-mark@"

    host: str
    script: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What an opening printed, and the word that stood for its MARK."""

    mark: str
    output: bytes


class LogSource(Protocol):
    """Something that holds log lines."""

    name: str

    def opening(self, since: Cursor | None, window_start: datetime | None) -> Opening | None:
        """The look that `read` begins with, for a source that lies on a host."""

    def read(
        self,
        since: Cursor | None,
        window_start: datetime | None,
        *,
        sought: Collection[Sought] = (),
        said: Said | None = None,
    ) -> tuple[LogReading, Cursor]:
        """What is new since the cursor, or without one since `window_start`, and the cursor for the next time.

        Where lines are counted and not carried, those that are `sought` come along. `said` is what the `opening`
        printed, if it was run already. CouldNotLook when the source cannot be read at all.
        """


def open_source(
    name: str,
    config: LogSection,
    host_of: Callable[[str], LogHost],
    client_of: Callable[[str], LogClient] | None = None,
) -> LogSource:
    """The source `name`; the two functions give the host and the HTTP client of a name."""

    def none(endpoint: str) -> LogClient:
        raise CouldNotLook(f"log {name}: endpoint {endpoint} cannot be asked here")

    module = importlib.import_module(f"{__name__}.{config.kind}")
    return cast(LogSource, module.open_source(name, config, Reach(host_of=host_of, client_of=client_of or none)))


def _joined(sentences: Iterator[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(s for s in sentences if s)) or None
