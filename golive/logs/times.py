"""When a log line was written: the common forms of time stamps, as UTC. Pure: the present moment is passed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_MONTH = "(" + "|".join(_MONTHS) + ")"
_CLOCK = r"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
_ISO = re.compile(rf"(\d{{4}})[-/](\d\d)[-/](\d\d)[T ]{_CLOCK} ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?")
_DAY_FIRST = re.compile(rf"(\d\d)[ /]{_MONTH}[ /](\d{{4}})[: ]{_CLOCK} ?([+-]\d\d:?\d\d)?")
_SYSLOG = re.compile(rf"{_MONTH} ([ \d]\d) {_CLOCK}")
_KLOG = re.compile(rf"^[IWEF](\d\d)(\d\d) {_CLOCK}")
_FIELDS = ("time", "timestamp", "@timestamp", "ts", "datetime", "date", "asctime", "t", "Timestamp", "eventTime")
_LOOK_WITHIN = 120
_NOISE_BEFORE = 60


class Stamp(NamedTuple):
    """A moment and the text range that tells it."""

    at: datetime
    start: int
    end: int


class Clock(NamedTuple):
    """What a time stamp that leaves something out is completed with."""

    zone: timedelta = timedelta(0)
    """The host's offset from UTC, for stamps without a zone."""
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """The time of looking, for stamps without a year."""


def stamp(line: str, clock: Clock) -> Stamp | None:
    """The time stamp near the beginning of a line of text; None when there is none or it names no real moment."""
    head = line[:_LOOK_WITHIN]
    for pattern, read in _FORMS:
        found = pattern.search(head)
        if found and found.start() <= _NOISE_BEFORE:
            at = _guarded(read, found, clock)
            if at is not None:
                return Stamp(at, found.start(), found.end())
    return None


def grain_of(times: Iterable[datetime]) -> int:
    """How finely a log tells time, in microseconds: by whole seconds, milliseconds or less."""
    micros = {at.microsecond for at in times}
    if not any(micros):
        return 1_000_000
    return 1_000 if not any(one % 1_000 for one in micros) else 1


def is_within(at: datetime, start: datetime, grain: int) -> bool:
    """Whether a line of that time may have been written at or after `start`, in a log that tells time by `grain`."""
    return at >= start.replace(microsecond=start.microsecond // grain * grain if grain < 1_000_000 else 0)


def of_fields(fields: Mapping[str, Any], clock: Clock) -> datetime | None:
    """The time of a structured line, from the first field that holds one."""
    for name in _FIELDS:
        value = fields.get(name)
        at = _text(value, clock) if isinstance(value, str) else _epoch(value)
        if at is not None:
            return at
    return None


def _text(value: str, clock: Clock) -> datetime | None:
    found = stamp(value, clock)
    if found is not None:
        return found.at
    try:
        return _epoch(float(value))
    except ValueError:
        return None


def _epoch(value: Any) -> datetime | None:
    """Unix time in seconds, ms, µs or ns, told apart by its size."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        return None
    for limit, divisor in ((1e11, 1), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9)):
        if value < limit:
            seconds = value / divisor
            return datetime.fromtimestamp(seconds, UTC) if seconds > 1e8 else None
    return None


def _guarded(read: Callable[[re.Match[str], Clock], datetime], found: re.Match[str], clock: Clock) -> datetime | None:
    try:
        return read(found, clock)
    except (ValueError, OverflowError):
        return None


def _moment(date: tuple[int, int, int], found: re.Match[str], first: int, zone: str | None, clock: Clock) -> datetime:
    hour, minute, second, fraction = found.group(first, first + 1, first + 2, first + 3)
    micros = int((fraction or "0").ljust(6, "0")[:6])
    local = datetime(*date, int(hour), int(minute), min(59, int(second)), micros, tzinfo=UTC)
    return local - (clock.zone if zone is None else _offset(zone))


def _offset(zone: str) -> timedelta:
    if zone in ("Z", "UTC", "GMT"):
        return timedelta(0)
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return -offset if zone[0] == "-" else offset


def _iso(found: re.Match[str], clock: Clock) -> datetime:
    return _moment((int(found[1]), int(found[2]), int(found[3])), found, 4, found[8], clock)


def _day_first(found: re.Match[str], clock: Clock) -> datetime:
    return _moment((int(found[3]), _MONTHS[found[2]], int(found[1])), found, 4, found[8], clock)


def _without_year(month: int, day: int, found: re.Match[str], clock: Clock) -> datetime:
    """The year that brings the moment nearest to now without lying more than a day ahead."""
    at = _moment((clock.now.year, month, day), found, 3, None, clock)
    return (
        at if at <= clock.now + timedelta(days=1) else _moment((clock.now.year - 1, month, day), found, 3, None, clock)
    )


def _syslog(found: re.Match[str], clock: Clock) -> datetime:
    return _without_year(_MONTHS[found[1]], int(found[2]), found, clock)


def _klog(found: re.Match[str], clock: Clock) -> datetime:
    return _without_year(int(found[1]), int(found[2]), found, clock)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Clock], datetime]], ...] = (
    (_ISO, _iso),
    (_DAY_FIRST, _day_first),
    (_SYSLOG, _syslog),
    (_KLOG, _klog),
)
