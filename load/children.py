"""Processes that make load: each in a session of its own, told its plan on standard input, never left behind.

Their standard input stays open as long as they may run. Where this process is gone, however that came about, it ends,
and they end themselves.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

_KEPT_BYTES = 65_536
"""How much of what a process said is kept: the end of it."""
_CHUNK = 65_536
_LOOK_S = 0.05
_LEFT_S = 1.0
"""How long something that a killed process started may hold its output."""


class Worker(Protocol):
    """One process that makes load, here or elsewhere."""

    name: str

    def exit_code(self) -> int | None:
        """None while it runs."""

    def ask(self) -> None:
        """Ask it to end in order."""

    def end(self) -> None:
        """End it at once, with all that it started. To be called again does nothing."""

    def said(self) -> str:
        """The end of what it printed."""


class Child:
    """A process that was started here. Safe to be ended at any time; its number is never used after its end."""

    def __init__(self, name: str, arguments: Sequence[str], told: bytes, *, cwd: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self._code: int | None = None
        self._said = bytearray()
        self._process = subprocess.Popen(
            list(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(env),
            start_new_session=True,
        )
        self.pid = self._process.pid
        # A long feed does not fit into the pipe, and whoever starts several processes waits for none of them.
        self._telling = _thread(f"plan of {name}", lambda: self._tell(told))
        self._hearing = _thread(f"output of {name}", self._hear)

    def exit_code(self) -> int | None:
        """None while it runs. What it started is ended with it."""
        if self._code is None and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            # It is gone but not yet waited for, so that the number cannot be anybody else's.
            self._signal(signal.SIGKILL)
            self._code = self._process.wait()
        return self._code

    def ask(self) -> None:
        """SIGTERM, upon which locust stops its users and ends in order."""
        if self.exit_code() is None:
            self._signal(signal.SIGTERM)

    def end(self) -> None:
        """SIGKILL to its whole session, and everything closed."""
        if self.exit_code() is None:
            self._signal(signal.SIGKILL)
            self._code = self._process.wait()
        self._close()

    def said(self) -> str:
        """The end of what it printed, as text."""
        return bytes(self._said).decode("utf-8", "replace")

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _tell(self, told: bytes) -> None:
        pipe = self._process.stdin
        with suppress(OSError):  # it ended before it had heard all, which its exit code tells
            if pipe is not None:
                pipe.write(told)
                pipe.flush()

    def _hear(self) -> None:
        pipe = self._process.stdout
        while pipe is not None and (chunk := os.read(pipe.fileno(), _CHUNK)):
            self._said += chunk
            del self._said[:-_KEPT_BYTES]

    def _close(self) -> None:
        self._telling.join(_LEFT_S)
        self._hearing.join(_LEFT_S)
        for pipe, thread in ((self._process.stdin, self._telling), (self._process.stdout, self._hearing)):
            if pipe is not None and not thread.is_alive():
                with suppress(OSError):  # what it never heard is still in the buffer
                    pipe.close()


def await_end(workers: Sequence[Worker], patience_s: float) -> bool:
    """Whether all of them ended by themselves within `patience_s` seconds."""
    deadline = time.monotonic() + patience_s
    while any(worker.exit_code() is None for worker in workers):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_S)
    return True


def _thread(name: str, work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
