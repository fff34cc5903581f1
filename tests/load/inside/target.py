"""A server on loopback that keeps what it was asked, and answers by the path: well, badly, late, or not at all."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

LARGE = 3_000_000


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Target:
    """`url`, and what was asked of it. While `stalls` is set nothing is answered."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    goes_on: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def paths(self) -> Counter[str]:
        """How often each path was asked."""
        return Counter(asked.path for asked in self.asked)

    def count(self, path: str) -> int:
        """How often that one was."""
        return self.paths()[path]


@contextmanager
def target() -> Iterator[Target]:
    """A running one."""
    known = Target()
    known.goes_on.set()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(known), bind_and_activate=False) as server:
        server.daemon_threads = True
        server.request_queue_size = 256
        server.server_bind()
        server.server_activate()
        known.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield known
        finally:
            known.goes_on.set()
            server.shutdown()
            thread.join()


def nobody() -> str:
    """Where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def _handler(known: Target) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """By path."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1
        timeout = 20

        def setup(self) -> None:
            super().setup()
            known.connections += 1

        def handle(self) -> None:
            with suppress(OSError, ValueError):  # the other side may go at any time
                super().handle()

        def finish(self) -> None:
            with suppress(OSError, ValueError):
                super().finish()

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0]
            known.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body, time.time()))
            known.goes_on.wait(20)
            _ANSWERS.get(path, _well)(self, known)

        do_GET = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Nothing."""

        def send(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            self.wfile.flush()

    return Handler


def _well(to: Any, known: Target) -> None:
    to.send(200, b'{"ok":true}')


def _error(to: Any, known: Target) -> None:
    to.send(500, b"no")


def _slow(to: Any, known: Target) -> None:
    time.sleep(0.3)
    to.send(200, b"late")


def _never(to: Any, known: Target) -> None:
    time.sleep(4)
    to.send(200, b"too late")


def _drips(to: Any, known: Target) -> None:
    to.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    for _ in range(30):
        to.wfile.write(b".")
        to.wfile.flush()
        time.sleep(0.1)
    to.close_connection = True


def _reset(to: Any, known: Target) -> None:
    to.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    to.connection.close()
    to.close_connection = True


def _half(to: Any, known: Target) -> None:
    to.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")
    to.close_connection = True


def _large(to: Any, known: Target) -> None:
    to.send(200, b"x" * LARGE)


def _away(to: Any, known: Target) -> None:
    query = to.path.partition("?")[2]
    to.send(302, b"", Location=query or "/ok")


def _thing(to: Any, known: Target) -> None:
    to.send(201, json.dumps({"data": {"id": next(known.numbers)}}).encode())


def _rubbish(to: Any, known: Target) -> None:
    to.wfile.write(b"SSH-2.0-OpenSSH_9\r\n")
    to.close_connection = True


def _chunks(to: Any, known: Target) -> None:
    to.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    to.wfile.flush()


def _early(to: Any, known: Target) -> None:
    to.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    to.send(200, b"then")


_ANSWERS: dict[str, Callable[[Any, Target], None]] = {
    "/error": _error,
    "/slow": _slow,
    "/never": _never,
    "/drips": _drips,
    "/reset": _reset,
    "/half": _half,
    "/large": _large,
    "/away": _away,
    "/things": _thing,
    "/rubbish": _rubbish,
    "/chunks": _chunks,
    "/early": _early,
}
