"""Being asked to stop: the first signal asks to end in order, the second one to end at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ASK = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def asked_to_stop(stop: threading.Event, hurry: threading.Event) -> Iterator[list[int]]:
    """Set `stop` on the first signal and `hurry` on the second; gives the numbers of those that came.

    What is ignored already (nohup) stays so. The events are set by a thread: setting one in the handler itself could
    wait for a lock that the interrupted code holds.
    """
    caught: list[int] = []
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def listen() -> None:
        while number := os.read(reading, 1):
            caught.append(number[0])
            (hurry if stop.is_set() else stop).set()

    handled = [number for number in _ASK if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda *_: None) for number in handled}
    woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    thread = threading.Thread(target=listen, name="signals", daemon=True)
    thread.start()
    try:
        yield caught
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(writing)
        thread.join()
        os.close(reading)
