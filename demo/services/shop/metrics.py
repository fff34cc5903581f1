"""Counters of this process, shown in the Prometheus text format (version 0.0.4)."""

from __future__ import annotations

import os
import resource
import threading
import time
from bisect import bisect_left
from collections import Counter
from pathlib import Path

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counters:
    """Requests by status, their durations, and orders made. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_status: Counter[int] = Counter()
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self._seconds = 0.0
        self._orders = 0

    def count_request(self, status: int, seconds: float) -> None:
        """One answered request."""
        with self._lock:
            self._by_status[status] += 1
            self._buckets[bisect_left(BUCKETS_S, seconds)] += 1
            self._seconds += seconds

    def count_order(self) -> None:
        """One sale."""
        with self._lock:
            self._orders += 1

    def lines(self, queue_depth: int | None) -> list[str]:
        """All metrics; an unknown queue depth is left out rather than shown as zero."""
        with self._lock:
            by_status, buckets = dict(self._by_status), list(self._buckets)
            seconds, orders = self._seconds, self._orders
        lines = _metric("http_requests_total", "counter", "Answered requests by status.")
        lines += [f'http_requests_total{{status="{status}"}} {count}' for status, count in sorted(by_status.items())]
        lines += _histogram(buckets, seconds)
        lines += [*_metric("warungin_orders_total", "counter", "Orders made."), f"warungin_orders_total {orders}"]
        if queue_depth is not None:
            lines += _metric("warungin_queue_depth", "gauge", "Report jobs that wait.")
            lines.append(f"warungin_queue_depth {queue_depth}")
        return lines + _process()


def _metric(name: str, kind: str, says: str) -> list[str]:
    return [f"# HELP {name} {says}", f"# TYPE {name} {kind}"]


def _histogram(buckets: list[int], seconds: float) -> list[str]:
    name = "http_request_duration_seconds"
    lines, running = _metric(name, "histogram", "Time to answer a request."), 0
    for limit, count in zip([*map(str, BUCKETS_S), "+Inf"], buckets, strict=True):
        running += count
        lines.append(f'{name}_bucket{{le="{limit}"}} {running}')
    return [*lines, f"{name}_sum {seconds:.6f}", f"{name}_count {running}"]


def _process() -> list[str]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    values = [
        ("process_cpu_seconds_total", "counter", f"{used.ru_utime + used.ru_stime:.3f}", "CPU time used."),
        ("process_start_time_seconds", "gauge", f"{_STARTED_AT:.3f}", "Start, in Unix time."),
        ("process_resident_memory_bytes", "gauge", str(_resident_bytes()), "Memory in use."),
        ("process_open_fds", "gauge", str(_open_files()), "Open file descriptors."),
    ]
    return [line for name, kind, value, says in values for line in (*_metric(name, kind, says), f"{name} {value}")]


def _resident_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # no /proc: the highest use so far is the best there is, in kB
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _open_files() -> int:
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return sum(1 for _ in Path(folder).iterdir())
        except OSError:
            continue
    return 0


_STARTED_AT = time.time()
