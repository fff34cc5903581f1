"""Being told to stop: an orderly end, and the reports written before it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


def orderly_sigterm(before: Callable[[str], None]) -> Callable[[], None]:
    """Turn SIGTERM into the same end as Ctrl-C, after calling `before` with the reason.

    Returns what puts the former handler back. Only a main thread may have handlers; elsewhere nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None

    def stop(_number: int, _frame: FrameType | None) -> None:
        before("SIGTERM was received")
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, stop)
    return lambda: _restore(signal.SIGTERM, former)


@contextmanager
def one_signal_held_off() -> Iterator[None]:
    """While the reports are written the first Ctrl-C or SIGTERM is only answered; the second one counts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = (signal.SIGINT, signal.SIGTERM)
    former = {number: signal.getsignal(number) for number in held}

    def answer(number: int, _frame: FrameType | None) -> None:
        for one in held:
            _restore(one, former[one])
        said = f"\n{signal.Signals(number).name}: the reports are being written; once more to give them up"
        print(said, file=sys.stderr)

    for number in held:
        signal.signal(number, answer)
    try:
        yield
    finally:
        for number in held:
            _restore(number, former[number])


def _restore(number: signal.Signals, former: object) -> None:
    signal.signal(number, signal.SIG_DFL if former is None else former)  # type: ignore[arg-type] # what getsignal gave
