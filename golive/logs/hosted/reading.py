"""One log file on a host, read on from where it was left: through rotation, truncation and recreation.

A mark holds the inode, how far it was read, and a hash of the file's first bytes. The hash
finds a rotated file again under another name, copied or compressed, and tells a file that
was emptied and filled anew from one that only grew. What is new is carried while it is
little; beyond that it is counted on the host.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from golive.logs import LogReading, Piece
from golive.logs.hosted.files import Files, Moved
from golive.logs.hosted.look import File, Look, Sample
from golive.logs.hosted.mark import Mark, hash_of
from golive.logs.hosted.stretch import Stretch
from golive.logs.hosted.window import TOLERANCE, window_begin
from golive.logs.hosted.zones import foreign_zone
from golive.logs.sought import Sought
from golive.logs.text import LogText
from golive.model import utc_text

_SETTLED_S = 2
_ATTEMPTS = 3
_CLOCK_JUMP_S = 5.0
_SAMPLED = 200_000


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What came of one file: how it reads, up to which offset, and what could not be told."""

    pieces: tuple[Piece, ...] = ()
    end: int = 0
    gap: str | None = None


@dataclass(frozen=True, kw_only=True)
class FileReader:
    """Reads one path and its rotated siblings."""

    files: Files
    sought: Collection[Sought] = field(default=(), hash=False)

    def read(
        self, path: str, mark: Mark | None, window_start: datetime | None, first: Look | None = None
    ) -> tuple[LogReading, Mark]:
        """What is new since `mark`, or without one since `window_start`; `first` is a look that was taken already."""
        for _ in range(_ATTEMPTS):
            look, first = first or self.files.look(path, mark.offset if mark else 0), None
            try:
                return self._read(self.files.usable(look), mark, window_start)
            except Moved:
                continue
        raise self.files.could_not_look(path, f"it was rotated while it was read, {_ATTEMPTS} times in a row")

    def _read(self, look: Look, mark: Mark | None, window_start: datetime | None) -> tuple[LogReading, Mark]:
        if mark is None:
            return self._first(look, window_start)
        if _file(look).inode == mark.inode and mark.is_of(look.head) and _file(look).size >= mark.offset:
            current = self._current(look, mark.offset, None)
            return self._reading(look, [current], mark), _mark(look, current.end)
        return self._after_rotation(look, mark)

    def _first(self, look: Look, window_start: datetime | None) -> tuple[LogReading, Mark]:
        """Without a mark: the current file, and those siblings that the window reaches into."""
        since = window_start.timestamp() if window_start else 0.0
        reached = [file for file in look.siblings if file.changed_at >= since]
        oldest = self._oldest(look)
        if window_start is not None and oldest is not None and oldest <= window_start:
            reached = []
        current = self._current(look, 0, window_start)
        parts = [*(self._part(look, file, 0, window_start) for file in reached), current]
        reading = self._reading(look, _from_the_window_on(parts), None)
        oldest = min(filter(None, [oldest, reading.oldest]), default=None)
        reading = replace(reading, oldest=oldest, window_start=window_start)
        if window_start is not None and reading.gap is None and len(reached) == len(look.siblings):
            reading = replace(reading, gap=self._missing_before(look, oldest, window_start))
        if window_start is not None:
            foreign = self._foreign_zone(look, window_start)
            reading = replace(reading, gap="; ".join(filter(None, [foreign, reading.gap])) or None)
        return reading, _mark(look, current.end)

    def _foreign_zone(self, look: Look, window_start: datetime) -> str | None:
        """Why the window cannot be found by the times of the lines; of an empty file, by those of the one before it."""
        file = _file(look)
        if file.size == 0:
            return self._foreign_zone_before(look, window_start)
        data = look.data if look.data is not None else look.samples[-1].data if look.samples else b""
        text, _ = self.files.text(look, data, settled=look.host_now - file.changed_at >= _SETTLED_S)
        return self._told_foreign(text, file, window_start)

    def _foreign_zone_before(self, look: Look, window_start: datetime) -> str | None:
        last = next(iter(look.siblings[-1:]), None)
        if last is None or last.packed(look.path) or last.changed_at < window_start.timestamp():
            return None
        begin = max(0, last.size - _SAMPLED)
        text, _ = self.files.text(look, self.files.carried(look, last, begin, _SAMPLED))
        return self._told_foreign(text, last, window_start)

    def _told_foreign(self, text: LogText, file: File, window_start: datetime) -> str | None:
        found = foreign_zone(text, file.changed_at, window_start)
        return found and f"log {self.files.name}: {self.files.called(file.path)} {found}"

    def _oldest(self, look: Look) -> datetime | None:
        """Time of the first line of the current file that tells one."""
        data = look.data if look.data is not None else look.samples[0].data if look.samples else b""
        return self.files.text(look, data)[0].oldest

    def _missing_before(self, look: Look, oldest: datetime | None, window_start: datetime) -> str | None:
        """Why lines of the window may be gone although all files that are left were read; None if none can be."""
        where = f"log {self.files.name}: {self.files.called(look.path)}"
        if oldest is not None and oldest <= window_start + TOLERANCE:
            return None
        start = (window_start + TOLERANCE).timestamp()
        file = _file(look)
        is_older = self.files.manner.sparse and file.born_at is not None and file.born_at <= start
        if not look.siblings and (is_older or file.changed_at <= start):
            return None
        window = f"the window begins {utc_text(window_start)}"
        if oldest is not None:
            return f"{where}: the oldest retained line is from {utc_text(oldest)}, {window}"
        if file.size == 0:
            changed = datetime.fromtimestamp(file.changed_at, UTC)
            return f"{where}: is empty and was last changed {utc_text(changed)}, {window}"
        return f"{where}: its lines carry no time, so whether they reach back to the window cannot be told"

    def _after_rotation(self, look: Look, mark: Mark) -> tuple[LogReading, Mark]:
        """The file that was read last is looked for among the siblings; everything younger is read after its rest."""
        heads = self.files.heads(look, look.siblings)
        same = [f for f in look.siblings if mark.is_of(heads[f.path]) and (mark.head_bytes or f.inode == mark.inode)]
        found = next((f for f in same if f.inode == mark.inode), None) or next(iter(same), None)
        fresh = self.files.usable(self.files.look(look.path, 0))
        if _file(fresh).inode != _file(look).inode:
            raise Moved
        if found is None:
            return self._lost(look, fresh, mark)
        younger = look.siblings[look.siblings.index(found) + 1 :]
        parts = [self._part(look, found, mark.offset, None), *(self._part(look, f, 0, None) for f in younger)]
        current = self._current(fresh, 0, None)
        return self._reading(fresh, [*parts, current], mark), _mark(fresh, current.end)

    def _lost(self, look: Look, fresh: Look, mark: Mark) -> tuple[LogReading, Mark]:
        """What was read last is nowhere to be found: everything that changed since is read, and the gap is told."""
        since = datetime.fromisoformat(mark.at).timestamp()
        parts = [self._part(look, f, 0, None) for f in look.siblings if f.changed_at >= since]
        current = self._current(fresh, 0, None)
        reading = self._reading(fresh, [*parts, current], mark)
        file = _file(look)
        if file.inode == mark.inode and file.size < mark.offset:
            what = f"was cut from {mark.offset} to {file.size} bytes"
        elif file.inode == mark.inode:
            what = "was emptied and written anew"
        else:
            what = "is another file than the one read last, which is not among its rotated files"
        gap = f"log {self.files.name}: {self.files.called(look.path)} {what}; lines since {mark.at} may be missing"
        whole = gap if reading.gap is None else f"{gap}; {reading.gap}"
        return replace(reading, gap=whole), _mark(fresh, current.end)

    def _current(self, look: Look, begin: int, window_start: datetime | None) -> _Part:
        """The current file from `begin` on."""
        file = _file(look)
        settled = look.host_now - file.changed_at >= _SETTLED_S
        if window_start is not None and settled and file.changed_at < int(window_start.timestamp()):
            return _Part(end=file.size)
        data, start = look.data, begin
        if data is None:
            end = _last_line_end(look.samples, file.size, settled=settled)
            if window_start is not None and end - begin > self.files.limit:
                start = window_begin(self.files, look, file, (begin, end), window_start)
            if end - start > self.files.limit:
                return self._counted(look, file, (start, end), look.samples)
            data = self.files.carried(look, file, start, end - start)
        elif len(data) < file.size - begin:
            raise Moved
        text, taken = self.files.text(look, data, window_start, settled=settled)
        return _Part(pieces=(text,) if text.data else (), end=start + taken)

    def _part(self, look: Look, file: File, begin: int, window_start: datetime | None) -> _Part:
        """A rotated file from `begin` on; it will not grow any more."""
        if not file.packed(look.path) and file.size - begin > self.files.limit:
            if window_start is not None:
                begin = window_begin(self.files, look, file, (begin, file.size), window_start)
            offsets = (begin + (file.size - begin) // 4 * n for n in range(4))
            samples = self.files.samples(file, offsets)
            if not any(sample.data for sample in samples):
                raise self.files.could_not_look(file.path, "it is there but may not be read")
            return self._counted(look, file, (begin, file.size), samples)
        data = self.files.carried(look, file, begin, self.files.limit + 1)
        if len(data) > self.files.limit:
            samples = (Sample(offset=0, data=data[:_SAMPLED]),)
            return self._counted(look, file, (begin, 0), samples, window_start)
        text, _ = self.files.text(look, data, window_start)
        return _Part(pieces=(text,) if text.data else ())

    def _counted(
        self,
        look: Look,
        file: File,
        span: tuple[int, int],
        samples: tuple[Sample, ...],
        window_start: datetime | None = None,
    ) -> _Part:
        stretch = Stretch(
            files=self.files,
            look=look,
            file=file,
            begin=span[0],
            end=span[1],
            samples=samples,
            window_start=window_start,
        )
        piece, gap = stretch.counted(self.sought)
        return _Part(pieces=(piece,), end=span[1], gap=gap)

    def _reading(self, look: Look, parts: list[_Part], mark: Mark | None) -> LogReading:
        pieces = tuple(piece for part in parts for piece in part.pieces)
        gaps = [part.gap for part in parts if part.gap]
        return LogReading(
            sources=(self.files.name,),
            pieces=pieces,
            oldest=min((at for piece in pieces if (at := piece.oldest) is not None), default=None),
            gap="; ".join(gaps) or None,
            remarks=(*self._jumped(look, mark), *self._set_back(pieces)),
        )

    def _jumped(self, look: Look, mark: Mark | None) -> tuple[str, ...]:
        """Whether the host's clock was set since the last look, as ours tells."""
        if mark is None or not mark.seen:
            return ()
        try:
            theirs = look.host_now - datetime.fromisoformat(mark.at).timestamp()
            off = theirs - (time.time() - datetime.fromisoformat(mark.seen).timestamp())
        except ValueError:
            return ()
        way = "forward" if off > 0 else "back"
        clock = f"the clock of host {self.files.host.name} was set {way} by {abs(off):.0f} s"
        return (f"log {self.files.name}: {clock} since {mark.at}",) if abs(off) > _CLOCK_JUMP_S else ()

    def _set_back(self, pieces: Sequence[Piece]) -> tuple[str, ...]:
        found = [back for piece in pieces if isinstance(piece, LogText) and (back := piece.set_back) is not None]
        if not found:
            return ()
        return (f"log {self.files.name}: the times of its lines go back by {max(found).total_seconds():.0f} s",)


def _from_the_window_on(parts: list[_Part]) -> list[_Part]:
    """Once the window has begun in a file, all of what comes after it is within."""
    begun = False
    found = []
    for part in parts:
        pieces = tuple(_without_window(piece) if begun else piece for piece in part.pieces)
        begun = begun or any(isinstance(piece, LogText) and piece.begins_within for piece in part.pieces)
        found.append(replace(part, pieces=pieces))
    return found


def _without_window(piece: Piece) -> Piece:
    return replace(piece, window_start=None) if isinstance(piece, LogText) else piece


def _last_line_end(samples: tuple[Sample, ...], size: int, *, settled: bool) -> int:
    """The offset behind the last finished line; the whole file where that is none, or nothing more will come."""
    last = samples[-1] if samples else Sample(offset=size, data=b"")
    end = last.data.rfind(b"\n") + 1
    return size if settled or end == 0 else last.offset + end


def _mark(look: Look, end: int) -> Mark:
    """Where the next look goes on: after the last finished line."""
    return Mark(
        inode=_file(look).inode,
        offset=end,
        head=hash_of(look.head),
        head_bytes=len(look.head),
        at=utc_text(datetime.fromtimestamp(look.host_now, UTC)),
        seen=utc_text(datetime.now(UTC)),
    )


def _file(look: Look) -> File:
    if look.current is None:
        raise LookupError(f"{look.path} is not there, which `Files.usable` refuses")
    return look.current
