"""Where in a log file a window of time begins, found on the host by reading a few samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from golive.logs.framing import unwrapped
from golive.logs.hosted.files import Files
from golive.logs.hosted.look import File, Look, Sample
from golive.logs.text import LogText
from golive.logs.times import is_within

TOLERANCE = timedelta(seconds=2)
_STEP = 65_536
_PROBES = 16


def window_begin(files: Files, look: Look, file: File, stretch: tuple[int, int], window_start: datetime) -> int:
    """The offset of the first line of the stretch that is not older than the window; its end if all are.

    Where times go back, it is the first such line that counts.
    """
    begin, end = stretch
    first = next((sample for sample in look.samples if sample.offset == begin and file.path == look.path), None)
    oldest = files.text(look, first.data)[0].oldest if first is not None else None
    if oldest is not None and oldest >= window_start:
        return begin
    known = look.samples if file.path == look.path else ()
    low, high = _narrowed(files, look, known, (begin, end), window_start)
    while high - low > _STEP:
        step = max(4096, (high - low) // _PROBES)
        probes = files.samples(file, range(low + step, high, step))
        narrowed = _narrowed(files, look, probes, (low, high), window_start)
        if narrowed == (low, high):
            break
        low, high = narrowed
    data = files.carried(look, file, low, min(end - low, 4 * _STEP))
    first_line = 0 if low == begin else data.find(b"\n") + 1
    place = _first_within(data, files.empty(look), window_start, first_line)
    return end if place is None and low + len(data) >= end else low + (place or 0)


def _narrowed(
    files: Files, look: Look, samples: Iterable[Sample], stretch: tuple[int, int], window_start: datetime
) -> tuple[int, int]:
    """The stretch that the window begins in: from the last sample before the first that is within, to that one."""
    low, high = stretch
    for sample in samples:
        if not low < sample.offset < high:
            continue
        at = files.text(look, sample.data[sample.data.find(b"\n") + 1 :])[0].oldest
        if at is not None and at >= window_start - TOLERANCE:
            return low, sample.offset
        low = sample.offset if at is not None else low
    return low, high


def _first_within(data: bytes, like: LogText, window_start: datetime, begin: int) -> int | None:
    """Where in `data` the first line from `begin` on stands that is not older than the window; None if none is."""
    start = begin
    grain = replace(like, data=unwrapped(data, to_the_end=True).data if like.framed else data[begin:]).grain
    while start < len(data):
        end = data.find(b"\n", start)
        line = data[start : end if end >= 0 else len(data)]
        inner = unwrapped(line + b"\n", to_the_end=True).data if like.framed else line
        at = replace(like, data=inner).oldest
        if at is not None and is_within(at, window_start, grain):
            return start
        if end < 0:
            return None
        start = end + 1
    return None
