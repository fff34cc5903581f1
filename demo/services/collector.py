"""The log collector: reads every `logs/*.log` as it grows and answers queries about the last 20,000 lines.

It is a stand-in for Grafana Loki, which cannot be had from PyPI: it speaks the part of Loki's HTTP API that is listed
in `Library.answer`, in the documented shapes, and nothing more. Labels are `job` (the file's name without `.log`) and
`filename`.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from demo.services import misbehave
from demo.services.journal import Journal
from demo.services.logql import Entry, Query, QueryError, parse, time_ns
from demo.services.rest import Answer, serve
from demo.settings import load

LOOK_EVERY_S = 0.1
KEPT = 20_000
_LONGEST_LINE = 64 * 1024
_HOUR_NS = 3600 * 10**9
_DEFAULT_LIMIT, _MOST = 100, 5000


class Follower:
    """Reads one growing file, through rotation (the rest of the old file first) and truncation."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""

    def new_lines(self) -> Iterator[str]:
        """Whole lines that came since the last call; a line that is still being written waits."""
        yield from self._read()
        if self._was_replaced():
            self._open()
            yield from self._read()

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _was_replaced(self) -> bool:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        if self._file is None or found.st_ino != os.fstat(self._file.fileno()).st_ino:
            return True
        return found.st_size < self._file.tell()

    def _open(self) -> None:
        self.close()
        self._file = self._path.open("rb")
        self._rest = b""

    def _read(self) -> Iterator[str]:
        if self._file is None:
            return
        data = self._rest + self._file.read()
        *whole, self._rest = data.split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        for line in whole:
            if line:
                yield line[:_LONGEST_LINE].decode("utf-8", "replace")


class Library:
    """The lines of all files. Safe for threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._followers: dict[Path, Follower] = {}
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def look(self) -> None:
        """Take in what is new in all files."""
        for path in sorted(self._folder.glob("*.log")):
            follower = self._followers.setdefault(path, Follower(path))
            labels = {"job": path.stem, "filename": str(path)}
            new = [Entry(at_ns=_stamp(line), labels=labels, line=line) for line in follower.new_lines()]
            with self._lock:
                self._entries.extend(new)

    def answer(self, path: str, query: Mapping[str, str]) -> Answer:
        """Loki's HTTP API: readiness, labels, their values, and queries of lines over a range of time."""
        if path == "/ready":
            return 200, "ready\n"
        if path == "/loki/api/v1/labels":
            return 200, {"status": "success", "data": ["filename", "job"]}
        if path.startswith("/loki/api/v1/label/") and path.endswith("/values"):
            name = path.split("/")[-2]
            with self._lock:
                values = {entry.labels[name] for entry in self._entries if name in entry.labels}
            return 200, {"status": "success", "data": sorted(values)}
        if path == "/loki/api/v1/query_range":
            try:
                return 200, self._query_range(query)
            except (QueryError, ValueError) as error:
                return 400, f"{error}\n"
        return 404, "404 page not found\n"

    def _query_range(self, query: Mapping[str, str]) -> dict[str, object]:
        now_ns = time.time_ns()
        end = time_ns(query["end"]) if "end" in query else now_ns
        start = time_ns(query["start"]) if "start" in query else end - _HOUR_NS
        limit = int(query.get("limit", _DEFAULT_LIMIT))
        if not 0 < limit <= _MOST:
            raise QueryError(f"limit has to be from 1 to {_MOST}")
        newest_first = query.get("direction", "backward").lower() == "backward"
        found = self._find(parse(query.get("query", "")), start, end)
        found.sort(key=lambda entry: entry.at_ns, reverse=newest_first)
        streams: dict[str, tuple[Mapping[str, str], list[list[str]]]] = {}
        for entry in found[:limit]:
            _, values = streams.setdefault(entry.labels["filename"], (entry.labels, []))
            values.append([str(entry.at_ns), entry.line])
        result = [{"stream": labels, "values": values} for labels, values in streams.values()]
        return {"status": "success", "data": {"resultType": "streams", "result": result, "stats": {}}}

    def _find(self, query: Query, start_ns: int, end_ns: int) -> list[Entry]:
        with self._lock:
            entries = list(self._entries)
        return [entry for entry in entries if start_ns <= entry.at_ns < end_ns and query.wants(entry)]


def _stamp(line: str) -> int:
    """The time a JSON line says it was written, in ns since 1970, else now."""
    _, mark, rest = line.partition('"time": "')
    if not mark:
        _, mark, rest = line.partition('"time":"')
    if mark and line.startswith("{"):
        try:
            return int(datetime.fromisoformat(rest.partition('"')[0]).timestamp() * 1000) * 10**6
        except ValueError:
            pass
    return time.time_ns()


def main() -> None:
    """Collect until a signal ends the process."""
    settings = load()
    journal = Journal("collector", settings.logs)
    library = Library(settings.logs)
    serve(settings.ports.collector, library.answer)
    journal.info("started", "service.started")
    while True:
        if not misbehave.is_on("collector-stalled"):
            try:
                library.look()
            except OSError as error:
                journal.error(f"cannot read the logs: {type(error).__name__}", "logs.unreadable")
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
