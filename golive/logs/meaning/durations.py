"""How long something took, as log lines tell it: in fields, in `key=value` pairs, or in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from golive.logs.event import LogEvent

Unit = Literal["ns", "us", "ms", "s"]

WORDS = (
    *("duration", "elapsed", "latency", "took", "request_time", "response_time", "responsetime"),
    *("completed", "finished", "done", "executed", "processed", "served", "answered", "runtime", "time_taken"),
)
"""Words in lower case of which a line that tells a duration holds at least one."""

_UNITS = {
    **dict.fromkeys(("ns", "nanoseconds"), 1e-6),
    **dict.fromkeys(("us", "µs", "μs", "microseconds"), 1e-3),
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds", "millisecond"), 1.0),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1e3),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60e3),
    **dict.fromkeys(("h", "hour", "hours"), 3600e3),
}
_BARE: Mapping[str, float] = {
    **dict.fromkeys(("duration_ms", "durationms", "elapsed_ms", "latency_ms", "took_ms", "response_time_ms"), 1.0),
    **dict.fromkeys(("responsetime", "response_time", "took", "elapsedms", "execution_time_ms", "time_ms"), 1.0),
    **dict.fromkeys(("request_time", "upstream_response_time", "duration_s", "duration_seconds", "elapsed_s"), 1e3),
    **dict.fromkeys(("latency_s", "elapsed_seconds", "took_s"), 1e3),
    **dict.fromkeys(("duration_us", "elapsed_us", "latency_us"), 1e-3),
    **dict.fromkeys(("duration_ns", "elapsed_ns", "latency_ns"), 1e-6),
}
"""Names of fields whose number needs no unit beside it, in lower case, with the milliseconds of one."""
_NAMED = ("duration", "elapsed", "latency", "took", "time_taken", "latency_human", "runtime", *_BARE)
_KEYS = "duration|elapsed|latency|took|runtime|_time|responsetime|time_ms|time_taken| in"
_NUMBER = r"\d{1,15}(?:\.\d{1,9})?"
_WITH_UNIT = re.compile(rf"({_NUMBER})\s?([a-zµμ]+)")
_PART = re.compile(rf"({_NUMBER})(h|m|s|ms|us|µs|ns)(?![a-z])")
_COMPOUND = re.compile(rf"(?:{_NUMBER}(?:h|ms|m|s|us|µs|ns))+")
_PAIR = re.compile(
    rf"(?<![\w.])({'|'.join(sorted(_NAMED, key=len, reverse=True))})\s?[=:]\s?\"?({_NUMBER})\s?([a-zµμ]*)",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    rf"(?:took|(?:completed|finished|done|executed|processed|served|answered) (?:\w+ ){{0,3}}in)"
    rf"[:=]? ({_NUMBER})\s?({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![\w])",
    re.IGNORECASE,
)


def duration_ms(event: LogEvent, *, field: str = "", unit: Unit | None = None) -> float | None:
    """How long the event says that something took; None if it says nothing of it.

    `field` is the one field (dotted within objects) that tells it, and `unit` that of its bare number.
    """
    if field:
        return _value(_inside(event.fields, field), _UNITS[unit] if unit else _BARE.get(field.lower()))
    found = [one for name, value in event.fields.items() if (one := _of_field(name, value)) is not None]
    if found:
        return max(found)
    text = event.message if event.is_structured else event.raw
    return _of_text(text[:2_000])


def narrow(limit_ms: float, *, field: str = "") -> str:
    """An extended regular expression (POSIX), for any case, that each line with a duration beyond the limit matches."""
    keys = re.sub(r"[^a-z0-9_]", ".", field.lower()) if field else _KEYS
    many = "[0-9]" * len(str(int(limit_ms))) + "[0-9]*([^-:/T0-9]|$)"
    with_unit = "[0-9]+([.][0-9]+)? ?[smh]"
    decimal = "[0-9]*[1-9][0-9]*[.][0-9]" if limit_ms >= 1000 else "[0-9]+[.][0-9]"
    in_seconds = "(_time|_s|_seconds)[\"'\\\\:= ]+[0-9]*[1-9]"
    return f"({keys})[a-z_]*[\"'\\\\:= ]+({many}|{with_unit}|{decimal})|{in_seconds}"


def _of_field(name: str, value: Any) -> float | None:
    small = name.lower()
    bare = _BARE.get(small)
    return _value(value, bare) if bare is not None or small in _NAMED else None


def _value(value: Any, bare: float | None) -> float | None:
    """A number in the unit of its field, or a text with a unit (`1.5s`, `1m2.5s`)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) * bare if bare is not None and 0 <= value < 1e18 else None
    if not isinstance(value, str) or len(value) > 60:
        return None
    text = value.strip().lower()
    if _COMPOUND.fullmatch(text):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if found := _WITH_UNIT.fullmatch(text):
        factor = _UNITS.get(found[2])
        return float(found[1]) * factor if factor is not None else None
    return float(text) * bare if bare is not None and re.fullmatch(_NUMBER, text) else None


def _of_text(text: str) -> float | None:
    found = []
    for name, number, unit in _PAIR.findall(text):
        factor = _UNITS.get(unit.lower()) if unit else _BARE.get(name.lower())
        if factor is not None:
            found.append(float(number) * factor)
    found += [float(number) * _UNITS[unit.lower()] for number, unit in _SPOKEN.findall(text)]
    return max(found, default=None)


def _inside(fields: Mapping[str, Any], path: str) -> Any:
    if path in fields:
        return fields[path]
    value: Any = fields
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
