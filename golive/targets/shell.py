"""Running a local program with a time-out, bounded output and nothing left behind."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f]+")
_CHUNK = 1 << 20


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


class TookTooLong(Exception):
    """The program was still running at its time-out and was killed with its children."""


class WroteTooMuch(Exception):
    """The program wrote more than allowed and was killed with its children."""


def run_program(arguments: list[str], *, timeout_s: float, max_bytes: int, stdin: bytes = b"") -> CommandResult:
    """Run `arguments` in a session of its own. TookTooLong, WroteTooMuch; OSError when it cannot be started."""
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = _exchange(process, stdin, time.monotonic() + timeout_s, max_bytes)
        return CommandResult(exit_code=process.wait(), stdout_bytes=out, stderr_bytes=err)
    except BaseException:
        _kill(process)
        raise
    finally:
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def one_line(text: str, limit: int = 200) -> str:
    """The last line of `text` that says something, without terminal escapes, cut to `limit` characters."""
    said = [line for line in (_CONTROLS.sub(" ", raw).strip() for raw in text.splitlines()) if line]
    last = said[-1] if said else ""
    return last if len(last) <= limit else f"{last[: limit - 1]}…"


def plain(text: str, limit: int = 300) -> str:
    """`text` as one line without terminal escapes and control characters, cut to `limit` characters."""
    line = _CONTROLS.sub(" ", text[: limit * 4]).strip()
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _exchange(process: subprocess.Popen[bytes], stdin: bytes, deadline: float, max_bytes: int) -> tuple[bytes, bytes]:
    """Feed and drain the pipes together, so that neither side waits for the other."""
    taken: dict[Any, list[bytes]] = {process.stdout: [], process.stderr: []}
    left_to_write = memoryview(stdin)
    size = 0
    with selectors.DefaultSelector() as ready:
        for pipe in taken:
            ready.register(pipe, selectors.EVENT_READ)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            ready.register(process.stdin, selectors.EVENT_WRITE)
        while ready.get_map():
            for key, _ in _next(ready, deadline):
                if key.fileobj is process.stdin:
                    left_to_write = _fed(key.fd, left_to_write)
                    is_done = not left_to_write
                else:
                    chunk = os.read(key.fd, _CHUNK)
                    taken[key.fileobj].append(chunk)
                    size += len(chunk)
                    is_done = not chunk
                if size > max_bytes:
                    raise WroteTooMuch
                if is_done:
                    ready.unregister(key.fileobj)
                    if key.fileobj is process.stdin:
                        process.stdin.close()
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TookTooLong from None
    return b"".join(taken[process.stdout]), b"".join(taken[process.stderr])


def _next(ready: selectors.BaseSelector, deadline: float) -> list[tuple[selectors.SelectorKey, int]]:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TookTooLong
    return ready.select(left)


def _fed(pipe: int, stdin: memoryview) -> memoryview:
    try:
        return stdin[os.write(pipe, stdin) :]
    except BrokenPipeError:
        return stdin[len(stdin) :]


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
