"""What is shown while a load runs: one line, of what the last seconds came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from load.window import Window

_OVER_S = 3
"""Over so many seconds; a single one jumps too much to be read."""


class Progress:
    """Sees the lines of the stream and tells where the load stands."""

    def __init__(self, profile: str, duration_s: float) -> None:
        self._profile = profile
        self._duration_s = duration_s
        self._window = Window(_OVER_S + 5)
        self._users: dict[str, float] = {}

    def see(self, line: Mapping[str, Any]) -> None:
        """Take in a line of the stream. ValueError, KeyError or TypeError when it is of another shape."""
        if line["kind"] == "second":
            self._window.see(line)
        elif line["kind"] == "state":
            self._users[str(line.get("worker", ""))] = float(line["users"])
        elif line["kind"] == "worker" and line.get("state") != "joined":
            self._users.pop(str(line["worker"]), None)

    def text(self, elapsed_s: float) -> str:
        """As in `load steady  0:12/0:45  20 users  143/s  p95 82 ms  errors 0.0 %`."""
        seen = self._window.last(_OVER_S, until=self._window.latest - 1)
        covered_s = max(1.0, min(_OVER_S, elapsed_s - 1))
        p95 = f"{seen.histogram.percentile(95):.0f} ms" if seen.histogram.count else "-"
        return (
            f"load {self._profile}  {_clock(elapsed_s)}/{_clock(self._duration_s)}  {sum(self._users.values()):g} users"
            f"  {seen.n / covered_s:.0f}/s  p95 {p95}  errors {seen.error_percent:.1f} %"
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
