"""What containers use, out of what `awk` printed of the kernel's counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from golive.targets.services.told import digits


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """What one container uses; memory without the file cache that can be given back, `uids` by process."""

    up_s: float | None = None
    cpu_s: float | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    oom_kills: int | None = None
    rx_bytes: int | None = None
    tx_bytes: int | None = None
    uids: Mapping[int, int] = field(default_factory=dict)


def uses(first: str, again: str) -> dict[str, Use]:
    """By container; the use of CPU (in percent of one core) only of those that were read twice."""
    before = _read(first)
    after = _read(again)
    return {name: replace(use, cpu_percent=_percent(use, after.get(name))) for name, use in before.items()}


def _read(said: str) -> dict[str, Use]:
    found = {}
    for line in said.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "use":
            values = dict(pair.split("=", 1) for pair in words[2:] if "=" in pair)
            found[words[1]] = _one(values)
    return found


def _one(values: Mapping[str, str]) -> Use:
    memory, inactive = digits(values.get("memory")), digits(values.get("inactive")) or 0
    microseconds, nanoseconds = digits(values.get("cpu_us")), digits(values.get("cpu_ns"))
    return Use(
        up_s=_seconds(values.get("up", "")),
        cpu_s=nanoseconds / 1e9 if nanoseconds is not None else None if microseconds is None else microseconds / 1e6,
        memory_bytes=None if memory is None else max(0, memory - inactive),
        oom_kills=digits(values.get("oom_kills")),
        rx_bytes=digits(values.get("rx")),
        tx_bytes=digits(values.get("tx")),
        uids=dict(_uids(values.get("uids", ""))),
    )


def _uids(text: str) -> list[tuple[int, int]]:
    pairs = (pair.partition(":") for pair in text.split(","))
    known = ((digits(pid), digits(uid)) for pid, _, uid in pairs)
    return [(pid, uid) for pid, uid in known if pid is not None and uid is not None]


def _percent(before: Use, after: Use | None) -> float | None:
    if after is None or None in (before.cpu_s, before.up_s, after.cpu_s, after.up_s):
        return None
    took_s = (after.up_s or 0.0) - (before.up_s or 0.0)
    # A counter that went back belongs to a container that was started again in between.
    used_s = (after.cpu_s or 0.0) - (before.cpu_s or 0.0)
    return 100 * used_s / took_s if took_s > 0.05 and used_s >= 0 else None


def _seconds(text: str) -> float | None:
    whole, _, part = text.partition(".")
    number, rest = digits(whole), digits(part or "0")
    return None if number is None or rest is None else number + rest / 10 ** len(part or "0")
