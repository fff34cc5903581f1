"""The files of a log on a host: what is fetched of them, and how their bytes become text."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from golive.logs import LogHost
from golive.logs.event import Format
from golive.logs.framing import is_wrapped, unwrapped
from golive.logs.hosted.look import (
    DAMAGED,
    FOLDER,
    File,
    Garbled,
    Look,
    Sample,
    heads_script,
    look_script,
    parse_heads,
    parse_look,
    parse_samples,
    part_script,
    samples_script,
)
from golive.logs.text import LogText
from golive.logs.times import Clock
from golive.model import CouldNotLook

LOCAL_BYTES = 64_000_000
REMOTE_BYTES = 2_000_000
VISIT_BYTES = 1_000_000
"""Most that one look brings along in a host's one visit."""
UNREAD_PACKED = "it cannot be unpacked there, or not to its end"
_LONGEST_UNFINISHED = 1_000_000
_HOLE = re.compile(rb"^\0+", re.MULTILINE)


class Moved(Exception):
    """The file was rotated or emptied while it was read."""


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a log is read: its form, and how many bytes of it may be carried in one look.

    `sparse`: lines are rare, so a file that is older than the window covers it.
    """

    form: Format = "auto"
    carry: int | None = None
    sparse: bool = False

    def carried_from(self, host: LogHost) -> int:
        """Most bytes that are carried from this host."""
        return self.carry or (LOCAL_BYTES if host.is_local else REMOTE_BYTES)


@dataclass(frozen=True, kw_only=True)
class Files:
    """Fetches what is asked of the log `name` on a host. `noun` is what messages call a path, if not by itself."""

    name: str
    host: LogHost
    manner: Manner
    noun: str = ""

    @property
    def limit(self) -> int:
        """Most bytes that are carried at once."""
        return self.manner.carried_from(self.host)

    def look(self, path: str, offset: int) -> Look:
        """The file and its siblings, and what follows `offset`."""
        mark = _marker()
        said = self.host.run(look_script(mark, path, offset, self.limit), max_bytes=self.limit + 2_000_000)
        try:
            return parse_look(said.stdout_bytes, mark, path)
        except (Garbled, ValueError) as error:
            raise self.could_not_look(path, str(error)) from None

    def usable(self, look: Look) -> Look:
        """The look, if the file is there and may be read."""
        if look.problem == FOLDER:
            raise self.could_not_look(look.path, FOLDER)
        if look.current is None:
            rotated = " (rotated files are)" if look.siblings else ""
            raise self.could_not_look(look.path, f"it is not there{rotated}: {look.problem}")
        if look.moved:
            raise Moved
        if look.current.size > 0 and not look.head:
            what = "it is there but may not be read by the user that the suite comes as"
            raise self.could_not_look(look.path, what)
        return look

    def heads(self, look: Look, siblings: tuple[File, ...]) -> dict[str, bytes]:
        """How each sibling begins, by its path."""
        if not siblings:
            return {}
        mark = _marker()
        heads = parse_heads(self.host.run(heads_script(mark, look.path, siblings)).stdout_bytes, mark)
        if len(heads) != len(siblings):
            raise self.could_not_look(look.path, "its rotated files could not be read")
        return {file.path: head for file, head in zip(siblings, heads, strict=True)}

    def samples(self, file: File, offsets: Iterable[int], *, size: int = 4_096) -> tuple[Sample, ...]:
        """Some bytes near each of the offsets, from a little before it on."""
        mark = _marker()
        said = self.host.run(samples_script(mark, file.path, list(offsets), size=size))
        try:
            return parse_samples(said.stdout_bytes, mark)
        except Garbled as error:
            raise self.could_not_look(file.path, str(error)) from None

    def carried(self, look: Look, file: File, begin: int, most: int) -> bytes:
        """Up to `most` bytes from `begin` on. CouldNotLook where there are fewer than there should be."""
        said = self.host.run(part_script(look.path, file, begin, most), max_bytes=most + 100_000)
        data = said.stdout_bytes
        if file.packed(look.path):
            if len(data) < most and DAMAGED in said.stderr_bytes:
                raise self.could_not_look(file.path, UNREAD_PACKED)
        elif len(data) < min(most, file.size - begin):
            if file.path == look.path:
                raise Moved
            what = f"only {len(data)} of {file.size - begin} bytes could be read"
            raise self.could_not_look(file.path, what)
        return data

    def text(
        self, look: Look, data: bytes, window_start: datetime | None = None, *, settled: bool = True
    ) -> tuple[LogText, int]:
        """Whole lines as text, and how many of the bytes they are; `settled`: nothing is being written any more."""
        finished = _finished(data, settled=settled)
        taken = len(finished)
        if is_wrapped(look.head):
            out = unwrapped(finished, to_the_end=settled)
            finished, taken = out.data, out.consumed
        return replace(self.empty(look, window_start), data=_without_hole(finished)), taken

    def empty(self, look: Look, window_start: datetime | None = None) -> LogText:
        """Text without a line, by which others of this log are made."""
        clock = Clock(zone=look.zone, now=datetime.fromtimestamp(look.host_now, UTC))
        return LogText(
            data=b"",
            source=self.name,
            clock=clock,
            form=self.manner.form,
            window_start=window_start,
            framed=is_wrapped(look.head),
        )

    def called(self, path: str) -> str:
        """How a path is named in messages."""
        return self.noun or path

    def could_not_look(self, path: str, what: str) -> CouldNotLook:
        """The error that says so."""
        return CouldNotLook(f"log {self.name}: {self.called(path)} on host {self.host.name}: {what}")


def _finished(data: bytes, *, settled: bool) -> bytes:
    """The bytes without a last line that is still being written."""
    end = data.rfind(b"\n") + 1
    rest = len(data) - end
    return data if rest == 0 or settled or rest > _LONGEST_UNFINISHED else data[:end]


def _without_hole(data: bytes) -> bytes:
    """Where a file was emptied whose writer goes on at its old place, zeros stand before the next line."""
    return _HOLE.sub(b"", data) if b"\0\0" in data else data


def _marker() -> str:
    return f"golive-{secrets.token_hex(8)}"
