"""Several callers of one demo: who may change it now, and who still uses it. The locks vanish with their holder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from demo import layout
from demo.state import DemoError

LOCK_TIMEOUT_S = 90.0


def share(place: Path) -> int:
    """Take a share in the demo: a descriptor, which is the share until it is closed."""
    descriptor = _open(place / layout.IN_USE_FILE)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def is_shared(place: Path) -> bool:
    """Whether anybody has a share."""
    descriptor = _open(place / layout.IN_USE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextlib.contextmanager
def locked(place: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Be alone with this state directory. Raises DemoError when somebody else keeps it too long."""
    descriptor = _open(place / layout.LOCK_FILE)
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    told = False
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DemoError(f"{place}: another process has been busy with the demo for too long") from None
                if not told:
                    tell("waiting for another process that is busy with the demo")
                    told = True
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


class Interrupts:
    """The first SIGINT, SIGTERM or SIGHUP unwinds the stack as Ctrl-C does; an impatient second one does nothing.

    So what is half started can be cleared away, and clearing it away is not given up half-way.
    """

    def __init__(self) -> None:
        self._deaf = False
        self._late: int | None = None

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """What Python calls on a signal."""
        if self._deaf:
            self._late = number
            return
        self._deaf = True
        self._leave(number)

    @contextlib.contextmanager
    def put_off(self) -> Iterator[None]:
        """Let a signal have its effect only afterwards."""
        was_deaf, self._deaf = self._deaf, True
        try:
            yield
        finally:
            self._deaf = was_deaf
        if self._late is not None and not was_deaf:
            self._deaf = True
            self._leave(self._late)

    def _leave(self, number: int) -> NoReturn:
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


@contextlib.contextmanager
def interruptible() -> Iterator[Interrupts]:
    """Handle signals that way, those which nobody else handles, for as long as this lasts."""
    interrupts = Interrupts()
    replaced: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}:
                replaced[number] = signal.signal(number, interrupts.handle)
    try:
        yield interrupts
    finally:
        for taken, handler in replaced.items():
            signal.signal(taken, handler)
