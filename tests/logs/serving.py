"""A double behind HTTP on a free port of this machine, and a client of it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from golive.environment.sections import EndpointSection
from golive.targets.http import Client


class Double(Protocol):
    """What answers."""

    url: str

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body."""


@contextmanager
def serving(double: Double) -> Iterator[Any]:
    """The double on a free port; its `url` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = double.answer(self.command, self.path, dict(self.headers), sent)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - the server's own names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        double.url = f"http://127.0.0.1:{server.server_port}"
        yield double
        server.shutdown()


def client(url: str, name: str = "collector") -> Client:
    """A real client of that URL."""
    numbers = itertools.count()
    section = EndpointSection.model_validate({"url": url, "timeout": "3 s"})
    return Client(name, section, user_agent="golive/test", request_id=lambda: f"r{next(numbers)}")
