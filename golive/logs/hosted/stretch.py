"""A stretch of a log file that is counted on the host, and the lines around the critical ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from golive.logs import levels
from golive.logs.event import LogEvent
from golive.logs.framing import is_wrapped
from golive.logs.hosted import counting
from golive.logs.hosted.countable import Countable
from golive.logs.hosted.counted import Around, Counted, Understood, events_of
from golive.logs.hosted.files import Files, Moved
from golive.logs.hosted.look import File, Look, Sample, opened_from
from golive.logs.sought import Sought

_UNPACKED = 12
_WITH_CONTEXT = 5
_AROUND = 3
_AROUND_BYTES = 4_096


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A file from `begin` to `end` (0 where the length of a packed file is not known), with samples of it.

    `window_start` is set where lines from before the window may be in it.
    """

    files: Files
    look: Look
    file: File
    begin: int
    end: int
    samples: tuple[Sample, ...]
    window_start: datetime | None = None

    def counted(self, sought: Collection[Sought]) -> tuple[Counted, str | None]:
        """What the host counts, with the lines that are sought; and what could not be told there, if anything."""
        countable = self._countable
        piece, told, picked = countable.counted(sought)
        whole = replace(
            piece,
            around=self._around(picked, told.kept.heavy, countable),
            first=self.files.text(self.look, self.samples[0].data)[0].oldest,
            last=self.files.text(self.look, self.samples[-1].data)[0].newest,
        )
        return whole, self._uncounted(told, countable.why)

    @property
    def _countable(self) -> Countable:
        path, size = self.file.path, self.end - self.begin if self.end else self.file.size * _UNPACKED
        return Countable(
            host=self.files.host,
            origin=self._origin,
            like=self.files.empty(self.look, self.window_start),
            size=size,
            told=self.files.called(path),
            samples=[sample.data for sample in self.samples],
            error=lambda what: self.files.could_not_look(path, what),
            wrapped=is_wrapped(self.look.head),
            require_same=self._require_same,
        )

    @property
    def _origin(self) -> counting.Origin:
        command = opened_from(self.look.path, self.file, self.begin)
        if self.end:
            command += f" | head -c {self.end - self.begin}"
        is_direct = self.begin == 0 and self.end > 0 and not self.file.packed(self.look.path)
        return counting.Origin(
            command=command,
            path=self.file.path if is_direct else "",
            length=self.end if is_direct else 0,
            watched=self.file.path,
        )

    def _require_same(self, after: counting.After) -> None:
        """A file that was rotated or emptied while it was counted is looked at again."""
        is_current = self.file.path == self.look.path
        if is_current and (after.inode != self.file.inode or after.size < self.end):
            raise Moved

    def _uncounted(self, told: Understood, why: str) -> str | None:
        if told.uncounted:
            return f"{why}, and the level of {told.uncounted} lines could not be told there"
        if told.tally is not None and self.window_start is not None:
            return f"{why}, also from before the window, since it is packed and larger than what is carried"
        return None

    def _around(self, picked: counting.Picked, heavy: Sequence[LogEvent], countable: Countable) -> Mapping[str, Around]:
        """The lines around the last critical ones, by what the critical line says."""
        critical = {event.raw.partition("\n")[0] for event in heavy if event.level == levels.CRITICAL}
        lines = [*picked.lines, *(line for one in picked.classes or () for line in one.lines)] if critical else []
        raws = [(line, events_of([line], countable.like, wrapped=countable.wrapped)[0].raw) for line in lines]
        wanted = sorted((pair for pair in raws if pair[1] in critical), key=lambda pair: pair[0].place)
        return self._around_all(wanted[-_WITH_CONTEXT:], countable) if wanted else {}

    def _around_all(self, wanted: Sequence[tuple[counting.Line, str]], countable: Countable) -> Mapping[str, Around]:
        """What stands around each of these lines, by what it says."""
        if any(not line.size for line, _ in wanted) or self.file.packed(self.look.path):
            return {raw: self._around_number(line, countable) for line, raw in wanted if not line.size}
        places = [max(self.begin, self.begin + line.place - _AROUND_BYTES) for line, _ in wanted]
        size = 4 * _AROUND_BYTES + max(len(line.data) for line, _ in wanted)
        samples = self.files.samples(self.file, places, size=size)
        return {raw: self._around_offset(self.begin + line.place, samples, countable) for line, raw in wanted}

    def _around_number(self, line: counting.Line, countable: Countable) -> Around:
        numbers = f"{max(1, line.place - _AROUND)},{line.place + _AROUND}"
        script = f"{countable.origin.command} | sed -n '{numbers}p' | cut -b-{_AROUND_BYTES}"
        lines = self.files.host.run(script, timeout_s=countable.limit_s).stdout_bytes.split(b"\n")
        at = min(_AROUND, line.place - 1)
        return self._around_lines(lines[:at], lines[at + 1 :], countable)

    def _around_offset(self, place: int, samples: Sequence[Sample], countable: Countable) -> Around:
        last = max((sample for sample in samples if sample.offset <= place), key=lambda one: one.offset, default=None)
        if last is None:
            return Around()
        data, at = last.data, place - last.offset
        start = 0 if last.offset <= self.begin else data.find(b"\n") + 1
        end = data.rfind(b"\n") + 1
        return self._around_lines(data[start:at].split(b"\n")[:-1], data[at:end].split(b"\n")[1:-1], countable)

    def _around_lines(self, before: Sequence[bytes], after: Sequence[bytes], countable: Countable) -> Around:
        return Around(before=self._raws(before[-_AROUND:], countable), after=self._raws(after[:_AROUND], countable))

    @staticmethod
    def _raws(texts: Sequence[bytes], countable: Countable) -> tuple[str, ...]:
        lines = (counting.Line(place=0, data=text) for text in texts if text)
        return tuple(event.raw for event in events_of(lines, countable.like, wrapped=countable.wrapped))
