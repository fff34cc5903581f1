"""One HTTP exchange on the wire: its time budget, and how long each phase of it took.

`requests` bounds single reads only, so a server that drips a byte a second keeps it
waiting for ever, and it does not say where the time went. A `Course` belongs to one
exchange, is asked before every blocking call for the time that is left, and notes DNS,
connect, TLS, first byte and total apart. It travels to the socket in a context variable,
because the layers in between have no place for it.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from golive.targets.wire.answer import Phases

NAME_UNRESOLVED = "its name was not resolved"


@dataclass(kw_only=True)
class Course:
    """The phases of one exchange in seconds; None for a phase that it did not have (a kept connection has no DNS)."""

    budget_s: float
    started: float = field(default_factory=time.perf_counter)
    dns_s: float | None = None
    connect_s: float | None = None
    tls_s: float | None = None
    asked_at: float | None = None
    first_byte_at: float | None = None
    bytes_read: int = 0
    reused: bool = False
    stage: str = "preparing the request"

    def left(self) -> float:
        """Seconds that may still be waited; TimeoutError when the budget is used up."""
        left = self.started + self.budget_s - time.perf_counter()
        if left <= 0:
            raise TimeoutError(f"the budget of {self.budget_s:g} s is used up")
        return left

    @property
    def expired(self) -> bool:
        """Whether the budget is used up."""
        return time.perf_counter() - self.started >= self.budget_s

    def begin_request(self) -> None:
        """The connection stands and the request is about to be sent."""
        self.asked_at = time.perf_counter()
        self.stage = "connected, but no byte came"

    def heard(self, count: int) -> None:
        """`count` bytes of the answer have come."""
        if self.first_byte_at is None:
            self.first_byte_at = time.perf_counter()
        self.bytes_read += count
        self.stage = f"the answer was still incomplete after {self.bytes_read} bytes"

    def phases(self) -> Phases:
        """Where the time went, now that the last byte has come."""
        total_s = time.perf_counter() - self.started
        first_s = total_s if self.first_byte_at is None or self.asked_at is None else self.first_byte_at - self.asked_at
        return Phases(
            dns_ms=_ms(self.dns_s),
            connect_ms=_ms(self.connect_s),
            tls_ms=_ms(self.tls_s),
            first_byte_ms=first_s * 1000,
            total_ms=total_s * 1000,
        )


COURSE: ContextVar[Course | None] = ContextVar("course", default=None)
"""The exchange that this thread is in."""


def dial(host: str, port: int, course: Course) -> socket.socket:
    """A connected TCP socket, with Nagle's delay off.

    OSError (gaierror, TimeoutError, ConnectionRefusedError …) of the last address that was tried.
    """
    began = time.perf_counter()
    course.stage = NAME_UNRESOLVED
    addresses = _resolve(host, port, course.left())
    course.dns_s = time.perf_counter() - began
    course.stage = "the connection was not accepted"
    connected = _connect(addresses, course)
    course.connect_s = time.perf_counter() - began - course.dns_s
    return connected


def _connect(addresses: list[Any], course: Course) -> socket.socket:
    problem: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in addresses:
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(course.left())
            opened.connect(address)
            return opened
        except OSError as error:
            opened.close()
            problem = error
    raise problem


def _resolve(host: str, port: int, within_s: float) -> list[Any]:
    """`getaddrinfo`, which takes no time-out of its own, given one; a literal address needs no thread."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    found: list[Any] = []
    problem: list[OSError] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            problem.append(error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, str(error)))

    asking = threading.Thread(target=ask, daemon=True, name="resolve")
    asking.start()
    asking.join(within_s)
    if problem:
        raise problem[0]
    if not found:
        raise TimeoutError("the name was not resolved in time")
    return found


class _Metered(io.RawIOBase):
    """The bytes of an answer as they come: each read may wait only as long as the course has left."""

    def __init__(self, connected: socket.socket, raw: Any, course: Course) -> None:
        super().__init__()
        self._socket = connected
        self._raw = raw
        self._course = course

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(self._course.left())
        count: int | None = self._raw.readinto(buffer)
        if count:
            self._course.heard(count)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def metered(connected: socket.socket, course: Course) -> io.BufferedReader:
    """A reader of what comes on a connected socket, each of whose reads may wait as long as `course` has left."""
    raw = connected.makefile("rb", buffering=0)
    return io.BufferedReader(_Metered(connected, raw, course))


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
