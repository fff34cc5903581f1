"""What was counted in one second of a load, and what that is in sum. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from golive.judge.load.histogram import Histogram
from golive.model import CouldNotLook

UNFINISHED = "unfinished"
"""Requests without an answer when the load ended. They are told, but are neither requests made nor failures."""
GROUPS = ("all", "4xx", "5xx", "timeouts", "connection")
"""Words for several kinds of failures."""
_GROUPED = {"timeouts": frozenset({"timeout"}), "connection": frozenset({"refused", "reset"})}


@dataclass(frozen=True, kw_only=True, slots=True)
class Second:
    """The requests of one name that came to their end in the second from `at` (whole unix seconds), of all processes.

    `n` and `histogram` hold the failed ones, too. `failures` maps a kind (`500`, `timeout`, `refused`, `reset`,
    `failed`, `unfinished`, `other: …`) to its number. `intended` holds latencies from the intended start (open model);
    `late_us` is the sum of microseconds that they began later than intended.
    """

    at: int
    name: str
    n: int
    failures: Mapping[str, int] = field(default_factory=dict)
    histogram: Histogram = field(default_factory=Histogram)
    intended: Histogram | None = None
    late_us: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """A load process at a time: its users, the level that was wanted of it, its CPU and what waits in it.

    `cpu` is in per cent of a core since its last state, None where it was not told; `queued` are arrivals that are
    due and have not begun (open model).
    """

    at: float
    worker: str
    users: int
    level: float = 0.0
    cpu: float | None = None
    queued: int = 0


class Point(NamedTuple):
    """One second of a load as it is drawn: at which second after its beginning, and what was measured in it.

    `rate` are requests that ended in it, `errors` those of them that failed, `users` those that were there. Latencies
    are milliseconds, None where no request ended; from the intended start in the open model.
    """

    second: int
    rate: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    errors: int
    users: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """Several seconds in sum; `seconds` is the time that they cover, also where nothing was answered in it."""

    n: int
    failures: Counter[str]
    histogram: Histogram
    intended: Histogram | None
    seconds: float

    @property
    def latency(self) -> Histogram:
        """Latencies from the intended start where there are any (open model), else from the real one."""
        return self.histogram if self.intended is None else self.intended

    @property
    def rate(self) -> float:
        """Requests per second; CouldNotLook where no time was covered."""
        if self.seconds <= 0:
            raise CouldNotLook("the load did not come so far: no second of it was measured")
        return self.n / self.seconds

    def failed(self, kinds: str | Iterable[str] = "all") -> int:
        """How many requests failed in one of `kinds`: words of GROUPS, or kinds as they are in `failures`."""
        wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        return sum(n for kind, n in self.failures.items() if any(_is_of(kind, word) for word in wanted))

    def share(self, kinds: str | Iterable[str] = "all") -> float:
        """As `failed`, in per cent (0 to 100) of the requests; CouldNotLook where there was none."""
        if self.n <= 0:
            raise CouldNotLook("no request was answered, so there is no share of failed ones")
        return 100 * self.failed(kinds) / self.n


def _is_of(kind: str, word: str) -> bool:
    if kind == UNFINISHED:
        return word == kind
    if word in ("4xx", "5xx"):
        return len(kind) == 3 and kind.isdigit() and kind[0] == word[0]
    return word in ("all", kind) or kind in _GROUPED.get(word, ())


def added(seconds: Iterable[Second], covered_s: float) -> Totals:
    """The sum of these seconds, which together cover `covered_s` seconds of time."""
    n, failures, histogram, intended = 0, Counter[str](), Histogram(), Histogram()
    has_intended = False
    for second in seconds:
        n += second.n
        failures.update(second.failures)
        histogram.merge(second.histogram)
        if second.intended is not None:
            has_intended = True
            intended.merge(second.intended)
    return Totals(
        n=n,
        failures=failures,
        histogram=histogram,
        intended=intended if has_intended else None,
        seconds=covered_s,
    )
