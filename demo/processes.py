"""Which processes belong to a demo, found without trusting any record of pids: those may be stale or used again.

A process is a member when its environment carries the marker that only `environment()` sets, or when it is one of the
servers that overwrite their environment with a title (PostgreSQL, nginx, Redis) and works inside the demo's folders.
A shell that merely stands in such a folder, or has `GOLIVE_DEMO_DIR` set, is neither. Needs Linux's /proc.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.state import DIRECTORY_VARIABLE

MARKER = "GOLIVE_DEMO_MEMBER"
SUPERVISOR = "supervisord"
_TITLED = frozenset({"postgres", "nginx", "redis-server"})
_INHERITED = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")


@dataclass(frozen=True, kw_only=True)
class Process:
    """A live process of a demo. `service` is its name under supervisord, as far as it can still be told."""

    pid: int
    service: str | None


def environment(directory: Path) -> dict[str, str]:
    """The whole environment of every process of the demo: nothing of the caller's but what a program cannot do without.

    A PGHOST, a proxy or a CI token of the caller must neither steer the services nor be readable in them.
    """
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        "PYTHONUNBUFFERED": "1",
        DIRECTORY_VARIABLE: str(directory),
        MARKER: str(directory),
    }


def spawn(directory: Path, command: Sequence[str], *, output: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a process that belongs to the demo, in a session of its own: `down` will find and end it.

    What it prints goes to the file `output`, or nowhere.
    """
    with open(output or os.devnull, "ab", opener=_private) as file:
        return subprocess.Popen(
            command,
            env=environment(directory),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
        )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def members(places: Sequence[Path]) -> list[Process]:
    """The processes of the demo whose folders these are (the state directory first); supervisord comes first."""
    found = [process for pid in _pids() if (process := _member(pid, places)) is not None]
    return sorted(found, key=lambda process: process.service != SUPERVISOR)


def kill(places: Sequence[Path], *, patience_s: float = 1.0, timeout_s: float = 10.0) -> int:
    """End every member and return how many there were; asks (SIGTERM), then insists (SIGKILL).

    supervisord is killed at once, for it would start the others again. Raises TimeoutError if some cannot be ended.
    """
    begun = time.monotonic()
    seen: set[int] = set()
    asked: set[int] = set()
    while left := members(places):
        waited_s = time.monotonic() - begun
        if waited_s > timeout_s:
            raise TimeoutError(f"processes {', '.join(str(one.pid) for one in left)} cannot be ended")
        for process in left:
            seen.add(process.pid)
            if process.service == SUPERVISOR or waited_s > patience_s:
                _send(process.pid, signal.SIGKILL, places)
            elif process.pid not in asked:
                asked.add(process.pid)
                _send(process.pid, signal.SIGTERM, places)
        time.sleep(0.02)
    return len(seen)


def runs_with(pid: int, argument: str) -> bool:
    """Whether the process is alive and was started with that argument; a pid used again by another program is not."""
    try:
        return argument.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def python_command() -> list[str]:
    """The interpreter for the demo's own programs; -P keeps the working directory out of the import path."""
    return [sys.executable, "-P"]


def _pids() -> Iterator[int]:
    own = os.getpid()
    yield from (int(name) for name in os.listdir("/proc") if name.isdecimal() and int(name) != own)  # noqa: PTH208


def _member(pid: int, places: Sequence[Path]) -> Process | None:
    """The process if it is a member; one that is gone, a zombie or another user's is not."""
    with contextlib.suppress(OSError):
        values = _environ(pid)
        if values.get(MARKER) == str(places[0]):
            return Process(pid=pid, service=_service(pid, values))
        program = _target(pid, "exe").name
        if program in _TITLED:
            cwd = _target(pid, "cwd")
            if any(cwd.is_relative_to(place) for place in places):
                return Process(pid=pid, service={"nginx": "frontend", "redis-server": "redis"}.get(program, program))
    return None


def _target(pid: int, link: str) -> Path:
    return Path(str(Path(f"/proc/{pid}/{link}").readlink()).removesuffix(" (deleted)"))


def _environ(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return {name: value for name, _, value in (entry.partition("=") for entry in entries)}


def _service(pid: int, values: dict[str, str]) -> str | None:
    if "SUPERVISOR_PROCESS_NAME" in values:
        return values["SUPERVISOR_PROCESS_NAME"]
    return SUPERVISOR if b"supervisor.supervisord" in Path(f"/proc/{pid}/cmdline").read_bytes() else None


def _send(pid: int, number: signal.Signals, places: Sequence[Path]) -> None:
    """Signal through a handle taken before the last look, so that a pid given to another process is never hit."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if _member(pid, places) is not None:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        pass  # it ended by itself
    finally:
        os.close(handle)
