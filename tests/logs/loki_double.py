"""A double that speaks the documented part of Loki's HTTP API: Loki itself is not to be had from PyPI or Debian.

It also plays the endpoint whose requests are logged. See https://grafana.com/docs/loki/latest/reference/loki-http-api/
It knows of LogQL what is asked here: a selector, line filters (`|=`, `|~`), and `sum [by (label)] (count_over_time())`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.logs.serving import serving as _serving

MAX_ENTRIES = 5_000
_FILTER = re.compile(r'\s*\|(=|~) "((?:[^"\\]|\\.)*)"')
_COUNT = re.compile(r"sum(?: by \((\w+)\))? \(count_over_time\((.*) \[(\d+)ms\]\)\)", re.DOTALL)
_MATCHER = re.compile(r'(\w+)(=~|=)"((?:[^"\\]|\\.)*)"')


@dataclass
class LokiDouble:
    """Entries with their labels; what it should do wrong. `asked` are the requests that came."""

    stalled: bool = False
    ready: int = 200
    query_status: int = 200
    rubbish: str = ""
    warnings: tuple[str, ...] = ()
    tenant: str = ""
    entries: list[tuple[datetime, str]] = field(default_factory=list)
    labelled: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def put(self, at: datetime, line: str, **labels: str) -> None:
        """Take an entry in."""
        self.labelled.append((int(at.timestamp() * 1_000_000) * 1_000, line, {"job": "api", **labels}))

    def answer(self, _method: str, path: str, headers: Mapping[str, str], _body: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self.asked.append(path)
        if self.tenant and headers.get("X-Scope-OrgID") != self.tenant and path.startswith("/loki"):
            return 401, b"no org id"
        status, text = self._answer(path, headers.get("User-Agent", ""))
        return status, text.encode()

    def _answer(self, path: str, agent: str) -> tuple[int, str]:
        if path == "/ready":
            return self.ready, "ready" if self.ready == 200 else "Ingester not ready"
        if path.startswith("/loki/api/v1/query"):
            if self.query_status != 200 or self.rubbish:
                return self.query_status, self.rubbish or "parse error"
            asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
            return self._range(asked) if path.startswith("/loki/api/v1/query_range") else self._instant(asked)
        if not self.stalled:
            self.entries.append((datetime.now(UTC), f"{path} {agent}"))
        return 200, "{}"

    def _all(self) -> Iterator[tuple[int, str, dict[str, str]]]:
        yield from self.labelled
        for at, line in self.entries:
            yield int(at.timestamp() * 1_000_000) * 1_000, line, {"job": "api"}

    def _matching(self, query: str) -> list[tuple[int, str, dict[str, str]]]:
        selector, brace, rest = query.partition("}")
        assert brace and selector.startswith("{"), query
        matchers = _MATCHER.findall(selector)
        filters = _FILTER.findall(rest)
        by_label = _FILTER.sub("", rest).strip().removeprefix("| ")
        either = [_MATCHER.findall(part) for part in by_label.split(" or ")] if by_label else []
        assert matchers and all(len(part) == 1 for part in either), query
        fitting = [e for e in self._all() if _labels_fit(e[2], matchers) and _line_fits(e[1], filters)]
        return [e for e in fitting if not either or any(_labels_fit(e[2], part) for part in either)]

    def _range(self, asked: dict[str, str]) -> tuple[int, str]:
        limit = int(asked["limit"])
        if limit > MAX_ENTRIES:
            return 400, f"max entries limit per query exceeded, limit > max_entries_limit ({limit} > {MAX_ENTRIES})"
        found = [e for e in self._matching(asked["query"]) if int(asked["start"]) <= e[0] < int(asked["end"])]
        # Entries of one time come in the order in which they were taken in.
        found.sort(key=lambda entry: entry[0], reverse=asked["direction"] == "backward")
        streams: dict[str, dict[str, Any]] = {}
        for at, line, labels in found[:limit]:
            stream = streams.setdefault(json.dumps(labels), {"stream": labels, "values": []})
            stream["values"].append([str(at), line])
        return 200, self._told("streams", list(streams.values()))

    def _instant(self, asked: dict[str, str]) -> tuple[int, str]:
        found = _COUNT.fullmatch(asked["query"])
        assert found, asked["query"]
        label, query, span_ms = found[1], found[2], int(found[3])
        end = int(asked["time"])
        within = [e for e in self._matching(query) if end - span_ms * 1_000_000 < e[0] <= end]
        counts = Counter(e[2].get(label, "") if label else "" for e in within)
        samples = [
            {"metric": {label: value} if label and value else {}, "value": [end / 1e9, str(count)]}
            for value, count in counts.items()
        ]
        return 200, self._told("vector", samples)

    def _told(self, kind: str, result: list[Any]) -> str:
        more = {"warnings": list(self.warnings)} if self.warnings else {}
        return json.dumps({"status": "success", "data": {"resultType": kind, "result": result, "stats": {}}, **more})


def _labels_fit(labels: dict[str, str], matchers: list[tuple[str, str, str]]) -> bool:
    return all(
        re.fullmatch(_unquoted(value), labels.get(name, ""))
        if sign == "=~"
        else labels.get(name, "") == _unquoted(value)
        for name, sign, value in matchers
    )


def _line_fits(line: str, filters: list[tuple[str, str]]) -> bool:
    return all(
        re.search(_unquoted(value), line) if sign == "~" else _unquoted(value) in line for sign, value in filters
    )


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text)


@contextmanager
def serving(double: LokiDouble) -> Iterator[LokiDouble]:
    """The double on a free port."""
    with _serving(double):
        yield double
