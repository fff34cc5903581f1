"""Running a local program with a time-out, bounded output and nothing left behind."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f]+")
_CHUNK = 1 << 20
_LEAVE_S = 0.5


class _Running:
    """The programs that run now. It has no lock, since a signal may come while somebody would hold it."""

    def __init__(self) -> None:
        self.given_up = False
        self._programs: set[subprocess.Popen[bytes]] = set()

    def add(self, process: subprocess.Popen[bytes]) -> None:
        self._programs.add(process)
        if self.given_up:
            _end(process)

    def remove(self, process: subprocess.Popen[bytes]) -> None:
        self._programs.discard(process)

    def give_up(self, given_up: bool) -> None:
        self.given_up = given_up  # before the programs are listed: what is added later ends itself
        for process in tuple(self._programs) if given_up else ():
            _end(process)


_RUNNING = _Running()


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """What a command came to. Text is decoded as UTF-8; bytes that are none become `�`."""

    exit_code: int
    stdout_bytes: bytes
    stderr_bytes: bytes = b""

    @cached_property
    def stdout(self) -> str:
        """Standard output as text."""
        return self.stdout_bytes.decode("utf-8", "replace")

    @cached_property
    def stderr(self) -> str:
        """Standard error as text."""
        return self.stderr_bytes.decode("utf-8", "replace")


class BrokenOff(Exception):
    """The program was killed with its children before its end; what it wrote until then is kept."""

    def __init__(self, stdout_bytes: bytes = b"", stderr_bytes: bytes = b"") -> None:
        super().__init__()
        self.stdout_bytes = stdout_bytes
        self.stderr_bytes = stderr_bytes


class TookTooLong(BrokenOff):
    """The program was still running at its time-out and was killed with its children."""


class WroteTooMuch(BrokenOff):
    """The program wrote more than allowed and was killed with its children."""


def run_program(
    arguments: list[str],
    *,
    timeout_s: float,
    max_bytes: int,
    stdin: bytes = b"",
    until: bytes = b"",
    env: Mapping[str, str] | None = None,
) -> CommandResult:
    """Run `arguments` in a session of its own. TookTooLong, WroteTooMuch; OSError when it cannot be started.

    With `until` the program's standard input stays open until it has written these bytes and the rest of
    their line: then it has said all, and is given a moment to end by itself.
    """
    # A copy, since the one of the process itself may be changed by another thread while the program is started.
    inherited = dict(os.environ) if env is None else env
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=inherited,
    )
    try:
        _RUNNING.add(process)
        return _Exchange(process, stdin, until, max_bytes).run(time.monotonic() + timeout_s)
    except BaseException:
        _kill(process)
        raise
    finally:
        _RUNNING.remove(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def give_up_programs(given_up: bool = True) -> None:
    """End all programs that `run_program` runs in any thread, and each that it starts from now on. For a signal.

    With False, programs run again.
    """
    _RUNNING.give_up(given_up)


def are_given_up() -> bool:
    """Whether programs are ended as soon as they begin."""
    return _RUNNING.given_up


def one_line(text: str, limit: int = 200) -> str:
    """The last line of `text` that says something, without terminal escapes, cut to `limit` characters."""
    said = [line for line in (_CONTROLS.sub(" ", raw).strip() for raw in text.splitlines()) if line]
    last = said[-1] if said else ""
    return last if len(last) <= limit else f"{last[: limit - 1]}…"


def plain(text: str, limit: int = 300) -> str:
    """`text` as one line without terminal escapes and control characters, cut to `limit` characters."""
    line = _CONTROLS.sub(" ", text[: limit * 4]).strip()
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


class _Exchange:
    """Feeds and drains the pipes of a process together, so that neither side waits for the other."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes, until: bytes, max_bytes: int) -> None:
        self._process = process
        self._left_to_write = memoryview(stdin)
        self._until = until
        self._left_to_read = max_bytes
        self._taken: dict[Any, list[bytes]] = {process.stdout: [], process.stderr: []}
        self._tail = b""
        self._has_ended = False

    def run(self, deadline: float) -> CommandResult:
        """All that was written, and the exit code."""
        with selectors.DefaultSelector() as ready:
            for pipe in self._taken:
                ready.register(pipe, selectors.EVENT_READ)
            if self._process.stdin is not None:
                os.set_blocking(self._process.stdin.fileno(), False)
                ready.register(self._process.stdin, selectors.EVENT_WRITE)
            while any(key.fileobj in self._taken for key in ready.get_map().values()):
                left = deadline - time.monotonic()
                if left <= 0 and self._has_ended:
                    break  # something that it started holds the pipes
                if left <= 0:
                    raise TookTooLong(*self._so_far)
                for key, _ in ready.select(left):
                    if self._move(key, ready):
                        self._has_ended, deadline = True, time.monotonic() + _LEAVE_S
        return self._result(max(0.1, deadline - time.monotonic()))

    def _result(self, patience_s: float) -> CommandResult:
        try:
            code = self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            if not self._has_ended:
                raise TookTooLong(*self._so_far) from None
            _kill(self._process)
            code = 0
        out, err = self._so_far
        return CommandResult(exit_code=code, stdout_bytes=out, stderr_bytes=err)

    @property
    def _so_far(self) -> tuple[bytes, bytes]:
        return b"".join(self._taken[self._process.stdout]), b"".join(self._taken[self._process.stderr])

    def _move(self, key: selectors.SelectorKey, ready: selectors.BaseSelector) -> bool:
        """Move what is there; whether the program has said all."""
        if key.fileobj is self._process.stdin:
            self._left_to_write = _fed(key.fd, self._left_to_write)
            if not self._left_to_write:
                ready.unregister(key.fileobj)
                if not self._until:
                    self._process.stdin.close()
            return False
        chunk = os.read(key.fd, _CHUNK)
        if not chunk:
            ready.unregister(key.fileobj)
            return False
        self._taken[key.fileobj].append(chunk)
        self._left_to_read -= len(chunk)
        if self._left_to_read < 0:
            raise WroteTooMuch(*self._so_far)
        return key.fileobj is self._process.stdout and self._is_last(chunk)

    def _is_last(self, chunk: bytes) -> bool:
        """Whether `until` and its line have come; the bytes may have been cut anywhere."""
        if not self._until:
            return False
        self._tail += chunk
        at = self._tail.rfind(self._until)
        if at >= 0 and b"\n" in self._tail[at + len(self._until) :]:
            self._process.stdin.close()  # type: ignore[union-attr] # there is something to write where there is an end
            return True
        self._tail = self._tail[at if at >= 0 else 1 - len(self._until) :]
        return False


def _fed(pipe: int, stdin: memoryview) -> memoryview:
    try:
        return stdin[os.write(pipe, stdin) :]
    except BrokenPipeError:
        return stdin[len(stdin) :]


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Whoever runs it sees its end, and takes it down."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
