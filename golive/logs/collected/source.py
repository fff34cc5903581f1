"""A source that reads a log collector: all entries while they are few, beyond that those that matter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from golive.logs import Cursor, LogReading, Opening, Piece, Said, levels
from golive.logs.collected.entries import Entry, Place, has_last, left_at, new_ones, ns_of, texts_of
from golive.logs.event import Format, LogEvent
from golive.logs.sought import Found, Sought
from golive.logs.text import LogText
from golive.model import utc_text

AHEAD = timedelta(minutes=5)
"""How far the clocks of those who write may be ahead of ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From a moment (included) to another (not included), in ns."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """Entries that were fetched, and why others may be missing."""

    entries: tuple[Entry, ...]
    incomplete: str | None = None


class Collector(ABC):
    """What a kind of collector is asked. Every method raises CouldNotLook when there is no usable answer."""

    @abstractmethod
    def count(self, span: Span) -> int:
        """How many entries there are; all partial answers are no answer."""

    @abstractmethod
    def entries(self, span: Span, *, most: int) -> Fetched:
        """All entries, up to `most`, the oldest first."""

    @abstractmethod
    def grave(self, span: Span, *, most: int) -> Fetched:
        """The entries that may be grave, with others among them, up to `most`, the newest of them if there are more."""

    @abstractmethod
    def levels(self, span: Span) -> Mapping[str, int] | None:
        """How many entries of each canonical level there are, if the collector can tell exactly; else None."""

    @abstractmethod
    def find(self, sought: Sought, span: Span, *, most: int) -> Fetched | None:
        """Entries that may be what is sought, up to `most`; None if it cannot look for that."""

    @abstractmethod
    def reaches_back_to(self, at: datetime) -> bool:
        """Whether it holds an entry from before then."""


@dataclass(frozen=True, kw_only=True)
class Aggregated:
    """Entries that the collector counted. `kept` are the grave ones at hand, as text of each stream."""

    source: str
    kept: tuple[LogText, ...]
    total: int
    why: str
    tally: Mapping[str, int] | None = None
    found: Mapping[Sought, Found] = field(default_factory=dict, hash=False)

    @property
    def size(self) -> int:
        """Bytes that were carried."""
        return sum(text.size for text in self.kept)

    @property
    def lines(self) -> int:
        """How many entries the collector looked through."""
        return self.total

    @property
    def oldest(self) -> datetime | None:
        """Time of the first entry at hand."""
        return min((at for text in self.kept if (at := text.oldest) is not None), default=None)

    @property
    def newest(self) -> datetime | None:
        """Time of the last entry at hand."""
        return max((at for text in self.kept if (at := text.newest) is not None), default=None)

    @cached_property
    def heavy(self) -> tuple[LogEvent, ...]:
        """The grave events at hand, by time."""
        events = [event for text in self.kept for event in text.heavy]
        return tuple(sorted(events, key=lambda event: event.time.timestamp() if event.time else 0.0))

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many events of WARNING, ERROR and CRITICAL there are."""
        if self.tally is not None:
            return {level: self.tally.get(level, 0) for level in levels.HEAVY}
        return {level: sum(text.counts[level] for text in self.kept) for level in levels.HEAVY}

    @property
    def malformed(self) -> int:
        """Lines that look like JSON but are none."""
        return sum(text.malformed for text in self.kept)

    def find(self, sought: Sought, *, limit: int) -> Found:
        """The entries that were sought in the collector; incomplete for what nobody asked for."""
        known = self.found.get(sought)
        if known is None:
            return Found(incomplete=f"{self.why}, and {sought.told} were not looked for there")
        return Found(events=known.events[-limit:], incomplete=known.incomplete)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a collector is read: how many entries are carried, how late they may come, whether they are rare."""

    form: Format = "auto"
    max_entries: int = 20_000
    late: timedelta = timedelta(minutes=5)
    sparse: bool = False


class CollectedSource:
    """The entries of one query to a collector."""

    def __init__(self, name: str, kind: str, terms: Terms, collector: Collector) -> None:
        self.name = name
        self._kind = kind
        self._terms = terms
        self._collector = collector

    def opening(self, since: Cursor | None, window_start: datetime | None) -> Opening | None:  # noqa: ARG002
        """See `LogSource.opening`: a collector is no host."""
        return None

    def read(
        self,
        since: Cursor | None,
        window_start: datetime | None,
        *,
        sought: Collection[Sought] = (),
        said: Said | None = None,  # noqa: ARG002
    ) -> tuple[LogReading, Cursor]:
        """See `LogSource.read`."""
        before = Place.of(since, self._kind)
        begin = window_start or datetime.now(UTC) - timedelta(hours=1)
        start_ns = before.seen_from_ns if before else ns_of(begin)
        now = datetime.now(UTC)
        span = Span(start_ns=start_ns, end_ns=ns_of(now + AHEAD))
        total = self._collector.count(span)
        if total <= self._terms.max_entries:
            fetched = self._collector.entries(span, most=self._terms.max_entries + 1_000)
            pieces: tuple[Piece, ...] = texts_of(new_ones(fetched.entries, before), self._like)
            gaps = [fetched.incomplete]
        else:
            fetched, piece, gap = self._aggregated(span, total, before, sought)
            pieces, gaps = (piece,), [gap]
        if before is not None and not has_last(fetched.entries, before):
            gaps.insert(0, self._lost(before, span, counted=total > self._terms.max_entries))
        elif before is None and not self._terms.sparse and not self._collector.reaches_back_to(begin):
            held = f"the collector holds no entry from before {utc_text(begin)}"
            gaps.insert(0, f"log {self.name}: {held}, so whether it has all since then cannot be told")
        oldest = min((at for piece in pieces if (at := piece.oldest) is not None), default=None)
        reading = LogReading(
            sources=(self.name,),
            pieces=pieces,
            window_start=window_start,
            oldest=oldest if before or gaps[0] else min(filter(None, [oldest, begin])),
            gap="; ".join(filter(None, gaps)) or None,
        )
        left = left_at(fetched.entries, before, start_ns=start_ns, now_ns=ns_of(now), late=self._terms.late)
        return reading, left.as_cursor(self._kind)

    def _lost(self, before: Place, span: Span, *, counted: bool) -> str | None:
        """Why what was seen last is not there again."""
        if not before.seen:
            return None
        if counted:
            # Not everything was fetched: the very moment is looked at.
            only = Span(start_ns=before.newest_ns, end_ns=min(span.end_ns, before.newest_ns + 1_000_000))
            if has_last(self._collector.entries(only, most=self._terms.max_entries).entries, before):
                return None
        at = utc_text(Entry(at_ns=before.newest_ns, stream="", text="").at)
        return f"log {self.name}: what was read last, of {at}, is no longer there; entries after it may be gone, too"

    def _aggregated(
        self, span: Span, total: int, before: Place | None, sought: Collection[Sought]
    ) -> tuple[Fetched, Aggregated, str | None]:
        """More entries than are carried: grave ones are, and what is sought; the levels are counted there."""
        most = self._terms.max_entries
        grave = self._collector.grave(span, most=most)
        why = f"log {self.name}: of {total} entries only those that may be grave were carried"
        tally = self._collector.levels(span) if grave.incomplete else None
        gap = grave.incomplete if tally is None else None
        if tally is not None and before is not None:
            tally = self._without_seen(tally, grave, before)
        piece = Aggregated(
            source=self.name,
            kept=texts_of(new_ones(grave.entries, before), self._like),
            total=total,
            why=why,
            tally=tally,
            found={one: self._found(one, span, before, why) for one in sought},
        )
        return grave, piece, gap

    def _without_seen(self, tally: Mapping[str, int], grave: Fetched, before: Place) -> Mapping[str, int]:
        """The counts without the entries that the last look counted already."""
        again = [entry for entry in grave.entries if entry.mark in before.seen]
        seen = [event for text in texts_of(again, self._like) for event in text.heavy]
        return {level: max(0, count - sum(e.level == level for e in seen)) for level, count in tally.items()}

    def _found(self, sought: Sought, span: Span, before: Place | None, why: str) -> Found:
        fetched = self._collector.find(sought, span, most=self._terms.max_entries)
        if fetched is None:
            return Found(incomplete=f"{why}, and {sought.told} cannot be looked for there")
        texts = texts_of(new_ones(fetched.entries, before), self._like)
        events = tuple(event for text in texts for event in text.find(sought, limit=100_000).events)
        return Found(events=events, incomplete=f"{why}, and {fetched.incomplete}" if fetched.incomplete else None)

    @property
    def _like(self) -> LogText:
        return LogText(data=b"", source=self.name, form=self._terms.form, framed=True)


def joined(pages: Sequence[Fetched]) -> Fetched:
    """Several answers as one."""
    found = [one.incomplete for one in pages if one.incomplete]
    return Fetched(entries=tuple(e for page in pages for e in page.entries), incomplete="; ".join(found) or None)
