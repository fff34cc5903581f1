"""Log lines, whatever they come from.

A kind of source is one file here: it defines `Config(LogSection)` and `open_source`, which
makes a `LogSource` of it. A source is read from a cursor on (only what is new), or from a
moment on; what may be missing is told in `LogReading.gap`, never passed over.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol, cast

from golive.environment.sections import LogSection
from golive.logs.event import LogEvent
from golive.logs.levels import HEAVY
from golive.logs.text import LogText

__all__ = ["Cursor", "LogEvent", "LogHost", "LogReading", "LogSource", "merged", "open_source"]

Cursor = dict[str, Any]
"""Where a source was left, as JSON-ready data that only the source understands."""
MAX_EVENTS = 5_000


@dataclass(frozen=True, kw_only=True)
class LogReading:
    """What one look at one or several sources found.

    `gap` says why lines may be missing, None when all of the window were there to read.
    `only_heavy` says why only lines of WARNING and above were read, None when all were.
    `oldest` and `newest` are the times of the first and last line that were read.
    """

    sources: tuple[str, ...]
    texts: tuple[LogText, ...] = field(default=(), repr=False)
    window_start: datetime | None = None
    oldest: datetime | None = None
    gap: str | None = None
    only_heavy: str | None = None
    own_marks: frozenset[str] = frozenset()

    @property
    def bytes_read(self) -> int:
        """Size of what was read."""
        return sum(len(text.data) for text in self.texts)

    @property
    def newest(self) -> datetime | None:
        """Time of the last line with one."""
        return max((at for text in self.texts if (at := text.newest) is not None), default=None)

    @cached_property
    def events(self) -> tuple[LogEvent, ...]:
        """Events of WARNING and above within the window, by time; the newest 5000 of each piece that was read."""
        return self._ordered(event for text in self.texts for event in text.heavy[-MAX_EVENTS:])

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many events of WARNING, ERROR and CRITICAL there are, and under `lines` how many lines were read."""
        counts: Counter[str] = Counter(dict.fromkeys(HEAVY, 0))
        for text in self.texts:
            counts.update(event.level for event in text.heavy if event.level)
        counts["lines"] = sum(text.lines for text in self.texts)
        return dict(counts)

    @property
    def malformed(self) -> int:
        """Lines that look like JSON but are none, among those that were parsed."""
        return sum(text.malformed for text in self.texts)

    def of_level(self, *levels: str) -> tuple[LogEvent, ...]:
        """The events of these levels, by time."""
        return tuple(event for event in self.events if event.level in levels)

    def search(self, pattern: re.Pattern[str], *, limit: int = 1_000) -> tuple[LogEvent, ...]:
        """The last `limit` lines of each piece that `pattern` is found in, whatever their level, by time."""
        return self._ordered(event for text in self.texts for event in text.search(pattern, limit=limit))

    def with_words(self, words: Sequence[str], *, limit: int) -> tuple[LogEvent, ...]:
        """The last `limit` lines of each piece that hold one of `words` (lower case, ASCII) in any case, by time."""
        return self._ordered(event for text in self.texts for event in text.with_words(words, limit=limit))

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
        texts=tuple(text for r in readings for text in r.texts),
        window_start=min(starts, default=None),
        oldest=min(oldest, default=None),
        gap=_joined(r.gap for r in readings),
        only_heavy=_joined(r.only_heavy for r in readings),
        own_marks=frozenset().union(*(r.own_marks for r in readings)),
    )


class CommandOutput(Protocol):
    """What a command on a host printed."""

    @property
    def stdout_bytes(self) -> bytes:
        """Standard output."""


class LogHost(Protocol):
    """What a source needs of a host (`golive.targets.hosts.host.Host` is one)."""

    @property
    def name(self) -> str:
        """The host's name in the environment."""

    def run(self, command: str, *, max_bytes: int = ...) -> CommandOutput:
        """Run one `sh` command there; CouldNotLook when it cannot be run or prints more than `max_bytes`."""


class LogSource(Protocol):
    """Something that holds log lines."""

    name: str

    def read(self, since: Cursor | None, window_start: datetime | None) -> tuple[LogReading, Cursor]:
        """What is new since the cursor, or without one since `window_start`, and the cursor for the next time.

        Events before `window_start` are left out in both cases. CouldNotLook when the source
        cannot be read at all.
        """


def open_source(name: str, config: LogSection, host_of: Callable[[str], LogHost]) -> LogSource:
    """The source `name`; `host_of` gives the host of a name."""
    module = importlib.import_module(f"{__name__}.{config.kind}")
    return cast(LogSource, module.open_source(name, config, host_of))


def _joined(sentences: Iterator[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(s for s in sentences if s)) or None
