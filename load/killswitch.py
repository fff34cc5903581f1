"""When a load is stopped before its end: decided from the lines seen so far, without clock and I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from golive.environment.loads import AbortOn
from load.window import Totals, Window

_PERCENTILES = {"p50": 50.0, "p95": 95.0, "p99": 99.0}
_CAP_OVER_S = 5
"""Over how many seconds the cap on requests is watched."""
_CAP_SLACK = 1.2
"""How far a rate measured by whole seconds may lie above a cap that is kept."""
_CROWDED_S = 2.0
_SATURATED_S = 10.0
"""A generator that was busy for so long measures itself; there is nothing to be learned by going on."""


@dataclass(frozen=True, kw_only=True)
class Caps:
    """What the environment allows: users and requests per second in all, percent of a core for a load process."""

    users: float | None = None
    rate: float | None = None
    cpu_percent: float | None = None


class KillSwitch:
    """Watches a load. Every limit counts as crossed when it is reached."""

    def __init__(self, limits: Sequence[AbortOn], caps: Caps) -> None:
        self._limits = tuple(limits)
        self._caps = caps
        self._window = Window(max([_CAP_OVER_S, *(limit.over for limit in self._limits)]) + 5)
        self._began_at: float | None = None
        self._reason, self._is_new = "", False
        self._users: dict[str, float] = {}
        self._latest_state = 0.0
        self._crowded_since: float | None = None
        self._busy_since: dict[str, float] = {}
        self._busy_until: dict[str, float] = {}

    def see(self, line: Mapping[str, Any]) -> None:
        """Take in a line of the stream. ValueError, KeyError or TypeError when it is of another shape."""
        self._is_new = True
        if line["kind"] == "began":
            self._began_at = float(line["at"])
        elif line["kind"] == "second":
            self._window.see(line)
        elif line["kind"] == "state":
            self._see_state(line)
        elif line["kind"] == "worker" and line.get("state") != "joined":
            for known in (self._users, self._busy_since, self._busy_until):
                known.pop(str(line["worker"]), None)
            self._see_users()

    def reason(self) -> str:
        """Why the load must stop now, in one line; "" when it may go on."""
        if self._is_new:
            self._is_new = False
            found = (self._crossed(limit) for limit in self._limits)
            self._reason = next(filter(None, found), "") or self._beyond_caps() or self._saturated()
        return self._reason

    def _see_state(self, line: Mapping[str, Any]) -> None:
        worker, at = str(line.get("worker", "")), float(line["at"])
        self._users[worker] = float(line["users"])
        self._latest_state = max(self._latest_state, at)
        self._see_users()
        cpu = line.get("cpu")
        if self._caps.cpu_percent is None or cpu is None or float(cpu) <= self._caps.cpu_percent:
            self._busy_since.pop(worker, None)
            self._busy_until.pop(worker, None)
        else:
            self._busy_since.setdefault(worker, at)
            self._busy_until[worker] = at

    def _see_users(self) -> None:
        if self._caps.users is None or sum(self._users.values()) <= self._caps.users:
            self._crowded_since = None
        elif self._crowded_since is None:
            self._crowded_since = self._latest_state

    def _crossed(self, limit: AbortOn) -> str:
        since = 0.0 if self._began_at is None else self._began_at + limit.delay
        if limit.delay and self._window.latest < since:
            return ""
        seen = self._window.last(limit.over, since=since if limit.delay else 0.0)
        if seen.n < max(1, limit.min_requests):
            return ""
        return _too_many_errors(limit, seen) or _too_slow(limit, seen)

    def _beyond_caps(self) -> str:
        # Workers tell theirs one after the other: where users move between them, some are counted twice for a moment.
        if self._crowded_since is not None and self._latest_state - self._crowded_since >= _CROWDED_S:
            users = sum(self._users.values())
            return f"{users:g} users, and the environment allows {self._caps.users:g} (max_users)"
        if self._caps.rate is None:
            return ""
        # The latest second may still be growing; those before it are whole.
        rate = self._window.last(_CAP_OVER_S, until=self._window.latest - 1).n / _CAP_OVER_S
        if rate > self._caps.rate * _CAP_SLACK + 1:
            return f"{rate:.0f} requests/s, and the environment allows {self._caps.rate:g} (max_rate)"
        return ""

    def _saturated(self) -> str:
        for worker, since in self._busy_since.items():
            busy_s = self._busy_until[worker] - since
            if busy_s >= _SATURATED_S:
                return (
                    f"the load generator itself was the bottleneck: {worker or 'its process'} used more than"
                    f" {self._caps.cpu_percent:g} % of a core for {busy_s:.0f} s; give it more processes or workers"
                )
        return ""


def _too_many_errors(limit: AbortOn, seen: Totals) -> str:
    if limit.errors is None or seen.error_percent < limit.errors or not seen.failed:
        return ""
    kinds = ", ".join(f"{kind} {count}" for kind, count in seen.failures.most_common(3) if kind != "unfinished")
    return (
        f"errors {seen.error_percent:.1f} % within {limit.over:g} s ({seen.failed} of {seen.n} requests: {kinds}),"
        f" abort_on says {limit.errors:g} %"
    )


def _too_slow(limit: AbortOn, seen: Totals) -> str:
    if not seen.histogram.count:
        return ""
    for name, percent in _PERCENTILES.items():
        allowed = getattr(limit, name)
        if allowed is not None and (value := seen.histogram.percentile(percent)) >= allowed:
            return _slow(name, value, allowed, limit, seen)
    if limit.max is not None and seen.histogram.max_ms >= limit.max:
        return _slow("max", seen.histogram.max_ms, limit.max, limit, seen)
    return ""


def _slow(name: str, value_ms: float, allowed_ms: float, limit: AbortOn, seen: Totals) -> str:
    return f"{name} {value_ms:.0f} ms within {limit.over:g} s ({seen.n} requests), abort_on says {allowed_ms:g} ms"
