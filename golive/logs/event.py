"""One event of a log: a line, with the lines of a stack trace that follow it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from golive.logs import levels, times
from golive.model import utc_text

Format = Literal["auto", "json", "text"]
LONG_LINE = 1_000_000
_SHOWN = 600
_TOLD = 160
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f]")
_MESSAGES = ("message", "msg", "text", "short_message", "error", "event")
_FIELD_LEVEL = re.compile(r'"(?:level|severity|lvl|log\.level)"\s*:\s*"?(\w+)')
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEvent:
    """One event. `level` is canonical (DEBUG, INFO, WARNING, ERROR, CRITICAL) or None when the line tells none.

    `fields` are those of a structured line; `own` marks what this suite's own probes caused.
    """

    time: datetime | None
    level: str | None
    message: str
    raw: str
    source: str
    fields: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    own: bool = False

    @property
    def shown(self) -> str:
        """The event for evidence: source, time and the line, cut, without anything that a terminal would act on."""
        at = f"{utc_text(self.time)} " if self.time else ""
        lines = [_CONTROLS.sub(" ", line)[:_SHOWN] for line in self.raw[: 20 * _SHOWN].splitlines()[:20]]
        return f"[{self.source}] {at}" + "\n    ".join(lines)

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
    """A line by itself. `begins` is False for a line that continues the event before it."""

    event: LogEvent
    begins: bool
    malformed: bool = False


def parse_line(line: bytes, source: str, clock: times.Clock, form: Format = "auto") -> Parsed:
    """Any line, however long, broken or hostile; nothing is raised."""
    if len(line) > LONG_LINE:
        return _overlong(line, source, clock)
    text = line.decode("utf-8", "replace").rstrip("\r")
    if form != "text" and (opening := _json_at(text)) >= 0:
        fields = _object(text[opening:])
        if fields is not None:
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


def _structured(text: str, fields: Mapping[str, Any], before: str, source: str, clock: times.Clock) -> LogEvent:
    # Docker's json-file driver wraps the line of the program.
    if isinstance(inner := fields.get("log"), str) and "stream" in fields:
        unwrapped = parse_line(inner.rstrip("\n").encode(), source, clock).event
        at = unwrapped.time or times.of_fields(fields, clock)
        return LogEvent(
            time=at,
            level=unwrapped.level,
            message=unwrapped.message,
            raw=text,
            source=source,
            fields=unwrapped.fields or fields,
        )
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


def _overlong(line: bytes, source: str, clock: times.Clock) -> Parsed:
    """Only the beginning and end of a line of megabytes are looked at."""
    text = line[:2_000].decode("utf-8", "replace")
    stamp = times.stamp(text, clock)
    level = levels.of_text(text, stamp.end if stamp else None) if not text.startswith("{") else None
    if level is None and text.startswith("{"):
        both = text + line[-2_000:].decode("utf-8", "replace")
        found = _FIELD_LEVEL.search(both)
        level = levels.named(found[1]) if found else None
    cut = f"{text[:500]}… ({len(line)} bytes in one line)"
    event = LogEvent(time=stamp.at if stamp else None, level=level, message=cut, raw=cut, source=source)
    return Parsed(event, begins=stamp is not None or text.startswith("{"), malformed=text.startswith("{"))
