"""Every place where our own services ask whether they are to misbehave, in one file.

The healthy code stays readable that way: it calls one function here, which is a no-op unless the fault of that name is
active (`faults.json`, see demo/state.py). Faults that need no help from the services, such as a stopped service or a
lock that is held, are not mentioned here at all.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from demo.settings import DIRECTORY_VARIABLE
from demo.state import active_faults

SLOW_TAIL_S = 1.5
SLOW_TAIL_EVERY = 10
SLOW_API_S = 0.25
CLOCK_SKEW_S = 300.0
HEALTH_HANGS_S = 30.0
LEAK_BYTES = 256 * 1024
LEAK_EVERY_S = 1.0
LEAK_STEPS = 512  # in nine minutes to 128 MiB, and no further
WAYWARD_ABSOLUTE_S = 30 * 86400.0
ERROR_EVERY = 25
ONE_AT_A_TIME_S = 0.045

_OF_STORES = "/stores/"

_directory = Path(os.environ.get(DIRECTORY_VARIABLE, "/nonexistent"))
_requests: Counter[str] = Counter()
_lock = threading.Lock()
_served: Counter[str] = Counter()
_one_at_a_time = threading.Lock()


def is_on(fault: str) -> bool:
    """Whether that fault is active now."""
    return fault in active_faults(_directory)


def any_on(prefix: str) -> bool:
    """Whether a fault whose name starts like that is active now."""
    return any(name.startswith(prefix) for name in active_faults(_directory))


# Logs and time


def writes_no_log(service: str) -> bool:
    """The API has lost its log file's handle and does not notice."""
    return service == "api" and is_on("log-stopped")


def clock() -> float:
    """Unix time in seconds as the API's clock has it."""
    return time.time() + (CLOCK_SKEW_S if is_on("api-clock-skew") else 0.0)


def pause(seconds: float, fault: str) -> None:
    """Sleep, but not longer than the fault lasts."""
    end = time.monotonic() + seconds
    while is_on(fault) and (left := end - time.monotonic()) > 0:
        time.sleep(min(0.05, left))


# Requests


def delay_request(rule: str) -> None:
    """Slow answers: each of them a little, or every tenth of a route a lot (the median does not show it)."""
    if not active_faults(_directory):
        return
    if is_on("slow-api"):
        pause(SLOW_API_S, "slow-api")
    if is_on("slow-tail"):
        with _lock:
            _requests[rule] += 1
            is_tail = _requests[rule] % SLOW_TAIL_EVERY == 0
        if is_tail:
            pause(SLOW_TAIL_S, "slow-tail")


def serve_one_at_a_time(rule: str) -> None:
    """The routes of stores have one worker between them: who comes while it is busy waits for their turn."""
    if _OF_STORES in rule and is_on("throughput-capped"):
        with _one_at_a_time:
            pause(ONE_AT_A_TIME_S, "throughput-capped")


def breaks_down(rule: str) -> bool:
    """Every 25th look at something of a store ends in an error that nobody expected."""
    if not rule.startswith("GET ") or _OF_STORES not in rule or not is_on("load-errors"):
        return False
    with _lock:
        _served[rule] += 1
        return _served[rule] % ERROR_EVERY == 0


def endless(fault: str) -> Iterator[bytes]:
    """A body that goes on as long as the fault does: about 100 kB/s of spaces, which JSON allows before a value."""
    while is_on(fault):
        yield b" " * 2048
        time.sleep(0.02)


# Memory


_leak: list[mmap.mmap] = []
_leak_started_at = 0.0


def leak() -> None:
    """Called again and again: keeps some more memory, which is given back when the fault is over."""
    global _leak_started_at
    if not is_on("slow-leak"):
        while _leak:
            _leak.pop().close()
        return
    if not _leak:
        _leak_started_at = time.monotonic()
    due = min(LEAK_STEPS, 1 + int((time.monotonic() - _leak_started_at) / LEAK_EVERY_S))
    while len(_leak) < due:
        _leak.append(mmap.mmap(-1, LEAK_BYTES))  # unlike what malloc takes, this goes back to the system at once
        _leak[-1].write(b"\x01" * LEAK_BYTES)  # or it would only be reserved


# Sessions


def keeps_sessions_for_ever() -> bool:
    """Session keys get no TTL."""
    return is_on("sessions-without-ttl")


def session_limits(idle_s: float, absolute_s: float) -> tuple[float, float]:
    """Idle and absolute limit in seconds that are enforced."""
    if is_on("idle-limit-ignored"):
        idle_s = absolute_s
    if is_on("absolute-limit-ignored"):
        absolute_s = WAYWARD_ABSOLUTE_S
    return idle_s, absolute_s


# Stores


def lets_into_other_store(method: str) -> bool:
    """The check of the store is missing for reading, or for writing."""
    if method in {"GET", "HEAD"}:
        return is_on("other-store-answered")
    return is_on("other-store-writable")


# Second factor


def accepts_code(code: str) -> bool:
    """A code that is taken without looking at it."""
    if code == "":
        return is_on("second-factor-empty-code")
    return is_on("second-factor-any-code")


# Features


def features_off() -> frozenset[str]:
    """Security features that somebody switched off in the configuration."""
    return frozenset({"throttling"}) if is_on("security-feature-off") else frozenset()


# Reports


def report_surplus() -> int:
    """What the worker adds to a report's total, in rupiah."""
    return 12_500 if is_on("report-total-wrong") else 0


# Backups


_STOPS_BACKUPS = ("blocked-lock", "connections-exhausted", "other-store-writable", "users-missing")


def pauses_backups() -> bool:
    """While backups are broken a new one would hide it; whether one fails for another fault would be chance."""
    return any_on("backup-") or any(map(is_on, _STOPS_BACKUPS))
