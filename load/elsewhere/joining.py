"""Workers that join by themselves, as pods do: they ask for a plan, and work as long as the connection is held.

Whoever asks must know the token; the plan is sealed with it. The connection is the worker's lifeline, as standard
input is that of a process here.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from golive.model import CouldNotLook
from load.elsewhere.sealing import NotSealed, Seal

COUNT, TOKEN = "GOLIVE_LOAD_WORKERS", "GOLIVE_LOAD_TOKEN"
"""Environment variables: how many workers join, and the token that they share with us."""
PLAN_PORT, LOCUST_PORT = 5556, 5557
_LONGEST = 100_000_000
_HELLO_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Joining:
    """That `count` workers will join, who know `token`. `host` is where they are awaited."""

    count: int
    token: str = field(repr=False)
    host: str = "0.0.0.0"  # noqa: S104 - pods reach each other by addresses that nobody knows beforehand
    plan_port: int = PLAN_PORT
    locust_port: int = LOCUST_PORT
    patience_s: float = 300.0

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Joining | None:
        """What the environment variables say, None when they say nothing; CouldNotLook when they make no sense."""
        text = variables.get(COUNT, "")
        if not text:
            return None
        if not text.isdecimal() or not int(text):
            raise CouldNotLook(f"{COUNT} is the number of workers that join, as in 4; got {text!r}")
        if not variables.get(TOKEN):
            raise CouldNotLook(f"{TOKEN} is missing: the workers that join share it with the master")
        return cls(count=int(text), token=variables[TOKEN])


class Joined:
    """A worker elsewhere, by its connection."""

    def __init__(self, name: str, connection: socket.socket) -> None:
        self.name = name
        self._connection = connection
        self._code: int | None = None
        self._listening = threading.Thread(target=self._listen, name=f"connection of {name}", daemon=True)
        self._listening.start()

    def exit_code(self) -> int | None:
        """None as long as the connection is held on the other side; 0 afterwards."""
        return self._code

    def ask(self) -> None:
        """Tell it that nobody needs it any more."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """Let go of it; it ends itself."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._listening.join(1.0)
        self._connection.close()
        self._code = 0 if self._code is None else self._code

    def said(self) -> str:
        """What it prints stays where it is."""
        return ""

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while self._connection.recv(4096):
                pass
        self._code = 0


def await_workers(joining: Joining, part: Callable[[str], Mapping[str, Any]]) -> list[Joined]:
    """The workers, each told its `part` of the plan by name. CouldNotLook when too few of them come in time."""
    seal = _seal(joining)
    deadline = time.monotonic() + joining.patience_s
    found: list[Joined] = []
    try:
        with _listening(joining) as server:
            while len(found) < joining.count:
                server.settimeout(max(0.01, deadline - time.monotonic()))
                connection, _ = server.accept()
                joined = _admitted(connection, seal, f"pod-{len(found) + 1}", joining, part)
                found += [joined] if joined else []
    except BaseException as error:
        for joined in found:
            joined.end()
        if isinstance(error, TimeoutError):
            raise CouldNotLook(
                f"{len(found)} of {joining.count} workers joined within {joining.patience_s:g} s, so no load began"
            ) from None
        raise
    return found


def _seal(joining: Joining) -> Seal:
    try:
        return Seal(joining.token)
    except ValueError as error:
        raise CouldNotLook(f"{TOKEN}: {error}") from None


def _listening(joining: Joining) -> socket.socket:
    try:
        return socket.create_server((joining.host, joining.plan_port))
    except OSError as error:
        raise CouldNotLook(f"workers cannot be awaited at port {joining.plan_port}: {error.strerror}") from None


def _admitted(
    connection: socket.socket, seal: Seal, name: str, joining: Joining, part: Callable[[str], Mapping[str, Any]]
) -> Joined | None:
    """The worker, or None for a stranger, to whom nothing is said."""
    try:
        connection.settimeout(_HELLO_S)
        seal.opened(line_from(connection, 10_000))
        connection.sendall(seal.line({"plan": part(name), "port": joining.locust_port}))
        connection.settimeout(None)
        noticed(connection)
    except (OSError, NotSealed):
        connection.close()
        return None
    return Joined(name, connection)


def noticed(connection: socket.socket) -> None:
    """Let the end of the other side be noticed within seconds, also when its machine fell silent."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 3), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def line_from(connection: socket.socket, longest: int = _LONGEST) -> bytes:
    """The next line, however long up to a bound; OSError, ConnectionError when there is none."""
    parts = bytearray()
    while not parts.endswith(b"\n"):
        part = connection.recv(65_536)
        if not part or len(parts) > longest:
            raise ConnectionError("the connection ended before a line had come")
        parts += part
    return bytes(parts)
