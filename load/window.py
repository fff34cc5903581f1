"""The last seconds of a load that runs, merged over its workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from golive.judge.load.histogram import Histogram

UNFINISHED = "unfinished"
"""Requests that were on their way when the load ended: neither counted nor failed."""


@dataclass(kw_only=True)
class Totals:
    """What some seconds came to."""

    n: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    histogram: Histogram = field(default_factory=Histogram)

    @property
    def failed(self) -> int:
        """Requests that failed."""
        return sum(count for kind, count in self.failures.items() if kind != UNFINISHED)

    @property
    def error_percent(self) -> float:
        """Share of the requests that failed; 0 when there were none."""
        return 100.0 * self.failed / self.n if self.n else 0.0

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a line of kind `second`; latency from the intended start, where that is told. ValueError, KeyError."""
        self.n += int(line["n"])
        for kind, count in dict(line.get("failures") or {}).items():
            self.failures[str(kind)] += int(count)
        self.histogram.merge(Histogram.from_data(line.get("intended") or line["histogram"]))

    def merge(self, other: Totals) -> None:
        """Add other totals."""
        self.n += other.n
        self.failures.update(other.failures)
        self.histogram.merge(other.histogram)


class Window:
    """The totals of every second, as far back as is asked for. A line that comes late goes into its own second."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._seconds: dict[int, Totals] = {}
        self.latest = 0

    def see(self, line: Mapping[str, Any]) -> None:
        """Take in a line of kind `second`. ValueError, KeyError when it is of another shape."""
        at = int(line["at"])
        self._seconds.setdefault(at, Totals()).add(line)
        if at > self.latest:
            self.latest = at
            for old in [second for second in self._seconds if second < at - self._keep_s]:
                del self._seconds[old]

    def last(self, seconds: float, *, since: float = 0.0, until: int | None = None) -> Totals:
        """What the last `seconds` up to `until` (by default the latest one) came to, none before the time `since`."""
        end = self.latest if until is None else until
        merged = Totals()
        for at, totals in self._seconds.items():
            if max(end - seconds, since - 1) < at <= end:
                merged.merge(totals)
        return merged
