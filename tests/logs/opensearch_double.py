"""A double that speaks the documented part of OpenSearch's API: the server is not to be had from PyPI or Debian.

See https://docs.opensearch.org/latest/api-reference/search-apis/search/ and …/count/. It knows of the query language
what is asked here: bool filters with range, term, terms, match, exists, query_string, and a terms aggregation.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

MAX_WINDOW = 10_000


@dataclass
class OpenSearchDouble:
    """Documents of one index; what it should do wrong. `asked` are the bodies of the requests that came."""

    index: str = "logs-shop"
    documents: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    status: int = 200
    rubbish: bytes = b""
    timed_out: bool = False
    failed: int = 0
    others: int = 0
    auth: str = ""
    level_is_text: bool = False
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    def put(self, at: datetime, level: str | int | None, message: str, **more: Any) -> None:
        """Take a document in."""
        known = {"level": level} if level is not None else {}
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.documents.append((f"id{len(self.documents)}", {"@timestamp": stamp, **known, "message": message, **more}))

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body."""
        parts = urlsplit(path)
        asked = json.loads(body) if body else {}
        self.asked.append((parts.path, asked))
        if self.auth and headers.get("Authorization") != self.auth:
            return 401, b'{"error":{"type":"security_exception"},"status":401}'
        if self.status != 200:
            return self.status, self.rubbish or b'{"error":{"type":"circuit_breaking_exception"},"status":429}'
        if self.rubbish:
            return 200, self.rubbish
        index, operation = unquote(parts.path).strip("/").split("/")
        assert method == "POST"
        is_there = index == self.index or (index.endswith("*") and self.index.startswith(index[:-1]))
        found = [d for d in self.documents if is_there and fits(asked.get("query"), d[1], self.level_is_text)]
        total = 3 if is_there else 0
        shards: dict[str, Any] = {
            "total": total,
            "successful": total - self.failed,
            "skipped": 0,
            "failed": self.failed,
        }
        if self.failed:
            shards["failures"] = [{"shard": 1, "reason": {"type": "x", "reason": "node left\x1b[2J"}}]
        if operation == "_count":
            return 200, json.dumps({"count": len(found), "_shards": shards}).encode()
        assert operation == "_search" and "allow_partial_search_results=false" in parts.query
        status, answer = self._search(asked, found)
        return status, json.dumps({"took": 1, "timed_out": self.timed_out, "_shards": shards, **answer}).encode()

    def _search(self, asked: dict[str, Any], found: list[tuple[str, dict[str, Any]]]) -> tuple[int, dict[str, Any]]:
        size = asked.get("size", 10)
        if size > MAX_WINDOW:
            return 400, {"error": {"type": "illegal_argument_exception", "reason": "Result window is too large"}}
        answer: dict[str, Any] = {"hits": {"total": {"value": len(found), "relation": "eq"}, "hits": []}}
        if "aggs" in asked:
            by_field = asked["aggs"]["levels"]["terms"]["field"]
            if self.level_is_text and not by_field.endswith(".keyword"):
                return 400, {"error": {"type": "illegal_argument_exception", "reason": "Text fields are not optimised"}}
            field_name = by_field.removesuffix(".keyword")
            counts = Counter(d.get(field_name, asked["aggs"]["levels"]["terms"]["missing"]) for _, d in found)
            answer["aggregations"] = {
                "levels": {
                    "doc_count_error_upper_bound": 0,
                    "sum_other_doc_count": self.others,
                    "buckets": [{"key": key, "doc_count": count} for key, count in counts.most_common()],
                }
            }
        if size == 0:
            return 200, answer
        ((sorted_by, how),) = asked["sort"][0].items()
        placed = [(epoch_ms(document[sorted_by]), one, document) for one, document in found]
        placed.sort(key=lambda entry: entry[0], reverse=how["order"] == "desc")
        if after := asked.get("search_after"):
            placed = [entry for entry in placed if entry[0] > after[0]]
        answer["hits"]["hits"] = [
            {"_index": self.index, "_id": one, "_score": None, "_source": document, "sort": [at]}
            for at, one, document in placed[:size]
        ]
        return 200, answer


def epoch_ms(text: str) -> int:
    """A date as it is sorted by."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def fits(query: Any, document: dict[str, Any], level_is_text: bool) -> bool:
    """Whether a document is what the query asks for."""
    ((kind, what),) = query.items()
    if kind == "bool":
        should = what.get("should", [])
        return (
            all(fits(one, document, level_is_text) for one in what.get("filter", []))
            and not any(fits(one, document, level_is_text) for one in what.get("must_not", []))
            and (not should or any(fits(one, document, level_is_text) for one in should))
        )
    if kind == "range":
        ((name, limits),) = what.items()
        at = epoch_ms(document[name])
        lower, upper, most = (epoch_ms(limits[k]) if k in limits else None for k in ("gte", "lt", "lte"))
        return (lower is None or at >= lower) and (upper is None or at < upper) and (most is None or at <= most)
    if kind == "term":
        ((name, value),) = what.items()
        return bool(document.get(name) == value)
    if kind == "exists":
        return what["field"] in document
    if kind == "match":
        ((name, asked),) = what.items()
        words = set(str(document.get(name, "")).lower().replace(":", " ").split())
        return bool(words & set(asked["query"].lower().split()))
    assert kind == "query_string" and what["lenient"] is True
    wanted = what["query"].split(" OR ")
    return any(str(document.get(name)) in wanted for name in what["fields"])


def basic(user: str, password: str) -> str:
    """The header of basic authentication."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
