"""A stretch of a log that was counted where it is: how many lines of each level, and those that were carried."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from golive.logs import levels
from golive.logs.event import LogEvent, parse_line
from golive.logs.framing import joined, unwrapped
from golive.logs.hosted.counting import Class, Line, Picked
from golive.logs.sought import Found, Sought
from golive.logs.text import LogText

_LIGHT_LINE = b'{"level":"INFO"}'
_JSON_CLASSES = (b"j ", b"g ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """The lines before and after one."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Lines that were counted on the host. `kept` are those that were carried: grave ones, at least some.

    `exact` says whether all grave lines are in `kept`; else `tally` counts them. `found` holds what was sought there,
    by what was sought, `around` what stands around critical lines; `why` says what was not carried, for messages.
    """

    kept: LogText
    size: int
    why: str
    lines: int = 0
    tally: Mapping[str, int] | None = None
    found: Mapping[Sought, Found] = field(default_factory=dict, hash=False)
    around: Mapping[str, Around] = field(default_factory=dict, hash=False)
    first: datetime | None = None
    last: datetime | None = None

    @property
    def source(self) -> str:
        """The name of the source."""
        return self.kept.source

    @property
    def oldest(self) -> datetime | None:
        """Time of the first line."""
        return self.first

    @property
    def newest(self) -> datetime | None:
        """Time of the last line."""
        return self.last

    @cached_property
    def heavy(self) -> tuple[LogEvent, ...]:
        """The events of WARNING and above that were carried, the last critical ones with what stands around them."""
        return tuple(self._in_context(event) for event in self.kept.heavy)

    def _in_context(self, event: LogEvent) -> LogEvent:
        around = self.around.get(event.raw.partition("\n")[0], Around())
        known = event.before or event.after or around.before or around.after
        return replace(event, before=around.before, after=around.after) if known else event

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many events of WARNING, ERROR and CRITICAL there are."""
        return self.kept.counts if self.tally is None else self.tally

    @property
    def malformed(self) -> int:
        """Lines among those carried that look like JSON but are none."""
        return self.kept.malformed

    def find(self, sought: Sought, *, limit: int) -> Found:
        """The lines that were sought on the host; incomplete for what nobody asked for there."""
        known = self.found.get(sought)
        if known is None:
            return Found(incomplete=f"{self.why}, and {sought.told} were not looked for there")
        return Found(events=known.events[-limit:], incomplete=known.incomplete)


@dataclass(frozen=True, kw_only=True, slots=True)
class Understood:
    """What the picked lines come to. `uncounted`: lines whose level could not be told there, with an example."""

    kept: LogText
    tally: Mapping[str, int] | None = None
    uncounted: int = 0


def understood(picked: Picked, like: LogText, *, wrapped: bool) -> Understood:
    """The picked lines as text of the same source as `like`, and the counts of the classes, if there are any."""
    if picked.classes is None:
        return Understood(kept=_text(sorted(picked.lines, key=lambda line: line.place), like, wrapped=wrapped))
    tally = Counter(dict.fromkeys(levels.HEAVY, 0))
    kept: list[Line] = []
    uncounted = 0
    for one in picked.classes:
        known = _level_of(one, like, wrapped=wrapped)
        if known is None:
            judged = [line for line in one.lines if _parsed(line, like, wrapped=wrapped).level in levels.HEAVY]
            tally.update(str(_parsed(line, like, wrapped=wrapped).level) for line in judged)
            uncounted += one.count - len(one.lines)
            kept += judged
        elif known[0] in levels.HEAVY:
            tally[str(known[0])] += one.count
            kept += one.lines
    text = _text(sorted(kept, key=lambda line: line.place), like, wrapped=wrapped)
    return Understood(kept=text, tally=dict(tally), uncounted=uncounted)


def events_of(lines: Iterable[Line], like: LogText, *, wrapped: bool) -> list[LogEvent]:
    """Each of these lines as an event by itself."""
    return [_parsed(line, like, wrapped=wrapped) for line in lines]


def _text(lines: Sequence[Line], like: LogText, *, wrapped: bool) -> LogText:
    """The lines, with a light one wherever others stood between them, so that nothing is taken for its neighbour's."""
    pieces: list[bytes] = []
    before: Line | None = None
    for line in lines:
        if not line.follows(before):
            pieces.append(_light_line(like))
        pieces.append(_unframed(line.data, wrapped=wrapped))
        before = line
    return replace(like, data=b"".join(piece + b"\n" for piece in pieces))


def _light_line(like: LogText) -> bytes:
    return b"- " + _LIGHT_LINE if like.framed else _LIGHT_LINE


def _unframed(data: bytes, *, wrapped: bool) -> bytes:
    """A line out of its wrapping, which may be a part of a long one."""
    if not wrapped:
        return joined(data)
    return unwrapped(data + b"\n", to_the_end=True).data.removesuffix(b"\n").replace(b"\n", b" ") or b"- "


def _parsed(line: Line, like: LogText, *, wrapped: bool) -> LogEvent:
    data = _unframed(line.data, wrapped=wrapped)
    return parse_line(data, like.source, like.clock, like.form, framed=like.framed).event


def _level_of(one: Class, like: LogText, *, wrapped: bool) -> tuple[str | None] | None:
    """The level of a class in a tuple; None if each of its lines has to be judged by itself."""
    if one.key[:2] in _JSON_CLASSES:
        return _of_json(one.key)
    if not one.key.startswith(b"t") or not one.lines:
        return None
    found = {_parsed(line, like, wrapped=wrapped).level for line in one.lines}
    return (next(iter(found)),) if len(found) == 1 else None


def _of_json(key: bytes) -> tuple[str | None] | None:
    kind, _, rest = key.decode("utf-8", "replace").partition(" ")
    name, _, value = rest.partition(" ")
    try:
        fields = {name: json.loads(value)}
    except (ValueError, RecursionError):
        return None
    return (levels.of_fields(fields | ({"short_message": ""} if kind == "g" else {})),)
