"""JSON lines in a service's log file: one object a line, rotated at 5 MB, five old files kept.

Python's own rotating handler is not used because the file may be moved away or cut from outside (that is what log
rotation on a real host does), and the next line has to land in a fresh file at once.
"""

from __future__ import annotations

import json
import os
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path

from demo.services import misbehave

ROTATE_AT_BYTES = 5_000_000
OLD_FILES = 5


def utc_now() -> str:
    """Now as `2026-11-21T10:15:00.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Journal:
    """The log of one service. Safe for threads."""

    def __init__(self, service: str, folder: Path) -> None:
        self.service = service
        self.path = folder / f"{service}.log"
        self._lock = threading.Lock()
        self._descriptor = -1
        self._inode = -1

    def info(self, message: str, event: str, **fields: object) -> None:
        """Something that is as it should be."""
        self._write("INFO", message, event, fields)

    def warning(self, message: str, event: str, **fields: object) -> None:
        """Something that somebody may want to look at."""
        self._write("WARNING", message, event, fields)

    def error(self, message: str, event: str, **fields: object) -> None:
        """Something that went wrong."""
        self._write("ERROR", message, event, fields)

    def exception(self, message: str, event: str, error: BaseException, **fields: object) -> None:
        """An error nobody expected, with its stack trace in the field `exception`."""
        trace = "".join(traceback.format_exception(error))
        self._write("ERROR", message, event, {**fields, "exception": trace})

    def _write(self, level: str, message: str, event: str, fields: dict[str, object]) -> None:
        if misbehave.writes_no_log(self.service):
            return
        line = {"time": utc_now(), "level": level, "service": self.service, "message": message, "event": event}
        data = (json.dumps({**line, **fields}, ensure_ascii=False, default=str) + "\n").encode()
        with self._lock:
            if self._size_of_open_file() + len(data) > ROTATE_AT_BYTES:
                self._rotate()
            os.write(self._descriptor, data)

    def _size_of_open_file(self) -> int:
        """Size in bytes; opens the file first when it is new, or no longer the one that the path names."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            found = None
        if found is None or found.st_ino != self._inode:
            self._open()
            found = os.fstat(self._descriptor)
        return found.st_size

    def _open(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._inode = os.fstat(self._descriptor).st_ino

    def _rotate(self) -> None:
        for number in range(OLD_FILES - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._open()
