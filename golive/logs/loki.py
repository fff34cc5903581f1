"""Entries of a Grafana Loki, by a LogQL query: all of them while they are few, else counted there and the grave ones.

Asked are `/ready`, `/loki/api/v1/query_range` and, for counts, `/loki/api/v1/query`.
See https://grafana.com/docs/loki/latest/reference/loki-http-api/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode

from pydantic import Field

from golive.environment.params import Count, Duration, EndpointRef, Secret
from golive.environment.sections import LogSection
from golive.logs import LogClient, Reach, levels
from golive.logs.collected.answers import asked, excerpt, whole_number
from golive.logs.collected.entries import Entry, ns_of
from golive.logs.collected.source import CollectedSource, Collector, Fetched, Span, Terms
from golive.logs.event import Format
from golive.logs.levels import HEAVY_WORDS
from golive.logs.sought import Sought
from golive.model import CouldNotLook

T = TypeVar("T")
_DAY_NS = 86_400_000_000_000
_LABELS = ("level", "severity")
_GRAVE_LABEL = (
    "(?i)(w(ar)?n(ing)?|wrn|e?r?ror|err|severe|cri?t(ical)?|fatal|ftl|d?panic|emerg(ency)?|alert|[0-4]|[456]0)"
)
_GRAVE = "|".join((*map(re.escape, HEAVY_WORDS), r'"(level|severity)" *: *"?[0-9]', "^[WEF][0-9]{4} ", "^<[0-9]"))


class Config(LogSection):
    """Entries of a Grafana Loki."""

    endpoint: EndpointRef = Field(description="Loki's HTTP API, a name under `endpoints`")
    query: Annotated[str, Field(pattern=r"^\s*\{", min_length=3)] = Field(
        description='LogQL query of log lines, such as `{job="api"}`, perhaps with filters'
    )
    tenant: str = Field("", description="value of the header X-Scope-OrgID, where Loki has several tenants")
    token: Secret | None = Field(None, description="bearer token, by reference")
    level_label: str = Field("", description="label that tells the level of every entry; by it very many are counted")
    format: Format = Field("auto", description="auto looks at every line; text never takes a line for JSON")
    max_entries: Annotated[Count, Field(ge=100)] = Field(20_000, description="most entries that are carried in a look")
    page: Annotated[int, Field(ge=1, le=5_000)] = Field(1_000, description="entries of one answer; Loki has a limit")
    late: Duration = Field(300.0, description="how much later than written an entry may come in")
    sparse: bool = Field(False, description="entries are rare: none from before the window is no gap")


def open_source(name: str, config: Config, reach: Reach) -> CollectedSource:
    """The source; Loki is asked at the first look."""
    terms = Terms(
        form=config.format,
        max_entries=config.max_entries,
        late=timedelta(seconds=config.late),
        sparse=config.sparse,
    )
    loki = Loki(reach.client_of(config.endpoint), headers=_headers(config), page=config.page)
    stream = LokiStream(loki=loki, name=name, query=config.query.strip(), level_label=config.level_label)
    return CollectedSource(name, "loki", terms, stream)


class Loki:
    """A Loki, or what speaks this part of its API."""

    def __init__(self, client: LogClient, *, headers: Mapping[str, str] | None = None, page: int = 1_000) -> None:
        self._client = client
        self._headers = headers
        self.page = page

    def why_not_ready(self) -> str | None:
        """What `/ready` answers instead of 200; None when it is ready."""
        answer = self._client.send("GET /ready")
        if answer.status == 200:
            return None
        return f"{self._client.name}: GET /ready answered {answer.status} ({excerpt(answer.body)})"

    def holds(self, text: str, *, jobs: Sequence[str], since: datetime, until: datetime) -> bool:
        """Whether an entry of one of these jobs contains `text`."""
        selector = "|".join(map(_escaped, jobs))
        span = Span(start_ns=ns_of(since), end_ns=ns_of(until))
        return bool(self.entries(f'{{job=~"{selector}"}} |= "{_quoted(text)}"', span, limit=1, direction="backward"))

    def newest(self, job: str, *, until: datetime, back: timedelta) -> datetime | None:
        """Time of the newest entry of `job`; None when there is none within `back`."""
        span = Span(start_ns=ns_of(until - back), end_ns=ns_of(until))
        found = self.entries(f'{{job="{_quoted(job)}"}}', span, limit=1, direction="backward")
        return max((entry.at for entry in found), default=None)

    def entries(
        self, query: str, span: Span, *, limit: int, direction: Literal["forward", "backward"], level_label: str = ""
    ) -> list[Entry]:
        """One answer: up to `limit` entries from one end of the span on, by time."""
        values = {"query": query, "start": span.start_ns, "end": span.end_ns, "limit": limit, "direction": direction}
        found = self._asked("query_range", values, query, lambda answer: _streams(answer, level_label))
        return sorted(found, key=lambda entry: entry.at_ns)

    def vector(self, query: str, at_ns: int) -> list[tuple[Mapping[str, str], int]]:
        """Labels and value of each sample of a metric query at one moment."""
        return self._asked("query", {"query": query, "time": at_ns}, query, _vector)

    def _asked(self, path: str, values: Mapping[str, Any], query: str, read: Callable[[Any], T]) -> T:
        request = f"GET /loki/api/v1/{path}?{urlencode(values)}"
        return asked(self._client, request, read, told=f"the query {query}", kind="Loki", headers=self._headers)


@dataclass(frozen=True, kw_only=True)
class LokiStream(Collector):
    """The entries of one LogQL query. `level_label` tells the level of each, if it is set."""

    loki: Loki
    name: str
    query: str
    level_label: str = ""

    def count(self, span: Span) -> int:
        """See `Collector.count`."""
        return sum(count for _, count in self.loki.vector(self._counting(self.query, span), span.end_ns))

    def entries(self, span: Span, *, most: int) -> Fetched:
        """See `Collector.entries`."""
        return self._paged(self.query, span, most)

    def grave(self, span: Span, *, most: int) -> Fetched:
        """See `Collector.grave`: by the text, and by a label of the level."""
        labels = dict.fromkeys(filter(None, (self.level_label, *_LABELS)))
        by_label = " or ".join(f'{label}=~"{_GRAVE_LABEL}"' for label in labels)
        queries = (f'{self.query} |~ "(?i)({_quoted(_GRAVE)})"', f"{self.query} | {by_label}")
        pages = [self._grave_of(query, span, most) for query in queries]
        distinct = {entry.mark: entry for page in pages for entry in page.entries}
        incomplete = "; ".join(page.incomplete for page in pages if page.incomplete)
        return Fetched(entries=tuple(distinct.values()), incomplete=incomplete or None)

    def _grave_of(self, query: str, span: Span, most: int) -> Fetched:
        count = sum(value for _, value in self.loki.vector(self._counting(query, span), span.end_ns))
        if count <= most:
            return self._paged(query, span, most + self.loki.page)
        newest = self.loki.entries(
            query, span, limit=self.loki.page, direction="backward", level_label=self.level_label
        )
        told = f"log {self.name}: {count} entries may be grave, of which the newest {len(newest)} were read"
        return Fetched(entries=tuple(newest), incomplete=told)

    def levels(self, span: Span) -> Mapping[str, int] | None:
        """See `Collector.levels`."""
        if not self.level_label:
            return None
        found = dict.fromkeys(levels.LEVELS, 0)
        for labels, count in self.loki.vector(self._counting(self.query, span, by=self.level_label), span.end_ns):
            level = levels.named(labels.get(self.level_label))
            if level is None:
                return None
            found[level] += count
        return found

    def find(self, sought: Sought, span: Span, *, most: int) -> Fetched | None:
        """See `Collector.find`."""
        texts = sought.texts
        if texts is None:
            return None
        case = "(?i)" if texts.any_case else ""
        return self._paged(f'{self.query} |~ "{case}({_quoted("|".join(map(_literal, texts.parts)))})"', span, most)

    def reaches_back_to(self, at: datetime) -> bool:
        """See `Collector.reaches_back_to`; a week before it is looked through."""
        span = Span(start_ns=ns_of(at) - 7 * _DAY_NS, end_ns=ns_of(at) + 2_000_000_000)
        return bool(self.loki.entries(self.query, span, limit=1, direction="backward"))

    def _counting(self, query: str, span: Span, *, by: str = "") -> str:
        grouped = f" by ({by})" if by else ""
        return f"sum{grouped} (count_over_time({query} [{-(-(span.end_ns - span.start_ns) // 1_000_000)}ms]))"

    def _paged(self, query: str, span: Span, most: int) -> Fetched:
        """All entries, page by page; each begins with the moment that the one before it ended with."""
        found: dict[str, Entry] = {}
        start = span.start_ns
        while len(found) <= most:
            page = self.loki.entries(
                query,
                Span(start_ns=start, end_ns=span.end_ns),
                limit=self.loki.page,
                direction="forward",
                level_label=self.level_label,
            )
            found |= {entry.mark: entry for entry in page}
            if len(page) < self.loki.page:
                return Fetched(entries=tuple(found.values()))
            last = page[-1].at_ns
            if last == start:
                told = f"log {self.name}: more than {self.loki.page} entries have one time; not all of them were read"
                return Fetched(entries=tuple(found.values()), incomplete=told)
            start = last
        told = f"log {self.name}: more than {most} entries; the rest was not read"
        return Fetched(entries=tuple(found.values()), incomplete=told)


def _headers(config: Config) -> dict[str, str]:
    tenant = {"X-Scope-OrgID": config.tenant} if config.tenant else {}
    return tenant | ({"Authorization": f"Bearer {config.token.reveal()}"} if config.token else {})


def _streams(answer: Any, level_label: str) -> list[Entry]:
    if answer["status"] != "success" or answer["data"]["resultType"] != "streams":
        raise ValueError("no streams")
    _require_whole(answer)
    return [
        _entry(stream["stream"], value, level_label)
        for stream in answer["data"]["result"]
        for value in stream["values"]
    ]


def _entry(labels: Mapping[str, Any], value: Sequence[Any], level_label: str) -> Entry:
    # Structured metadata comes as a third element.
    more = value[2] if len(value) > 2 and isinstance(value[2], Mapping) else {}
    told = next((v for name in (level_label, *_LABELS) if (v := more.get(name) or labels.get(name))), None)
    return Entry(
        at_ns=whole_number(value[0]),
        stream=json.dumps(dict(labels), sort_keys=True),
        text=str(value[1]),
        level=levels.named(told) if isinstance(told, str) else None,
    )


def _vector(answer: Any) -> list[tuple[Mapping[str, str], int]]:
    if answer["status"] != "success" or answer["data"]["resultType"] != "vector":
        raise ValueError("no vector")
    _require_whole(answer)
    return [
        (dict(one["metric"]), whole_number(str(one["value"][1]).partition(".")[0])) for one in answer["data"]["result"]
    ]


def _require_whole(answer: Mapping[str, Any]) -> None:
    """Loki answers 200 with warnings where a part of it did not answer."""
    warnings = answer.get("warnings")
    if warnings:
        told = excerpt(json.dumps(warnings).encode())
        raise CouldNotLook(f"Loki answered in part only: {told}")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _literal(text: str) -> str:
    """A text within a regular expression (RE2)."""
    return "".join(c if c.isalnum() or c in "_- " or not c.isascii() else f"\\{c}" for c in text)


def _escaped(job: str) -> str:
    """A job's name within a regular expression (RE2) within a quoted string."""
    return _quoted(_literal(job))
