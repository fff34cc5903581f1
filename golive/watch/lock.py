"""Who keeps a watch on this machine: one process at a time, and the run that it started.

Both locks are held by open files (`flock`), so that they vanish with their holder, however it ends. They hold on one
machine; on a network file system only as far as that passes them on.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import platform
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from golive.model import utc_text


class AlreadyKept(Exception):
    """Another process keeps this watch; the message says which."""


class Lock:
    """A lock that is held from `take` to `release`, or as long as a process that inherited `descriptor` lives."""

    def __init__(self, file: Path, descriptor: int) -> None:
        self.file = file
        self.descriptor = descriptor

    @classmethod
    def take(cls, file: Path, *, now: datetime, what: str) -> Self:
        """Hold `file`, which tells others who does and `what` for. AlreadyKept; OSError if it cannot be written."""
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyKept(_told(_content(file))) from None
        except BaseException:
            os.close(descriptor)
            raise
        told = {"what": what, "pid": os.getpid(), "host": platform.node(), "user": _user(), "since": utc_text(now)}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(told).encode(), 0)
        return cls(file, descriptor)

    def release(self) -> None:
        """Let go; nothing happens when that was done before."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder(file: Path) -> str | None:
    """Who holds the lock and what for, in words; None when nobody does."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _told(_content(file))
    finally:
        os.close(descriptor)


def _told(content: dict[str, Any]) -> str:
    if not content:
        return "another process"
    return "{what} by process {pid} of {user} on {host}, since {since}".format_map(content)


def _content(file: Path) -> dict[str, Any]:
    """What the holder wrote; nothing while it is just about to."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.keys() >= {"what", "pid", "user", "host", "since"} else {}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
