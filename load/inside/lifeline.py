"""A process that makes load ends when nobody holds its standard input any more, however that came about."""

from __future__ import annotations

import os
import signal

from gevent import monkey

GRACE_S = 3.0
"""How long it may take to end in order."""
GONE = 75

_read = monkey.get_original("os", "read")
_sleep = monkey.get_original("time", "sleep")
_start = monkey.get_original("_thread", "start_new_thread")


def hold(descriptor: int = 0) -> None:
    """End this process in order once `descriptor` ends, at the latest `GRACE_S` after it.

    A thread of the operating system, not a greenlet: a user's code that blocks or computes for ever does not stop it.
    """
    _start(_watch, (descriptor,))


def _watch(descriptor: int) -> None:
    try:
        while _read(descriptor, 4096):
            pass
    except OSError:
        pass  # closed here is as gone as closed there
    os.kill(os.getpid(), signal.SIGTERM)
    _sleep(GRACE_S)
    os._exit(GONE)
