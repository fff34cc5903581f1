"""What stands around the lines of a program where a container runtime keeps them, taken off again. Pure.

Docker's json-file driver wraps each line in JSON, the runtimes of Kubernetes (CRI) put time,
stream and a flag before it; both cut lines of more than 16 KiB into several. What comes out
are whole lines, each with the time before it at which its beginning was taken in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from golive.model import utc_text

_CRI = re.compile(rb"(\d{4}-\d\d-\d\dT\S{8,30}) (stdout|stderr) ([FP])(?: (.*))?", re.DOTALL)
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")
_CHUNK = 16_384
_SPLIT = 4
"""A part may be this much shorter where it was cut within a character."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unwrapped:
    """Lines with their time before them, and how many of the bytes that were given are behind them.

    What comes after `consumed` belongs to a line whose end is not there yet.
    """

    data: bytes
    consumed: int


@dataclass
class _Open:
    """A line whose end did not come yet: when it began, where, and what there is of it."""

    at: bytes
    place: int
    parts: list[bytes] = field(default_factory=list)


def is_wrapped(data: bytes) -> bool:
    """Whether the lines have been wrapped by a container runtime, as the first of them shows."""
    first = data[: data.find(b"\n") + 1 or 400]
    return first.startswith(b'{"log":"') or _CRI.match(first) is not None


def unwrapped(data: bytes, *, to_the_end: bool) -> Unwrapped:
    """The program's lines. `to_the_end`: nothing more is to come, so an unfinished line counts as one."""
    lines: list[bytes] = []
    open_lines: dict[bytes, _Open] = {}
    consumed = 0
    for place, end, record in _records(data):
        found = _taken_apart(record)
        if found is None:
            # Neither wrapping: kept as it is, since it may be what is wrong.
            lines.append(b"- " + record)
        else:
            at, stream, text, is_end = found
            started = open_lines.setdefault(stream, _Open(at=at, place=place))
            started.parts.append(text)
            if is_end:
                lines.append(started.at + b" " + b"".join(open_lines.pop(stream).parts).replace(b"\n", b" "))
        consumed = min((line.place for line in open_lines.values()), default=end)
    if to_the_end:
        lines += [line.at + b" " + b"".join(line.parts).replace(b"\n", b" ") for line in open_lines.values()]
        consumed = len(data)
    return Unwrapped(data=b"".join(line + b"\n" for line in lines), consumed=consumed)


def framed(at: datetime, level: str | None, text: str) -> bytes:
    """A text of one or several lines as framed ones; the level stands with the first."""
    stamp = utc_text(at).encode()
    first, *others = text.replace("\r", "").encode("utf-8", "replace").split(b"\n")
    head = stamp + (f"/{level}".encode() if level else b"") + b" " + first + b"\n"
    return head + b"".join(stamp + b" " + other + b"\n" for other in others if other.strip())


def joined(data: bytes) -> bytes:
    """Lines as `docker logs --timestamps` prints them, without the times it puts between parts of a long one."""
    return b"\n".join(map(_joined, data.split(b"\n"))) if len(data) > _CHUNK else data


def _joined(line: bytes) -> bytes:
    stamp = _STAMP.match(line)
    if stamp is None or len(line) <= stamp.end() + _CHUNK:
        return line
    position = stamp.end() + 1
    parts = [line[:position]]
    while position < len(line):
        part = line[position : position + _CHUNK]
        parts.append(part)
        position += len(part)
        between = _STAMP.match(line, position)
        if between is not None and line[between.end() : between.end() + 1] == b" ":
            position = between.end() + 1
    return b"".join(parts)


def _records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(begin, end, record) of each whole record."""
    begin = 0
    while (end := data.find(b"\n", begin)) >= 0:
        yield begin, end + 1, data[begin:end]
        begin = end + 1


def _taken_apart(record: bytes) -> tuple[bytes, bytes, bytes, bool] | None:
    """(time, stream, text, whether the line ends with it)."""
    if found := _CRI.fullmatch(record):
        return found[1], found[2], found[4] or b"", found[3] == b"F"
    try:
        wrapping = json.loads(record)
    except (ValueError, RecursionError):
        return None
    if not isinstance(wrapping, dict):
        return None
    log, stream, at = wrapping.get("log"), wrapping.get("stream"), wrapping.get("time")
    if not (isinstance(log, str) and isinstance(stream, str) and isinstance(at, str)):
        return None
    text = log.encode("utf-8", "replace")
    stamp = at.encode("ascii", "replace").replace(b" ", b"T") or b"-"
    # What is shorter than a part without ending in a line end is the last that a program wrote before it ended.
    is_end = text.endswith(b"\n") or len(text) < _CHUNK - _SPLIT
    return stamp, stream.encode("utf-8", "replace"), text.removesuffix(b"\n"), is_end
