"""One event of a log: a line, with the lines of a stack trace that follow it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from golive.logs import levels, times
from golive.model import utc_text

Format = Literal["auto", "json", "text"]
LONG_LINE = 1_000_000
ENDS = 2_000
_SHOWN = 600
_TOLD = 160
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f]")
_MESSAGES = ("message", "msg", "text", "short_message", "error", "event")
_FIELD_LEVEL = re.compile(r'"(?:level|severity|lvl|log\.level)"\s*:\s*"?(\w+)')
_CONTINUES = re.compile(
    r"\s+\S|File \"[^\"]*\", line \d|at [\w.$<>/]+\(|Traceback \(most recent call last|Caused by: "
    r"|\.{3} \d+ (?:more|common)|During handling of the above"
    r"|The above exception was|(?:[\w$]+\.)*[\w$]*(?:Error|Exception|Interrupt|Exit|Failure)\s*(?::|$)"
)
_CRI = re.compile(rb"(\d{4}-\d\d-\d\dT\S{8,30}) (?:stdout|stderr) [FP] ")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEvent:
    """One event. `level` is canonical (DEBUG, INFO, WARNING, ERROR, CRITICAL) or None when the line tells none.

    `fields` are those of a structured line; `own` marks what this suite's own probes caused. `before` and `after` are
    the lines around a critical one, as far as they are known.
    """

    time: datetime | None
    level: str | None
    message: str
    raw: str
    source: str
    fields: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    own: bool = False
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The event for evidence: source, time and the line, cut, without anything that a terminal would act on."""
        at = f"{utc_text(self.time)} " if self.time else ""
        lines = [_inert(line) for line in self.raw[: 20 * _SHOWN].splitlines()[:20]]
        return f"[{self.source}] {at}" + "\n    ".join(lines)

    @property
    def shown_in_context(self) -> str:
        """The event as `shown`, with the lines before and after it."""
        before, after = (["    | " + _inert(line) for line in lines] for lines in (self.before, self.after))
        return "\n".join([*before, self.shown, *after])

    @property
    def told(self) -> str:
        """The message on one line, for a sentence."""
        line = " ".join(_CONTROLS.sub(" ", self.message[: 4 * _TOLD]).split())
        return line if len(line) <= _TOLD else f"{line[: _TOLD - 1]}…"

    @property
    def is_structured(self) -> bool:
        """Whether the line is JSON."""
        return bool(self.fields)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A line by itself. `begins` is False for a line that continues the event before it.

    `tells_level`: the line says itself what level its event has, not only its frame.
    """

    event: LogEvent
    begins: bool
    malformed: bool = False
    tells_level: bool = True


def parse_line(line: bytes, source: str, clock: times.Clock, form: Format = "auto", *, framed: bool = False) -> Parsed:
    """Any line, however long, broken or hostile; nothing is raised.

    `framed`: it begins with the time at which it was taken in, which is its event's, and perhaps a level behind a
    slash (`2026-05-01T10:00:00Z/ERROR `), which counts where the line tells none that is graver.
    """
    if framed:
        return _out_of_frame(line, source, clock, form)
    if len(line) > LONG_LINE:
        return overlong(line[:ENDS], line[-ENDS:], len(line), source, clock)
    if prefix := _CRI.match(line):
        # The line of a container as Kubernetes keeps it.
        return _out_of_frame(prefix[1] + b" " + line[prefix.end() :], source, clock, form)
    text = line.decode("utf-8", "replace").rstrip("\r")
    if form != "text" and (opening := _json_at(text)) >= 0:
        fields = _object(text[opening:])
        if fields is not None:
            if isinstance(inner := fields.get("log"), str) and "stream" in fields:
                return _unwrapped(inner, fields, source, clock)
            return Parsed(_structured(text, fields, text[:opening], source, clock), begins=True)
        malformed = opening == 0
    else:
        malformed = form == "json" and bool(text.strip())
    stamp = times.stamp(text, clock)
    level = levels.of_text(text, stamp.end if stamp else None)
    if level is None and malformed and (found := _FIELD_LEVEL.search(text)):
        level = levels.named(found[1])
    message = text if stamp is None or stamp.start > 2 else text[stamp.end :].strip(" -:|\t]")
    event = LogEvent(time=stamp.at if stamp else None, level=level, message=message, raw=text, source=source)
    return Parsed(event, begins=stamp is not None, malformed=malformed)


def continues(text: str) -> bool:
    """Whether a line of a log without times has the form of a line within a stack trace."""
    return _CONTINUES.match(text) is not None


def _out_of_frame(line: bytes, source: str, clock: times.Clock, form: Format) -> Parsed:
    frame, _, inner = line.partition(b" ")
    stamp, _, level = frame.decode("ascii", "replace").partition("/")
    parsed = parse_line(inner, source, clock, form)
    at = times.stamp(stamp, clock)
    event = replace(
        parsed.event,
        time=at.at if at is not None else parsed.event.time,
        level=levels.gravest(parsed.event.level, level or None) if level in levels.LEVELS else parsed.event.level,
    )
    return replace(parsed, event=event, tells_level=parsed.event.level is not None)


def _unwrapped(inner: str, fields: Mapping[str, Any], source: str, clock: times.Clock) -> Parsed:
    """The line of a program that docker's json-file driver wrapped."""
    parsed = parse_line(inner.rstrip("\n").encode("utf-8", "replace"), source, clock)
    at = times.of_fields({"time": fields.get("time")}, clock)
    return replace(parsed, event=replace(parsed.event, time=at or parsed.event.time))


def _inert(line: str) -> str:
    return _CONTROLS.sub(" ", line[: 4 * _SHOWN])[:_SHOWN]


def _structured(text: str, fields: Mapping[str, Any], before: str, source: str, clock: times.Clock) -> LogEvent:
    at = times.of_fields(fields, clock)
    if at is None and before and (stamp := times.stamp(before, clock)):
        at = stamp.at
    message = next((value for name in _MESSAGES if isinstance(value := fields.get(name), str) and value), text)
    return LogEvent(time=at, level=levels.of_fields(fields), message=message, raw=text, source=source, fields=fields)


def _json_at(text: str) -> int:
    """Where a JSON object begins: at once, or after a log driver's prefix (`api-1  | `, `… stdout F `); else -1."""
    if text.startswith("{"):
        return 0
    at = text.find("{", 0, 160)
    return at if at > 0 and text.endswith("}") and text[:at].endswith(("| ", " F ", " P ", "]: ")) else -1


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found else None


def overlong(head: bytes, tail: bytes, size: int, source: str, clock: times.Clock) -> Parsed:
    """A line of megabytes, of which only the beginning and the end are looked at."""
    text = head.decode("utf-8", "replace")
    stamp = times.stamp(text, clock)
    level = levels.of_text(text, stamp.end if stamp else None) if not text.startswith("{") else None
    if level is None and text.startswith("{"):
        both = text + tail.decode("utf-8", "replace")
        found = _FIELD_LEVEL.search(both)
        level = levels.named(found[1]) if found else None
    cut = f"{text[:500]}… ({size} bytes in one line)"
    event = LogEvent(time=stamp.at if stamp else None, level=level, message=cut, raw=cut, source=source)
    return Parsed(event, begins=stamp is not None or text.startswith("{"), malformed=text.startswith("{"))
