"""Opening TCP connections to see whether, and how evenly, a network carries them."""

from __future__ import annotations

import socket
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

from golive.targets.timing import percentile

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True, slots=True)
class Connects:
    """Times of the connections that came about, in ms, and why the others did not."""

    to: str
    times_ms: tuple[float, ...]
    failures: tuple[str, ...]

    @property
    def jitter_ms(self) -> float | None:
        """95th percentile of how far the times lie from their median; None without any."""
        if not self.times_ms:
            return None
        middle = statistics.median(self.times_ms)
        return percentile([abs(t - middle) for t in self.times_ms], 95)

    @property
    def trouble(self) -> str:
        """Why connections failed and how often: `28x refused, 2x no answer within 2 s`."""
        return ", ".join(f"{count}x {why}" for why, count in Counter(self.failures).most_common(3))


def address_of(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


def connect_often(host: str, port: int, *, times: int, timeout_s: float, within_s: float) -> Connects:
    """Open and close `times` connections one after the other.

    What could not be tried within `within_s` counts as failed, so that a dead network costs no more than that.
    """
    deadline = time.monotonic() + within_s
    taken: list[float] = []
    failures: list[str] = []
    for done in range(times):
        left = deadline - time.monotonic()
        if left <= 0:
            failures += [f"not tried within {within_s:g} s"] * (times - done)
            break
        began = time.perf_counter()
        try:
            socket.create_connection((host, port), timeout=min(timeout_s, left)).close()
            taken.append((time.perf_counter() - began) * 1000)
        except OSError as error:
            failures.append(_why(error, timeout_s))
    return Connects(to=f"{host}:{port}", times_ms=tuple(taken), failures=tuple(failures))


def _why(error: OSError, timeout_s: float) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    return (error.strerror or type(error).__name__).lower()
