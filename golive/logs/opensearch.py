"""Log entries in OpenSearch or Elasticsearch: all of them while they are few, else counted there and the grave ones.

Asked are `_count` and `_search` with aggregations and `search_after`. An answer of which a
part is missing (`timed_out`, failed shards) is no answer.
See https://docs.opensearch.org/latest/api-reference/search-apis/search/
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import quote

from pydantic import Field, model_validator

from golive.environment.params import Count, Duration, EndpointRef, Secret
from golive.environment.sections import LogSection
from golive.logs import LogClient, Reach, levels
from golive.logs.collected.answers import asked, excerpt, whole_number
from golive.logs.collected.entries import Entry, moment, ns_of
from golive.logs.collected.source import CollectedSource, Collector, Fetched, Span, Terms
from golive.logs.sought import Sought
from golive.logs.times import Clock, of_fields
from golive.model import CouldNotLook, utc_text

T = TypeVar("T")
_GROUPS = 200
_WINDOW = 10_000
"""Most entries of one answer (`index.max_result_window`)."""
_FORMAT = "strict_date_optional_time"
_WORDS = (
    *("warn", "warning", "wrn", "error", "err", "eror", "severe", "critical", "crit", "fatal", "panic", "dpanic"),
    *("emerg", "emergency", "alert"),
)
_GRAVE = " OR ".join(
    [
        *(name for word in _WORDS for name in (word, word.upper(), word.capitalize())),
        *map(str, (0, 1, 2, 3, 4, 40, 50, 60)),
    ]
)
"""A query string of the values of a level field that may be grave."""


class Config(LogSection):
    """Log entries in OpenSearch or Elasticsearch."""

    endpoint: EndpointRef = Field(description="its HTTP API, a name under `endpoints`")
    index: Annotated[str, Field(min_length=1, pattern=r"^[^/?#\s]+$")] = Field(
        description="index, pattern (`logs-*`) or data stream"
    )
    match: dict[str, str | int | bool] = Field({}, description="fields that entries must have exactly (keyword fields)")
    time_field: str = "@timestamp"
    level_field: str = Field("level", description="field of the level; its `.keyword` where it is a text")
    message_field: str = "message"
    username: str = ""
    password: Secret | None = Field(None, description="with `username`: basic authentication, by reference")
    api_key: Secret | None = Field(None, description="an API key (base64 of id:key), by reference")
    max_entries: Annotated[Count, Field(ge=100)] = Field(20_000, description="most entries that are carried in a look")
    page: Annotated[int, Field(ge=10, le=10_000)] = Field(1_000, description="entries of one answer")
    late: Duration = Field(300.0, description="how much later than written an entry may come in")
    sparse: bool = Field(False, description="entries are rare: none from before the window is no gap")

    @model_validator(mode="after")
    def _authenticates_one_way(self) -> Self:
        if bool(self.username) != (self.password is not None) or (self.username and self.api_key):
            raise ValueError("either 'username' with 'password', or 'api_key', or none of them")
        return self


def open_source(name: str, config: Config, reach: Reach) -> CollectedSource:
    """The source; the server is asked at the first look."""
    terms = Terms(max_entries=config.max_entries, late=timedelta(seconds=config.late), sparse=config.sparse)
    client = reach.client_of(config.endpoint)
    return CollectedSource(name, "opensearch", terms, OpenSearch(client=client, name=name, config=config))


@dataclass(frozen=True, kw_only=True)
class OpenSearch(Collector):
    """The entries of one index or pattern."""

    client: LogClient
    name: str
    config: Config

    def count(self, span: Span) -> int:
        """See `Collector.count`."""
        return self._ask("_count", {"query": self._query(span)}, _count, "the count")

    def entries(self, span: Span, *, most: int) -> Fetched:
        """See `Collector.entries`."""
        return self._paged(self._query(span), most)

    def grave(self, span: Span, *, most: int) -> Fetched:
        """See `Collector.grave`. Entries without a level, and those with a stack trace, may be grave as well."""
        query = self._query(span, [{"bool": {"should": self._may_be_grave, "minimum_should_match": 1}}])
        count = self._ask("_count", {"query": query}, _count, "the count")
        if count <= most:
            return self._paged(query, most + self.config.page)
        body = {"query": query, "size": self.config.page, "sort": self._sorted("desc"), "track_total_hits": False}
        newest = self._ask("_search", body, self._hits, "the search")
        told = f"log {self.name}: {count} entries may be grave, of which the newest {len(newest)} were read"
        return Fetched(entries=tuple(entry for entry, _ in newest), incomplete=told)

    def levels(self, span: Span) -> Mapping[str, int] | None:
        """See `Collector.levels`: by aggregation over the field of the level."""
        for field in (self.config.level_field, f"{self.config.level_field}.keyword"):
            by_level = {"terms": {"field": field, "size": _GROUPS, "missing": "-"}}
            body = {"query": self._query(span), "size": 0, "track_total_hits": True, "aggs": {"levels": by_level}}
            try:
                groups = self._ask("_search", body, _groups, "the counts by level")
            except CouldNotLook:
                if field != self.config.level_field:
                    raise
                continue
            return _by_level(groups) if groups is not None else None
        return None

    def find(self, sought: Sought, span: Span, *, most: int) -> Fetched | None:  # noqa: ARG002
        """See `Collector.find`: an index of words cannot be searched for parts of words or by an expression."""
        return None

    def reaches_back_to(self, at: datetime) -> bool:
        """See `Collector.reaches_back_to`."""
        before = {"range": {self.config.time_field: {"lte": utc_text(at + timedelta(seconds=2)), "format": _FORMAT}}}
        body = {"query": {"bool": {"filter": [before, *self._matches]}}, "terminate_after": 1, "size": 0}
        return self._ask("_search", {**body, "track_total_hits": True}, _total, "the search") > 0

    def _ask(self, path: str, body: Mapping[str, Any], read: Callable[[Any], T], told: str) -> T:
        index = quote(self.config.index, safe="*,-_.+<>")
        options = "?allow_partial_search_results=false" if path == "_search" else ""
        request = f"POST /{index}/{path}{options}"
        where = f"{told} in {self.config.index}"
        kind = "OpenSearch"

        def whole(answer: Any) -> T:
            _require_whole(answer, f"{self.client.name}: {where}")
            return read(answer)

        return asked(self.client, request, whole, told=where, kind=kind, headers=self._headers, body=body)

    def _query(self, span: Span, more: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        times = {"gte": utc_text(moment(span.start_ns)), "lt": utc_text(moment(span.end_ns)), "format": _FORMAT}
        return {"bool": {"filter": [{"range": {self.config.time_field: times}}, *self._matches, *more]}}

    @property
    def _matches(self) -> list[dict[str, Any]]:
        return [{"term": {field: value}} for field, value in self.config.match.items()]

    @property
    def _may_be_grave(self) -> list[dict[str, Any]]:
        field, message = self.config.level_field, self.config.message_field
        trace = " ".join(("critical", "crit", "fatal", "panic", "traceback", "exception"))
        return [
            # Lenient, since the field may hold numbers or words.
            {"query_string": {"query": _GRAVE, "fields": [field, f"{field}.keyword"], "lenient": True}},
            {"bool": {"must_not": [{"exists": {"field": field}}]}},
            {"match": {message: {"query": trace, "operator": "or"}}},
            {"exists": {"field": "exception"}},
            {"exists": {"field": "stack_trace"}},
            {"exists": {"field": "error.stack_trace"}},
        ]

    def _sorted(self, order: str) -> list[dict[str, Any]]:
        return [{self.config.time_field: {"order": order}}]

    def _paged(self, query: Mapping[str, Any], most: int) -> Fetched:
        """All entries, page by page. The last moment of a page is read again whole, since more may belong to it."""
        found: dict[str, Entry] = {}
        after: Any = None
        size = self.config.page
        while len(found) <= most:
            body = {"query": query, "size": size, "sort": self._sorted("asc"), "track_total_hits": False}
            page = self._ask("_search", body | ({"search_after": after} if after else {}), self._hits, "the search")
            found |= {entry.mark: entry for entry, _ in page}
            if len(page) < size:
                return Fetched(entries=tuple(found.values()))
            last = page[-1][1]
            earlier = [sort for _, sort in page if sort != last]
            if earlier:
                after, size = earlier[-1], self.config.page
            elif size < _WINDOW:
                size = min(_WINDOW, size * 4)
            else:
                told = f"log {self.name}: more than {_WINDOW} entries have one time; not all of them were read"
                return Fetched(entries=tuple(found.values()), incomplete=told)
        told = f"log {self.name}: more than {most} entries; the rest was not read"
        return Fetched(entries=tuple(found.values()), incomplete=told)

    def _hits(self, answer: Any) -> list[tuple[Entry, list[Any]]]:
        return [(self._entry(hit), list(hit["sort"])) for hit in answer["hits"]["hits"]]

    def _entry(self, hit: Mapping[str, Any]) -> Entry:
        source = dict(hit["_source"])
        at = of_fields({"time": _inside(source, self.config.time_field)}, Clock())
        if at is None:
            raise ValueError("no time")
        message = _inside(source, self.config.message_field)
        told = _inside(source, self.config.level_field)
        known = {"message": message} if isinstance(message, str) and "message" not in source else {}
        return Entry(
            at_ns=ns_of(at),
            stream=str(hit.get("_index", "")),
            text=json.dumps({**source, **known}, ensure_ascii=False),
            id=f"{hit['_index']}/{hit['_id']}",
            level=levels.named(told) if self.config.level_field != "level" else None,
        )

    @property
    def _headers(self) -> dict[str, str]:
        if self.config.api_key is not None:
            return {"Authorization": f"ApiKey {self.config.api_key.reveal()}"}
        if self.config.password is None:
            return {}
        pair = f"{self.config.username}:{self.config.password.reveal()}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _require_whole(answer: Any, told: str) -> None:
    """CouldNotLook when a part of the index did not answer."""
    shards = answer["_shards"]
    if answer.get("timed_out", False) is not False:
        raise CouldNotLook(f"{told} timed out there, so its answer is not whole")
    if whole_number(shards["total"]) == 0:
        raise CouldNotLook(f"{told}: no index is there of that name")
    failed = whole_number(shards["failed"])
    if failed:
        reasons = [_reason(failure) for failure in shards.get("failures", []) if isinstance(failure, Mapping)]
        why = f" ({excerpt('; '.join(filter(None, reasons)).encode())})" if any(reasons) else ""
        raise CouldNotLook(f"{told}: {failed} of {whole_number(shards['total'])} shards failed{why}")


def _reason(failure: Mapping[str, Any]) -> str:
    reason = failure.get("reason")
    return str(reason.get("reason") or reason.get("type") or "") if isinstance(reason, Mapping) else ""


def _count(answer: Any) -> int:
    return whole_number(answer["count"])


def _total(answer: Any) -> int:
    total = answer["hits"]["total"]
    # Elasticsearch 6 told a bare number.
    return whole_number(total["value"] if isinstance(total, Mapping) else total)


def _groups(answer: Any) -> list[tuple[Any, int]] | None:
    """(value, entries) of each group; None where they are approximate or not all."""
    found = answer["aggregations"]["levels"]
    is_exact = not whole_number(found.get("sum_other_doc_count", 0)) and found.get("doc_count_error_upper_bound") == 0
    groups = [(bucket["key"], whole_number(bucket["doc_count"])) for bucket in found["buckets"]]
    return groups if is_exact else None


def _by_level(groups: Sequence[tuple[Any, int]]) -> Mapping[str, int] | None:
    """Counts by canonical level; None if entries have none, since their text may say it."""
    found = dict.fromkeys(levels.LEVELS, 0)
    for value, count in groups:
        level = levels.of_fields({"level": value})
        if level is None and count:
            return None
        found[str(level)] += count
    return found


def _inside(source: Mapping[str, Any], path: str) -> Any:
    if path in source:
        return source[path]
    value: Any = source
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
