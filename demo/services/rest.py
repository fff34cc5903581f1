"""A small HTTP server for the services that answer GETs only: JSON out, no framework, no log of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, object]
Route = Callable[[str, Mapping[str, str]], Answer]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True


def serve(port: int, route: Route) -> None:
    """Answer on that port of 127.0.0.1, in threads in the background.

    `route` gets the path and the query (the last value of each name) and returns a status and what to answer: a str
    is sent as plain text, everything else as JSON.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(address.query).items()}
            status, content = route(address.path, query)
            is_text = isinstance(content, str)
            data = (str(content) if is_text else json.dumps(content)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8" if is_text else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the base class
            """Say nothing: what matters is in the service's own log."""

    threading.Thread(target=_Server(("127.0.0.1", port), Handler).serve_forever, daemon=True).start()
