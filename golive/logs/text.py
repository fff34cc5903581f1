"""A stretch of a log as bytes, in which only the lines that may matter are parsed.

Lines that hold no word of a grave level are never looked at closely, so that counting in
a hundred megabytes takes about a second.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from golive.logs import levels
from golive.logs.event import Format, LogEvent, Parsed, parse_line
from golive.logs.times import Clock

_WORDS = tuple(word.encode() for word in levels.HEAVY_WORDS)
_NUMBERED = re.compile(rb'"(?:level|severity|lvl|Level|Severity)"\s*:\s*"?[0-9]')
_PRIORITY = re.compile(rb"^<\d{1,3}>", re.MULTILINE)
# What shows in a sample that a form is in use, and what its grave lines look like.
_SIGNS = (
    (_NUMBERED, _NUMBERED),
    (_PRIORITY, _PRIORITY),
    (re.compile(rb"^[IWEF]\d{4} \d\d:", re.MULTILINE), re.compile(rb"^[WEF]\d{4} \d\d:", re.MULTILINE)),
    (re.compile(rb"\d:[XCSM] \d\d "), re.compile(rb"\d:[XCSM] .{10,40} # ")),
)
_LIGHT = tuple(
    f'"{key}":{space}"{level}"'.encode()
    for level in ("info", "debug", "notice", "trace")
    for key in ("level", "severity", "lvl")
    for space in ("", " ")
)
_LEVEL_KEYS = (b'level"', b"severity", b'lvl"', b"levelname", b"log_level", b"loglevel")
_SAMPLE_LINES = 40
_SAMPLE_BYTES = 20_000
_NO_CLOCK = Clock()
_LOOK_BACK = 300
_FOLLOWING = 40
_RAW_LIMIT = 16_000
_STEP = 65_536
_DISORDER = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class LogText:
    """Whole lines of one source, oldest first. Events before `window_start` are left out."""

    data: bytes
    source: str
    clock: Clock = _NO_CLOCK
    form: Format = "auto"
    window_start: datetime | None = None

    @property
    def lines(self) -> int:
        """How many lines there are, also before the window."""
        return self.data.count(b"\n") + (0 if self.data.endswith(b"\n") or not self.data else 1)

    @cached_property
    def oldest(self) -> datetime | None:
        """Time of the first line that tells one; None if the first thousand tell none."""
        return self._first_time(0, 1_000)

    @cached_property
    def newest(self) -> datetime | None:
        """Time of the last line that tells one."""
        end = len(self.data)
        for _ in range(200):
            start = self.data.rfind(b"\n", 0, max(0, end - 1)) + 1
            parsed = self._parse(start)
            if parsed.event.time is not None or start == 0:
                return parsed.event.time
            end = start
        return None

    @property
    def heavy(self) -> tuple[LogEvent, ...]:
        """All events of WARNING and above within the window, in the order of the lines."""
        return self._scanned[0]

    @property
    def malformed(self) -> int:
        """Lines among those with a grave word that look like JSON but are none."""
        return self._scanned[1]

    def search(self, pattern: re.Pattern[str], *, limit: int) -> tuple[LogEvent, ...]:
        """The last `limit` events within the window in whose line `pattern` is found."""
        found: deque[LogEvent] = deque(maxlen=limit)
        for start in self._line_starts(self._positions_of(pattern)):
            event = self._dated(self._parse(start), start)
            if self._in_window(event) and pattern.search(event.raw):
                found.append(event)
        return tuple(found)

    def with_words(self, words: Sequence[str], *, limit: int) -> tuple[LogEvent, ...]:
        """The last `limit` events within the window whose line holds one of `words` (lower case, ASCII) in any case."""
        found: deque[LogEvent] = deque(maxlen=limit)
        for start in self._starts_with(word.encode() for word in words):
            event = self._dated(self._parse(start), start)
            if self._in_window(event):
                found.append(event)
        return tuple(found)

    def _starts_with(self, words: Iterable[bytes]) -> list[int]:
        starts: set[int] = set()
        small = self.data.lower()
        for word in words:
            starts.update(self._line_starts(_positions(small, word, self._begin)))
        return sorted(starts)

    def _positions_of(self, pattern: re.Pattern[str]) -> Iterator[int]:
        """Where `pattern` may match: one place a line at most, and no line that matches is missed."""
        text, position = pattern.pattern, self._begin
        everywhere = not text.isascii() or "\\A" in text or "\\Z" in text
        flags = (pattern.flags & (re.IGNORECASE | re.VERBOSE)) | re.MULTILINE
        search = re.compile(b"" if everywhere else text.encode(), flags).search
        while found := search(self.data, position):
            yield found.start()
            position = self.data.find(b"\n", found.start()) + 1
            if position == 0 or position >= len(self.data):
                return

    @cached_property
    def _scanned(self) -> tuple[tuple[LogEvent, ...], int]:
        malformed = [0]
        events = tuple(self._heavy(malformed))
        return events, malformed[0]

    def _heavy(self, malformed: list[int]) -> Iterator[LogEvent]:
        counted: dict[int, int] = {}
        for start in self._candidates:
            line = self._line(start)
            if _is_light(line):
                continue
            parsed = parse_line(line, self.source, self.clock, self.form)
            malformed[0] += parsed.malformed
            if parsed.event.level not in levels.HEAVY:
                continue
            event = parsed.event
            if not parsed.begins and self._is_timed:
                before, begun_at = self._event_before(start)
                # A line of a stack trace speaks for itself only where it is graver than what it belongs to.
                rank = _rank(event.level)
                if before is not None and (_rank(before.level) >= rank or counted.get(begun_at, -1) > rank):
                    continue
                counted = {begun_at: rank}
                event = replace(event, time=before.time) if before is not None else event
            if self._in_window(event):
                yield self._with_trace(event, start)

    @cached_property
    def _candidates(self) -> tuple[int, ...]:
        """Offsets of the lines that hold a grave word or sign."""
        starts = set(self._starts_with(_WORDS))
        for sign in self._signs:
            starts.update(self._line_starts(m.start() for m in sign.finditer(self.data, self._begin)))
        return tuple(sorted(starts))

    @cached_property
    def _signs(self) -> tuple[re.Pattern[bytes], ...]:
        """Forms that tell a level without a word, where a sample of the lines shows them."""
        ends = (0, max(0, len(self.data) // 2), max(0, len(self.data) - _SAMPLE_BYTES))
        sample = b"\n".join(self.data[at : at + _SAMPLE_BYTES] for at in ends)
        return tuple(sign for told_by, sign in _SIGNS if told_by.search(sample))

    def _line_starts(self, positions: Iterable[int]) -> Iterator[int]:
        """Where the lines of `positions` (rising) begin, each line once."""
        end = -1
        for position in positions:
            if position <= end:
                continue
            yield self.data.rfind(b"\n", 0, position) + 1
            end = self.data.find(b"\n", position)
            if end < 0:
                return

    def _line(self, start: int) -> bytes:
        end = self.data.find(b"\n", start)
        return self.data[start:] if end < 0 else self.data[start:end]

    def _parse(self, start: int) -> Parsed:
        return parse_line(self._line(start), self.source, self.clock, self.form)

    def _in_window(self, event: LogEvent) -> bool:
        return self.window_start is None or event.time is None or event.time >= self.window_start

    def _dated(self, parsed: Parsed, start: int) -> LogEvent:
        if parsed.event.time is not None or not self._is_timed:
            return parsed.event
        before, _ = self._event_before(start)
        return replace(parsed.event, time=before.time) if before else parsed.event

    @cached_property
    def _is_timed(self) -> bool:
        """Whether lines of this log carry times, so that one without belongs to the one before it."""
        return (
            self._first_time(0, _SAMPLE_LINES) is not None
            or self._first_time(len(self.data) // 2, _SAMPLE_LINES) is not None
        )

    def _event_before(self, start: int) -> tuple[LogEvent | None, int]:
        """The event that the line at `start` continues and where it begins; None when none does within 300 lines."""
        for _ in range(_LOOK_BACK):
            if start == 0:
                break
            start = self.data.rfind(b"\n", 0, start - 1) + 1
            parsed = self._parse(start)
            if parsed.begins:
                return parsed.event, start
        return None, start

    def _with_trace(self, event: LogEvent, start: int) -> LogEvent:
        """The event with the lines that continue it, for evidence."""
        if event.is_structured or not self._is_timed:
            return event
        lines = [event.raw]
        position = self.data.find(b"\n", start) + 1
        while 0 < position < len(self.data) and len(lines) < _FOLLOWING and sum(map(len, lines)) < _RAW_LIMIT:
            parsed = self._parse(position)
            if parsed.begins:
                break
            lines.append(parsed.event.raw)
            position = self.data.find(b"\n", position) + 1
        return replace(event, raw="\n".join(lines)[:_RAW_LIMIT]) if len(lines) > 1 else event

    def _first_time(self, position: int, lines: int) -> datetime | None:
        for _ in range(lines):
            if position >= len(self.data):
                return None
            at = self._parse(position).event.time
            if at is not None:
                return at
            position = self.data.find(b"\n", position) + 1
            if position == 0:
                return None
        return None

    @cached_property
    def _begin(self) -> int:
        """An offset before which every line is older than the window, found by halving."""
        if self.window_start is None:
            return 0
        low, high = 0, len(self.data)
        while high - low > _STEP:
            middle = self.data.find(b"\n", (low + high) // 2) + 1
            at = self._first_time(middle, _SAMPLE_LINES) if 0 < middle < high else None
            if at is None:
                break
            if at < self.window_start - _DISORDER:
                low = middle
            else:
                high = middle
        return low


def _is_light(line: bytes) -> bool:
    """Whether a JSON line with a grave word in it has a light level for certain, so that it need not be parsed."""
    if not line.startswith(b"{"):
        return False
    small = line.lower()
    if b"crit" in small or b"fatal" in small or sum(map(small.count, _LEVEL_KEYS)) != 1:
        return False
    return any(sign in small for sign in _LIGHT)


def _rank(level: str | None) -> int:
    return levels.LEVELS.index(level) if level else -1


def _positions(data: bytes, word: bytes, start: int) -> Iterator[int]:
    """Offsets of `word`, one a line at most."""
    position = data.find(word, start)
    while position >= 0:
        yield position
        line_end = data.find(b"\n", position)
        if line_end < 0:
            return
        position = data.find(word, line_end)
