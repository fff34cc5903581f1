"""A stretch of a log as bytes, in which only the lines that may matter are parsed.

Lines that hold no word of a grave level are never looked at closely, so that counting in
a hundred megabytes takes about a second.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from golive.logs import levels
from golive.logs.event import ENDS, LONG_LINE, Format, LogEvent, Parsed, continues, overlong, parse_line
from golive.logs.sought import Found, Sought
from golive.logs.times import Clock, grain_of, is_within

_WORDS = tuple(word.encode() for word in levels.HEAVY_WORDS)
# Forms that tell a level without a word: a number behind a key (by the end of the key, which is found fast) …
_NUMBERED = tuple(re.compile(rb'%s"\s*:\s*"?[0-9]' % end) for end in (b"l", b"ty", b"lname", b"ext", b"EL"))
# … the sign of a warning of Redis …
_REDIS = (re.compile(rb":[XCSM] [^\n]{10,40} # "),)
# … and a priority of syslog or a letter of klog, at the beginning of a line.
_HEADS = (b"<", *(letter + digit for letter in (b"W", b"E", b"F") for digit in (b"0", b"1")))
_LIGHT = tuple(
    f'"{key}":{space}"{level}"'.encode()
    for level in ("info", "debug", "notice", "trace")
    for key in ("level", "severity", "lvl")
    for space in ("", " ")
)
_LEVEL_KEYS = (b'level"', b"severity", b'lvl"', b"levelname", b"log_level", b"loglevel")
_SAMPLE_LINES = 40
_NO_CLOCK = Clock()
_LOOK_BACK = 300
_FOLLOWING = 40
_RAW_LIMIT = 16_000
_STEP = 65_536
_DISORDER = timedelta(seconds=60)
_COURSE = 256
_AROUND = 3
_CONTEXT_WIDTH = 600
_TRACE_HEADS = ("Traceback (most recent call last", 'Exception in thread "')
_TRACE_LINKS = ("During handling of the above", "The above exception was")


@dataclass(frozen=True, kw_only=True)
class LogText:
    """Whole lines of one source, oldest first.

    The window begins with the first line that is not older than `window_start`; what stands after it is in it, also
    where the clock was set back or a line was written late. `framed` lines begin with the time of their being taken in.
    """

    data: bytes
    source: str
    clock: Clock = _NO_CLOCK
    form: Format = "auto"
    window_start: datetime | None = None
    framed: bool = False

    @property
    def size(self) -> int:
        """Bytes that were looked through."""
        return len(self.data)

    @property
    def lines(self) -> int:
        """How many lines there are, also before the window."""
        return self.data.count(b"\n") + (0 if self.data.endswith(b"\n") or not self.data else 1)

    @property
    def begins_within(self) -> bool:
        """Whether the window begins in this text, so that what comes after it is within."""
        return self.window_start is not None and self.oldest is not None and self._begin < len(self.data)

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

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many events of WARNING, ERROR and CRITICAL there are within the window."""
        counted = Counter(event.level for event in self.heavy)
        return {level: counted[level] for level in levels.HEAVY}

    @cached_property
    def set_back(self) -> timedelta | None:
        """How far the times of the lines go back at most, from one of a few hundred to a later one; None if little."""
        found = max(
            (before - at for before, at in zip(self._course, self._course[1:], strict=False)), default=_DISORDER
        )
        return found if found > _DISORDER else None

    def find(self, sought: Sought, *, limit: int) -> Found:
        """The last `limit` lines of those that are sought, whatever their level."""
        if sought.pattern:
            return Found(events=self.search(sought.expression, limit=limit))
        return Found(events=self.with_words(sought.words, limit=limit))

    @cached_property
    def grain(self) -> int:
        """How finely its lines tell the time, in microseconds."""
        return grain_of(self._course)

    @property
    def malformed(self) -> int:
        """Lines among those with a grave word that look like JSON but are none."""
        return self._scanned[1]

    def search(self, pattern: re.Pattern[str], *, limit: int) -> tuple[LogEvent, ...]:
        """The last `limit` events within the window in whose line `pattern` is found."""
        found: deque[LogEvent] = deque(maxlen=limit)
        for start in self._line_starts(self._positions_of(pattern)):
            event = self._dated(self._parse(start), start)
            if pattern.search(event.raw):
                found.append(event)
        return tuple(found)

    def with_words(self, words: Sequence[str], *, limit: int) -> tuple[LogEvent, ...]:
        """The last `limit` events within the window whose line holds one of `words` (lower case, ASCII) in any case."""
        found: deque[LogEvent] = deque(maxlen=limit)
        for start in self._starts_with(word.encode() for word in words):
            found.append(self._dated(self._parse(start), start))
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
            if not self.framed and not self._is_long(start) and _is_light(self._line(start)):
                continue
            parsed = self._parse(start)
            malformed[0] += parsed.malformed
            event = parsed.event
            if event.level not in levels.HEAVY:
                continue
            if not self._begins(parsed, start):
                before, begun_at = self._event_before(start)
                # A line of a stack trace speaks for itself only where it is graver than what it belongs to.
                rank = _rank(event.level)
                if before is not None and (_rank(before.level) >= rank or counted.get(begun_at, -1) > rank):
                    continue
                counted = {begun_at: rank}
                event = replace(event, time=event.time or before.time) if before is not None else event
            event = self._with_trace(event, start)
            yield self._in_context(event, start) if event.level == levels.CRITICAL else event

    @cached_property
    def _candidates(self) -> tuple[int, ...]:
        """Offsets of the lines that hold a grave word or sign."""
        starts = set(self._starts_with(_WORDS))
        for sign in (*_NUMBERED, *_REDIS):
            starts.update(self._line_starts(m.start() for m in sign.finditer(self.data, self._begin)))
        between = b" " if self.framed else b"\n"
        for head in _HEADS:
            starts.update(self._line_starts(_positions(self.data, between + head, self._begin, behind=1)))
        if self.data.startswith(_HEADS, self._begin):
            starts.add(self._begin)
        return tuple(sorted(starts))

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

    def _is_long(self, start: int) -> bool:
        """Whether the line is so long that it is not copied."""
        return len(self.data) - start > LONG_LINE and not self.data.find(b"\n", start, start + LONG_LINE + 1) >= 0

    def _parse(self, start: int) -> Parsed:
        if self._is_long(start) and not self.framed:
            end = self.data.find(b"\n", start)
            end = len(self.data) if end < 0 else end
            tail = self.data[max(start, end - ENDS) : end]
            return overlong(self.data[start : start + ENDS], tail, end - start, self.source, self.clock)
        return parse_line(self._line(start), self.source, self.clock, self.form, framed=self.framed)

    def _dated(self, parsed: Parsed, start: int) -> LogEvent:
        if parsed.event.time is not None or not self._is_timed:
            return parsed.event
        before, _ = self._event_before(start)
        return replace(parsed.event, time=before.time) if before else parsed.event

    @cached_property
    def _is_timed(self) -> bool:
        """Whether lines of this log begin with a time or are JSON, so that one without belongs to the one before it."""
        return any(self._parse(start).begins for at in (0, len(self.data) // 2) for start in self._starts_after(at))

    def _starts_after(self, position: int) -> Iterator[int]:
        """Where the next few lines begin."""
        start = self.data.rfind(b"\n", 0, position) + 1
        for _ in range(_SAMPLE_LINES):
            if start >= len(self.data):
                return
            yield start
            end = self.data.find(b"\n", start)
            if end < 0:
                return
            start = end + 1

    def _begins(self, parsed: Parsed, start: int) -> bool:
        """Whether an event begins with the line at `start`."""
        if self._is_timed:
            return parsed.begins
        event = parsed.event
        tells_level = event.level is not None and parsed.tells_level
        if not continues(event.raw) or (tells_level and not event.raw.startswith(_TRACE_HEADS)):
            return True
        if not event.raw.startswith(_TRACE_HEADS) or start == 0:
            return start == 0
        # A trace belongs to the grave line right before it, and to the trace that it explains; else it is an event.
        before = self._parse(self.data.rfind(b"\n", 0, start - 1) + 1).event
        return not (before.level in levels.HEAVY or before.raw.startswith(_TRACE_LINKS) or not before.raw.strip())

    def _event_before(self, start: int) -> tuple[LogEvent | None, int]:
        """The event that the line at `start` continues and where it begins; None when none does within 300 lines."""
        for _ in range(_LOOK_BACK):
            if start == 0:
                break
            start = self.data.rfind(b"\n", 0, start - 1) + 1
            parsed = self._parse(start)
            if self._begins(parsed, start):
                return parsed.event, start
        return None, start

    def _with_trace(self, event: LogEvent, start: int) -> LogEvent:
        """The event with the lines that continue it, for evidence."""
        if event.is_structured:
            return event
        lines = [event.raw]
        position = self.data.find(b"\n", start) + 1
        while 0 < position < len(self.data) and len(lines) < _FOLLOWING and sum(map(len, lines)) < _RAW_LIMIT:
            parsed = self._parse(position)
            if self._begins(parsed, position):
                break
            lines.append(parsed.event.raw)
            position = self.data.find(b"\n", position) + 1
        return replace(event, raw="\n".join(lines)[:_RAW_LIMIT]) if len(lines) > 1 else event

    def _in_context(self, event: LogEvent, start: int) -> LogEvent:
        """The event with the lines before it and after it (of a trace: after its last line)."""
        before: list[str] = []
        position = start
        while position > 0 and len(before) < _AROUND:
            position = self.data.rfind(b"\n", 0, position - 1) + 1
            before.insert(0, self._parse(position).event.raw[:_CONTEXT_WIDTH])
        position = start
        for _ in range(event.raw.count("\n") + 1):
            position = self.data.find(b"\n", position) + 1
            if position == 0:
                return replace(event, before=tuple(before))
        after: list[str] = []
        for at in self._starts_after(position):
            if at >= position and len(after) < _AROUND:
                after.append(self._parse(at).event.raw[:_CONTEXT_WIDTH])
        return replace(event, before=tuple(before), after=tuple(after))

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
    def _course(self) -> list[datetime]:
        """The times of lines all over the text, in their order."""
        step = max(1, len(self.data) // _COURSE)
        times = (self._first_time(start, 3) for start in self._spread(step))
        return [at for at in times if at is not None]

    def _spread(self, step: int) -> Iterator[int]:
        """Where lines begin, one every `step` bytes at most."""
        start = 0
        while start < len(self.data):
            yield start
            start = self.data.find(b"\n", start + step - 1) + 1
            if start == 0:
                return

    @cached_property
    def _begin(self) -> int:
        """Where the window begins: at the first line that is not older than it.

        Without one it is what stands behind the last line with a time: when that was written nobody knows.
        """
        if self.window_start is None:
            return 0
        if self.oldest is None:
            # Lines without a time may all be of the window.
            return 0
        position = last = self._well_before
        while 0 <= position < len(self.data):
            at = self._parse(position).event.time
            if at is not None and is_within(at, self.window_start, self.grain):
                return position
            end = self.data.find(b"\n", position)
            position = end + 1 if end >= 0 else len(self.data)
            last = position if at is not None else last
        return last

    @cached_property
    def _well_before(self) -> int:
        """A place that the window cannot begin before, found by halving; where times go back, by the first of them."""
        if self.window_start is None:
            return 0
        start = self.window_start - _DISORDER
        if self.set_back is not None:
            return self._before_first(start)
        low, high = 0, len(self.data)
        while high - low > _STEP:
            middle = self.data.find(b"\n", (low + high) // 2) + 1
            at = self._first_time(middle, _SAMPLE_LINES) if 0 < middle < high else None
            if at is None:
                break
            if at < start:
                low = middle
            else:
                high = middle
        return low

    def _before_first(self, start: datetime) -> int:
        """The last of the spread places before the first one that is not older than `start`."""
        before = 0
        for place in self._spread(max(1, len(self.data) // _COURSE)):
            at = self._first_time(place, 3)
            if at is not None and at >= start:
                break
            before = place
        return before


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


def _positions(data: bytes, word: bytes, start: int, *, behind: int = 0) -> Iterator[int]:
    """Offsets of `word`, one a line at most; `behind` its first bytes."""
    position = data.find(word, start)
    while position >= 0:
        yield position + behind
        line_end = data.find(b"\n", position + behind)
        if line_end < 0:
            return
        position = data.find(word, line_end)
