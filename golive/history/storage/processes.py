"""Who judges a run, and whether that process is still there."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A process as others can recognise it.

    `machine` tells which process table `pid` belongs to: the machine since it was booted, and the process namespace
    (two containers on one machine may both have a process 7). `start` is when it began, in clock ticks since boot, or
    0 where the system does not tell: a pid is given to another process sooner or later.
    """

    host: str
    machine: str
    pid: int
    start: int

    def as_data(self) -> dict[str, Any]:
        """Plain data for the history."""
        return asdict(self)


def process(pid: int | None = None) -> Process:
    """The process `pid` of this machine, or this one."""
    wanted = os.getpid() if pid is None else pid
    return Process(host=platform.node(), machine=_machine(), pid=wanted, start=_start(wanted) or 0)


def is_gone(data: dict[str, Any]) -> bool | None:
    """Whether the process of `as_data` has ended; None where this machine cannot know, as it ran on another one."""
    if data.get("machine") != _machine():
        return None
    pid, start = int(data["pid"]), int(data["start"])
    found = _start(pid)
    if found is None or not start:
        return not _exists(pid)
    return found != start


def _machine() -> str:
    """Boot and process namespace on Linux, elsewhere the name of the host."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()


def _start(pid: int) -> int | None:
    """Field 22 of `/proc/PID/stat` (proc(5)); the name in parentheses before it may hold anything. A zombie is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return -1 if fields[0] in ("Z", "X") else int(fields[19])


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
