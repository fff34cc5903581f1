"""A checkpoint as a process of its own, which outlives the one that keeps the watch if that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from golive.model import Slot, utc_text
from golive.watch.lock import AlreadyKept, Lock

_TAIL_BYTES = 8_000
_COLUMNS = "200"
"""What is printed goes into a file, whose lines nothing has to shorten."""


class Spawned:
    """A run that was started: a session of its own, so that a Ctrl-C in the terminal is not its own."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, begins_at: int) -> None:
        self._process = process
        self._log = log
        self._begins_at = begins_at

    def poll(self) -> int | None:
        """Its exit code, None while it goes on; negative is the signal that ended it."""
        return self._process.poll()

    def interrupt(self) -> None:
        """Ask it to end in order, as Ctrl-C does."""
        self._send(signal.SIGINT)

    def kill(self) -> None:
        """End it and all that it started, at once."""
        self._send(signal.SIGKILL)
        self._process.wait()

    def tail(self) -> str:
        """The end of what it printed."""
        with self._log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self._begins_at, size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace").strip()

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


class Spawner:
    """Starts checkpoints, one at a time on this machine, and keeps what they print in one file.

    The run holds the lock itself. A keeper that was killed and started again therefore knows, without any record,
    that the run of its predecessor still goes on, also before that run has entered itself into the history.
    """

    def __init__(
        self, command: Callable[[Slot], Sequence[str]], *, cwd: Path, log: Path, lock: Path, now: Callable[[], datetime]
    ) -> None:
        self._command = command
        self._cwd = cwd
        self._log = log
        self._lock = lock
        self._now = now

    def begin(self, slot: Slot) -> Spawned | None:
        """Start the run of a checkpoint; None while another one still goes on. OSError if it cannot be started."""
        try:
            lock = Lock.take(self._lock, now=self._now(), what=f"checkpoint {slot.label} is run")
        except AlreadyKept:
            return None
        with lock:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                # Without the command, which may carry the address of the history with its password.
                log.write(f"\n=== {utc_text(self._now())} checkpoint {slot.label}\n".encode())
                log.flush()
                begins_at = log.tell()
                process = subprocess.Popen(
                    [*self._command(slot)],
                    cwd=self._cwd,
                    env={**os.environ, "COLUMNS": _COLUMNS},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=(lock.descriptor,),
                )
        return Spawned(process, self._log, begins_at)
