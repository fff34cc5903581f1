"""Whether the times of a log file, which tell no zone, are those of another zone than the host's. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from golive.logs.hosted.window import TOLERANCE
from golive.logs.text import LogText
from golive.model import utc_text

_STEP = timedelta(minutes=15)
"""All zones lie whole quarters of an hour apart."""
_LATE = timedelta(minutes=14)
"""A line that is written through a buffer may come later than it says, but hardly by a quarter of an hour."""
_FURTHEST = timedelta(hours=26)
_HOUR = timedelta(hours=1)


def foreign_zone(tail: LogText, changed_at: int, window_start: datetime) -> str | None:
    """Why the times of a file that ends with `tail` cannot be those of its host; None where they can be.

    Only a time without a zone is doubted. A file that did not change in the window has nothing in it to be missed.
    Where other lines follow the last one with a time, or where that lies within the window, the file may have been
    written later than that line: then only a difference as between two zones tells.
    """
    written = datetime.fromtimestamp(changed_at, UTC)
    newest = tail.newest
    if newest is None or written <= window_start + TOLERANCE or not _is_without_zone(tail, newest):
        return None
    off = written - newest
    is_told = _ends_with_time(tail) and (newest < window_start or -_FURTHEST <= off < timedelta(0))
    if abs(off) < _LATE or not (is_told or _is_between_zones(off)):
        return None
    return (
        f"was written at {utc_text(written)}, but its newest line says {utc_text(newest)}: its times look like those "
        "of another zone; let the service log UTC or its offset"
    )


def _is_without_zone(tail: LogText, newest: datetime) -> bool:
    """Whether it is another moment where the host has another zone."""
    return replace(tail, clock=tail.clock._replace(zone=tail.clock.zone + _HOUR)).newest != newest


def _ends_with_time(tail: LogText) -> bool:
    last = tail.data.rstrip(b"\n").rpartition(b"\n")[2]
    return replace(tail, data=last).newest is not None


def _is_between_zones(off: timedelta) -> bool:
    rest = abs(off) % _STEP
    return abs(off) <= _FURTHEST and min(rest, _STEP - rest) <= TOLERANCE
