"""A log file on a host, read where it is: only what is new, through rotation, truncation and recreation."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from datetime import datetime

from pydantic import Field

from golive.environment.params import HostRef, Size
from golive.environment.sections import LogSection
from golive.logs import Cursor, LogHost, LogReading, Opening, Reach, Said, merged
from golive.logs.event import Format
from golive.logs.hosted.files import VISIT_BYTES, Files, Manner
from golive.logs.hosted.look import Garbled, Look, look_text, parse_look
from golive.logs.hosted.mark import marks_of
from golive.logs.hosted.reading import FileReader
from golive.logs.sought import Sought


class Config(LogSection):
    """A log file on a host; its rotated siblings (`path.1`, `path.2.gz`, `path-20260501`) are found by themselves."""

    host: HostRef
    path: str | tuple[str, ...] = Field(description="path of the file, or several that are one source")
    format: Format = Field("auto", description="auto looks at every line; text never takes a line for JSON")
    max_bytes: Size | None = Field(
        None,
        description="most that is carried in one look (2 MB, of a local host 64 MB); what is more is counted there",
    )
    sparse: bool = Field(
        False,
        description="lines are rare (an error log): a file older than the window covers it, however young its lines",
    )


def open_source(name: str, config: Config, reach: Reach) -> FileSource:
    """The source; its host is reached at the first look."""
    return FileSource(name, config, reach.host_of(config.host))


class FileSource:
    """The file or files of one source on one host."""

    def __init__(self, name: str, config: Config, host: LogHost) -> None:
        self.name = name
        self._config = config
        self._host = host
        self._manner = Manner(form=config.format, carry=config.max_bytes, sparse=config.sparse)
        self._paths = (config.path,) if isinstance(config.path, str) else config.path

    def opening(self, since: Cursor | None, window_start: datetime | None) -> Opening:  # noqa: ARG002
        """See `LogSource.opening`; the window matters only to what is read of it."""
        marks, mark = marks_of((since or {}).get("paths")), Opening.MARK
        carry = min(VISIT_BYTES, self._manner.carried_from(self._host))
        looks = "".join(
            f"printf '%s\\n' {mark}-next; P={shlex.quote(path)}; O={marks[path].offset if path in marks else 0}\n"
            f"{look_text(mark, carry)}"
            for path in self._paths
        )
        return Opening(host=self._config.host, script=looks)

    def read(
        self,
        since: Cursor | None,
        window_start: datetime | None,
        *,
        sought: Collection[Sought] = (),
        said: Said | None = None,
    ) -> tuple[LogReading, Cursor]:
        """See `LogSource.read`."""
        reader = FileReader(files=Files(name=self.name, host=self._host, manner=self._manner), sought=tuple(sought))
        marks = marks_of((since or {}).get("paths"))
        readings, cursor = [], {}
        for path, look in zip(self._paths, self._looks(said), strict=True):
            reading, mark = reader.read(path, marks.get(path), window_start, look)
            readings.append(reading)
            cursor[path] = mark.as_data()
        return merged(readings), {"kind": "file", "paths": cursor}

    def _looks(self, said: Said | None) -> list[Look | None]:
        """The looks that were taken already, one for each path; None for one that has to be taken (again)."""
        if said is None:
            return [None] * len(self._paths)
        parts = said.output.split(f"{said.mark}-next\n".encode())[1:]
        try:
            looks = [parse_look(part, said.mark, path) for path, part in zip(self._paths, parts, strict=True)]
        except (Garbled, ValueError):
            return [None] * len(self._paths)
        return list(looks)
