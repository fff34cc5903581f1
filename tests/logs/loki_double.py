"""A double that speaks the documented part of Loki's HTTP API: Loki itself is not to be had from PyPI or Debian.

It also plays the endpoint whose requests are logged. See https://grafana.com/docs/loki/latest/reference/loki-http-api/
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class LokiDouble:
    """Entries of the one job `api`; what it should do wrong."""

    stalled: bool = False
    ready: int = 200
    query_status: int = 200
    rubbish: str = ""
    entries: list[tuple[datetime, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, agent: str) -> tuple[int, str]:
        """Status and body."""
        if path == "/ready":
            return self.ready, "ready" if self.ready == 200 else "Ingester not ready"
        if path.startswith("/loki/api/v1/query_range"):
            return self._query(parse_qs(urlsplit(path).query))
        if not self.stalled:
            self.entries.append((datetime.now(UTC), f"{path} {agent}"))
        return 200, "{}"

    def _query(self, asked: dict[str, list[str]]) -> tuple[int, str]:
        if self.query_status != 200 or self.rubbish:
            return self.query_status, self.rubbish or "parse error"
        found = re.fullmatch(r'\{job=~?"api"\}(?: \|= "(.*)")?', asked["query"][0])
        assert found, asked["query"]
        start, end = (datetime.fromtimestamp(int(asked[name][0]) / 1e9, UTC) for name in ("start", "end"))
        values = [
            [str(int(at.timestamp() * 1e9)), line]
            for at, line in self.entries
            if start <= at < end and (found[1] or "") in line
        ]
        newest_first = sorted(values, reverse=True)[: int(asked["limit"][0])]
        streams = [{"stream": {"job": "api"}, "values": newest_first}] if newest_first else []
        return 200, json.dumps({"status": "success", "data": {"resultType": "streams", "result": streams, "stats": {}}})


@contextmanager
def serving(double: LokiDouble) -> Iterator[LokiDouble]:
    """The double on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = double.answer(self.path, self.headers.get("User-Agent", ""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        double.url = f"http://127.0.0.1:{server.server_port}"
        yield double
        server.shutdown()
