"""A log file on a host, read where it is: only what is new, through rotation, truncation and recreation.

A cursor holds for each path the inode, how far it was read, and a hash of the file's first
bytes. The hash finds a rotated file again under another name, copied or compressed, and tells
a file that was emptied and filled anew from one that only grew.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pydantic import Field

from golive.environment.params import HostRef, Size
from golive.environment.sections import LogSection
from golive.logs import Cursor, LogHost, LogReading, merged
from golive.logs.event import Format
from golive.logs.look import (
    File,
    Garbled,
    Look,
    Stretch,
    heads_script,
    look_script,
    parse_heads,
    parse_look,
    parse_stretch,
    stretch_script,
)
from golive.logs.text import LogText
from golive.logs.times import Clock
from golive.model import CouldNotLook, utc_text

TOLERANCE = timedelta(seconds=2)
_SETTLED_S = 2
_LONGEST_UNFINISHED = 1_000_000
_ATTEMPTS = 3


class Config(LogSection):
    """A log file on a host; its rotated siblings (`path.1`, `path.2.gz`, `path-20260501`) are found by themselves."""

    host: HostRef
    path: str | tuple[str, ...] = Field(description="path of the file, or several that are one source")
    format: Format = Field("auto", description="auto looks at every line; text never takes a line for JSON")
    max_bytes: Size = Field(64_000_000, description="most that is carried in one look; beyond it only grave lines are")
    sparse: bool = Field(
        False,
        description="lines are rare (an error log): a file older than the window covers it, however young its lines",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """How far one path was read."""

    inode: int
    offset: int
    head: str
    head_bytes: int
    at: str

    def is_of(self, head: bytes) -> bool:
        """Whether a file that begins with `head` may be the one that was read; an empty one had only its inode."""
        return len(head) >= self.head_bytes and _hash(head[: self.head_bytes]) == self.head


class _Moved(Exception):
    """The file was rotated while it was read."""


def open_source(name: str, config: Config, host_of: Callable[[str], LogHost]) -> FileSource:
    """The source; its host is reached at the first look."""
    return FileSource(name, config, host_of(config.host))


class FileSource:
    """The file or files of one source on one host."""

    def __init__(self, name: str, config: Config, host: LogHost) -> None:
        self.name = name
        self._config = config
        self._host = host

    def read(self, since: Cursor | None, window_start: datetime | None) -> tuple[LogReading, Cursor]:
        """See `LogSource.read`."""
        paths = (self._config.path,) if isinstance(self._config.path, str) else self._config.path
        marks = _marks(since)
        readings, cursor = [], {}
        for path in paths:
            reading, mark = self._settled(path, marks.get(path), window_start)
            readings.append(reading)
            cursor[path] = {name: getattr(mark, name) for name in Mark.__slots__}
        return merged(readings), {"kind": "file", "paths": cursor}

    def _settled(self, path: str, mark: Mark | None, window_start: datetime | None) -> tuple[LogReading, Mark]:
        """One path, looked at again when it was rotated while it was read."""
        for _ in range(_ATTEMPTS):
            try:
                return self._read(self._look(path, mark.offset if mark else 0), mark, window_start)
            except _Moved:
                continue
        raise self._could_not_look(path, f"it was rotated while it was read, {_ATTEMPTS} times in a row")

    def _look(self, path: str, offset: int) -> Look:
        marker = f"golive-{secrets.token_hex(8)}"
        limit = self._config.max_bytes
        said = self._host.run(look_script(marker, path, offset, limit), max_bytes=limit + 1_000_000)
        try:
            look = parse_look(said.stdout_bytes, marker, path, limit)
        except (Garbled, ValueError) as error:
            raise self._could_not_look(path, str(error)) from None
        if look.current is None:
            rotated = " (rotated files are)" if look.siblings else ""
            raise self._could_not_look(path, f"it is not there{rotated}: {look.problem}")
        if look.moved:
            raise _Moved
        if look.current.size > 0 and not look.head:
            raise self._could_not_look(path, "it is there but may not be read by the user that the suite comes as")
        return look

    def _read(self, look: Look, mark: Mark | None, window_start: datetime | None) -> tuple[LogReading, Mark]:
        if mark is None:
            return self._first(look, window_start)
        if _file(look).inode == mark.inode and mark.is_of(look.head) and _file(look).size >= mark.offset:
            return self._reading(look, [look.stretch], window_start), _mark(look, mark.offset)
        return self._after_rotation(look, mark, window_start)

    def _first(self, look: Look, window_start: datetime | None) -> tuple[LogReading, Mark]:
        """Without a cursor: the current file, and those siblings that the window reaches into."""
        since = window_start.timestamp() if window_start else 0.0
        reached = [file for file in look.siblings if file.changed_at >= since]
        current = self._text(look, look.stretch, window_start)
        if window_start is not None and current.oldest is not None and current.oldest <= window_start:
            reached = []
        reading = self._reading(look, [*(self._stretch(look, f, 0) for f in reached), look.stretch], window_start)
        if window_start is not None and reading.gap is None and len(reached) == len(look.siblings):
            reading = replace(reading, gap=self._missing_before(look, reading, window_start))
        return reading, _mark(look, 0)

    def _missing_before(self, look: Look, reading: LogReading, window_start: datetime) -> str | None:
        """Why lines of the window may be gone although all files that are left were read; None if none can be."""
        where = f"log {self.name}: {look.path}"
        if reading.oldest is not None and reading.oldest <= window_start + TOLERANCE:
            return None
        start = (window_start + TOLERANCE).timestamp()
        file = _file(look)
        is_older = self._config.sparse and file.born_at is not None and file.born_at <= start
        if not look.siblings and (is_older or file.changed_at <= start):
            return None
        window = f"the window begins {utc_text(window_start)}"
        if reading.oldest is not None:
            return f"{where}: the oldest retained line is from {utc_text(reading.oldest)}, {window}"
        if file.size == 0:
            changed = datetime.fromtimestamp(file.changed_at, UTC)
            return f"{where}: is empty and was last changed {utc_text(changed)}, {window}"
        return f"{where}: its lines carry no time, so whether they reach back to the window cannot be told"

    def _after_rotation(self, look: Look, mark: Mark, window_start: datetime | None) -> tuple[LogReading, Mark]:
        """The file that was read last is looked for among the siblings; everything younger is read after its rest."""
        heads = self._heads(look, look.siblings)
        same = [f for f in look.siblings if mark.is_of(heads[f.path]) and (mark.head_bytes or f.inode == mark.inode)]
        found = next((f for f in same if f.inode == mark.inode), None) or next(iter(same), None)
        fresh = self._look(look.path, 0)
        if _file(fresh).inode != _file(look).inode:
            raise _Moved
        if found is None:
            return self._lost(look, fresh, mark, window_start)
        younger = look.siblings[look.siblings.index(found) + 1 :]
        stretches = [
            self._stretch(look, found, mark.offset),
            *(self._stretch(look, f, 0) for f in younger),
            fresh.stretch,
        ]
        return self._reading(fresh, stretches, window_start), _mark(fresh, 0)

    def _lost(self, look: Look, fresh: Look, mark: Mark, window_start: datetime | None) -> tuple[LogReading, Mark]:
        """What was read last is nowhere to be found: everything that changed since is read, and the gap is told."""
        since = datetime.fromisoformat(mark.at).timestamp()
        changed = [f for f in look.siblings if f.changed_at >= since]
        reading = self._reading(fresh, [*(self._stretch(look, f, 0) for f in changed), fresh.stretch], window_start)
        current = _file(look)
        if current.inode == mark.inode and current.size < mark.offset:
            what = f"was cut from {mark.offset} to {current.size} bytes"
        elif current.inode == mark.inode:
            what = "was emptied and written anew"
        else:
            what = "is another file than the one read last, which is not among its rotated files"
        gap = f"log {self.name}: {look.path} {what}; lines since {mark.at} may be missing"
        return replace(reading, gap=gap if reading.gap is None else f"{gap}; {reading.gap}"), _mark(fresh, 0)

    def _heads(self, look: Look, siblings: tuple[File, ...]) -> dict[str, bytes]:
        if not siblings:
            return {}
        marker = f"golive-{secrets.token_hex(8)}"
        heads = parse_heads(self._host.run(heads_script(marker, look.path, siblings)).stdout_bytes, marker)
        if len(heads) != len(siblings):
            raise self._could_not_look(look.path, "its rotated files could not be read")
        return {file.path: head for file, head in zip(siblings, heads, strict=True)}

    def _stretch(self, look: Look, file: File, offset: int) -> Stretch:
        limit = self._config.max_bytes
        said = self._host.run(stretch_script(look.path, file, offset, limit), max_bytes=limit + 1_000_000)
        try:
            return parse_stretch(said.stdout_bytes, limit)
        except Garbled as error:
            raise self._could_not_look(file.path, str(error)) from None

    def _reading(self, look: Look, stretches: list[Stretch], window_start: datetime | None) -> LogReading:
        whole, cut = all(s.whole for s in stretches), any(s.cut for s in stretches)
        kept = [*stretches[:-1], replace(stretches[-1], data=_finished(look))]
        texts = tuple(self._text(look, stretch, window_start) for stretch in kept if stretch.data)
        times = [at for text in texts if (at := text.oldest) is not None]
        limit = f"{self._config.max_bytes / 1e6:g} MB"
        heavy = f"log {self.name}: more than {limit} are new in {look.path}: only lines of WARNING and above were read"
        gap = f"log {self.name}: more than {limit} of grave lines are new in {look.path}; the rest was not read"
        return LogReading(
            sources=(self.name,),
            texts=texts,
            window_start=window_start,
            oldest=min(times, default=None),
            gap=gap if cut else None,
            only_heavy=None if whole else heavy,
        )

    def _text(self, look: Look, stretch: Stretch, window_start: datetime | None) -> LogText:
        clock = Clock(zone=look.zone, now=datetime.fromtimestamp(look.host_now, UTC))
        form = self._config.format
        return LogText(data=stretch.data, source=self.name, clock=clock, form=form, window_start=window_start)

    def _could_not_look(self, path: str, what: str) -> CouldNotLook:
        return CouldNotLook(f"log {self.name}: {path} on host {self._host.name}: {what}")


def _finished(look: Look) -> bytes:
    """The stretch without a last line that is still being written."""
    data = look.stretch.data
    end = data.rfind(b"\n") + 1
    rest = len(data) - end
    is_settled = look.host_now - _file(look).changed_at >= _SETTLED_S
    return data if rest == 0 or is_settled or rest > _LONGEST_UNFINISHED or not look.stretch.whole else data[:end]


def _mark(look: Look, begun_at: int) -> Mark:
    """Where the next look goes on: after the last finished line."""
    file = _file(look)
    offset = begun_at + len(_finished(look)) if look.stretch.whole else file.size
    return Mark(inode=file.inode, offset=offset, head=_hash(look.head), head_bytes=len(look.head), at=_now(look))


def _file(look: Look) -> File:
    if look.current is None:
        raise LookupError(f"{look.path} is not there, which `_look` refuses")
    return look.current


def _now(look: Look) -> str:
    return utc_text(datetime.fromtimestamp(look.host_now, UTC))


def _marks(cursor: Cursor | None) -> dict[str, Mark]:
    """A cursor of another shape (an older version wrote it) counts as none."""
    try:
        return {path: Mark(**mark) for path, mark in (cursor or {})["paths"].items()}
    except (KeyError, TypeError, AttributeError):
        return {}


def _hash(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()[:24]
