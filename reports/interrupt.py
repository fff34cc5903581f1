"""Being told to stop: an orderly end, and the reports written before it."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import pytest

from golive.targets.shell import give_up_programs

_HELD = (signal.SIGINT, signal.SIGTERM)
_STUCK_S = 3.0
"""A run that was ended this long ago, and does not write its reports yet, hangs; before that it cannot be given up."""


class Signals:
    """Ctrl-C and SIGTERM in one session: the first ends it in order, the second is answered, the third gives up.

    `before` is called with the reason why the run ends, where Python's own would not tell it.
    """

    def __init__(self, before: Callable[[str], None]) -> None:
        self._before = before
        self._writes = False
        self._interrupted_at: float | None = None
        self._is_answered = False
        self._is_given_up = False

    def listen(self) -> Callable[[], None]:
        """From now on. Returns what puts the former handlers back.

        Only a main thread may have handlers; elsewhere nothing changes. A Ctrl-C that somebody else handles or that
        is ignored (a job in the background) stays so.
        """
        if threading.current_thread() is not threading.main_thread():
            return lambda: None
        former = {number: signal.getsignal(number) for number in _HELD}
        if former[signal.SIGINT] is not signal.default_int_handler:
            del former[signal.SIGINT]
        give_up_programs(False)
        for number in former:
            signal.signal(number, self._take)

        def stop_listening() -> None:
            for number, handler in former.items():
                # All is written: one more Ctrl-C ends what is left without a word.
                _restore(number, signal.SIG_DFL if self._interrupted_at else handler)

        return stop_listening

    def end(self) -> None:
        """The reports are about to be written: the next signal is only answered."""
        self._writes = True

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if not self._writes and self._interrupted_at is None:
            self._interrupted_at = time.monotonic()
            if number == signal.SIGTERM:
                self._before("SIGTERM was received")
            # Whatever waits for a host that hangs goes on at once, in whichever thread it does.
            give_up_programs()
            raise KeyboardInterrupt
        name = signal.Signals(number).name
        if not self._is_answered:
            self._is_answered = True
            said = "the run ends and its reports are being written; once more to give them up"
            print(f"\n{name}: {said}", file=sys.stderr)
        elif not self._is_given_up and (self._writes or self._hangs()):
            self._is_given_up = True
            raise pytest.exit.Exception(f"{name}: what was not written yet is given up", pytest.ExitCode.INTERRUPTED)

    def _hangs(self) -> bool:
        return self._interrupted_at is not None and time.monotonic() - self._interrupted_at > _STUCK_S


def end_programs_on_ctrl_c() -> Callable[[], None]:
    """A Ctrl-C also ends the programs that other threads wait for, such as one that a host does not answer.

    Returns what puts the former handler back. Elsewhere than in a main thread, and where Ctrl-C is ignored, nothing
    changes.
    """
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return lambda: None

    def stop(_number: int, _frame: FrameType | None) -> None:
        give_up_programs()
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGINT, stop)

    give_up_programs(False)
    return lambda: _restore(signal.SIGINT, former)


def _restore(number: signal.Signals, former: object) -> None:
    signal.signal(number, signal.SIG_DFL if former is None else former)  # type: ignore[arg-type] # what getsignal gave
