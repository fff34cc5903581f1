"""A small shop on loopback to be pressed: it counts what it is asked, and can be told to misbehave."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from golive.environment.sections import EnvironmentSection

TOKEN = "Bearer planted-9d2f41c7"


@dataclass
class Target:
    """What was asked of it (request line and headers), the orders that it holds, and how it misbehaves."""

    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    orders: set[int] = field(default_factory=set)
    made: int = 0
    status: int = 0
    delay_s: float = 0.0
    keeps: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, request: str) -> int:
        """How often it was asked something that begins so."""
        return sum(line.startswith(request) for line, _ in self.asked)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    target: Target

    def handle_error(self, *_: Any) -> None:
        """Connections that are cut are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # head and body in one packet, or the second waits for the first to be acknowledged
    server: _Server

    def _answer(self) -> None:
        target = self.server.target
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with target.lock:
            target.asked.append((f"{self.command} {self.path}", dict(self.headers)))
            target.times.append(time.time())
        if target.delay_s:
            time.sleep(target.delay_s)
        status, data = (target.status, None) if target.status else self._shop(target, body)
        text = b"" if data is None else json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _shop(self, target: Target, _body: bytes) -> tuple[int, Any]:
        with target.lock:
            if self.command == "POST":
                target.made += 1
                target.orders.add(target.made)
                return 201, {"data": {"id": target.made}}
            if self.command == "DELETE":
                number = int(self.path.rpartition("/")[2])
                if target.keeps:
                    return 500, None
                known = number in target.orders
                target.orders.discard(number)
                return (204 if known else 404), None
        return 200, {"ok": True}

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names are theirs

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@contextmanager
def target() -> Iterator[Target]:
    """A running target."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.target = Target(url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.target
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


READ = {"name": "reader", "think_time": "20 ms", "steps": ["GET /orders"]}
WRITE = {
    "name": "writer",
    "as": "ann",
    "think_time": "50 ms",
    "steps": [
        {
            "request": "POST /orders",
            "body": {"sku": "a"},
            "status": [201],
            "save": {"order": "data.id"},
            "clean_up": "DELETE /orders/{order}",
        }
    ],
}
SESSIONS = {"ann": {"Authorization": TOKEN}}


def section(url: str, *scenarios: dict[str, Any], load: dict[str, Any] | None = None, **profile: Any) -> Any:
    """An environment with one profile, `steady`: 4 users for 3 s unless it is given other keys."""
    one = {
        "scenarios": list(scenarios) or ([] if "locustfile" in profile else [READ]),
        "stages": [{"ramp": "500 ms", "users": 4}, {"hold": "2.5 s"}],
        "timeout": "2 s",
        **profile,
    }
    return EnvironmentSection.model_validate(
        {
            "system": "shop",
            "production": False,
            "endpoints": {"api": {"url": url, "timeout": "2 s"}},
            "load": {
                "endpoints": ["api"],
                "max_users": 50,
                "max_rate": "500/s",
                **(load or {}),
                "profiles": {"steady": one},
            },
        }
    )
