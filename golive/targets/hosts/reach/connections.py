"""Connections that the processes of one run share: a private folder with one socket a host.

`ssh` leaves a master process behind each socket. The folder belongs to the process that made
it, which ends them all; should that process be killed, they end by themselves when idle.
"""

from __future__ import annotations

import fcntl
import shutil
import socket
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LONGEST = 30
_ANSWERS_S = 1.0
# OpenSSH's PROTOCOL.mux: hello, version 4; then "terminate" with a request number.
_HELLO = struct.pack(">II", 1, 4)
_TERMINATE = struct.pack(">II", 0x10000005, 0)


def make_folder() -> Path:
    """A folder that nobody else may enter, for `end_all` to remove."""
    # A socket's path may have about a hundred characters, which some temporary folders exceed alone.
    parent = "/tmp" if len(tempfile.gettempdir()) > _LONGEST else None  # noqa: S108 - the folder made in it is private
    return Path(tempfile.mkdtemp(prefix="golive-", dir=parent))


def end_all(folder: Path) -> None:
    """End every connection in the folder, and remove it."""
    for path in folder.glob("*.sock"):
        with suppress(OSError), _connected(path) as line:
            for message in (_HELLO, _TERMINATE):
                line.sendall(struct.pack(">I", len(message)) + message)
            line.recv(1)
    shutil.rmtree(folder, ignore_errors=True)


def is_open(path: Path) -> bool:
    """Whether a master listens at the socket. One that died leaves a socket behind that refuses."""
    try:
        with _connected(path):
            return True
    except OSError:
        return False


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Of all processes of the run, one at a time opens the connection of this socket."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _connected(path: Path) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    try:
        line.settimeout(_ANSWERS_S)
        line.connect(str(path))
    except BaseException:
        line.close()
        raise
    return line
