"""The processes of a host from two readings of `/proc/PID/stat`, and which of them belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """One process. `used_s` is CPU time within the probe's window, `used_with_children_s` adds children that ended.

    Without a window both are 0 and `cpu_percent` is None.
    """

    pid: int
    parent: int
    name: str
    started_at: datetime | None
    rss_bytes: int
    used_s: float
    used_with_children_s: float
    cpu_percent: float | None


@dataclass(frozen=True, slots=True)
class _Line:
    pid: int
    parent: int
    name: str
    used: int
    children: int
    started: int
    rss_pages: int


def table(
    before: str, after: str | None, *, booted_at: datetime | None, ticks: int, page: int, window_s: float
) -> dict[int, Process]:
    """Processes of the second reading by pid. Lines that are no `/proc/PID/stat` are passed over.

    Where the second reading did not come, or none was wanted (None), those of the first are given.
    """
    earlier = _lines(before)
    found = {}
    for line in (_lines(after or "") or earlier).values():
        first = earlier.get(line.pid)
        if first is not None and first.started != line.started:
            first = None  # the number was given to another process in between
        used = (line.used - (first.used if first else 0)) / ticks
        children = (line.children - (first.children if first else 0)) / ticks
        found[line.pid] = Process(
            pid=line.pid,
            parent=line.parent,
            name=line.name,
            started_at=booted_at and booted_at + timedelta(seconds=line.started / ticks),
            rss_bytes=line.rss_pages * page,
            used_s=used,
            used_with_children_s=used + children,
            cpu_percent=100 * used / window_s if window_s > 0 else None,
        )
    return found


def tree(processes: Mapping[int, Process], roots: Iterable[int]) -> frozenset[int]:
    """`roots` and all their descendants."""
    children: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return frozenset(found)


def own_tree(processes: Mapping[int, Process], root: int | None, foreign: Iterable[int]) -> frozenset[int]:
    """The tree of `root` without what is the target's: the trees of `foreign` and what leads from `root` to them."""
    if root is None:
        return frozenset()
    mine = tree(processes, [root])
    theirs = set(tree(processes, foreign))
    for pid in list(theirs):
        above = processes[pid].parent if pid in processes else 0
        while above in mine and above != root:
            theirs.add(above)
            above = processes[above].parent if above in processes else 0
    return mine - theirs


def _lines(text: str) -> dict[int, _Line]:
    found = {}
    for raw in text.splitlines():
        line = _line(raw)
        if line is not None:
            found[line.pid] = line
    return found


def _line(raw: str) -> _Line | None:
    """One line of `/proc/PID/stat` (proc(5)); the name in parentheses may hold spaces and parentheses."""
    head, opened, rest = raw.partition(" (")
    name, closed, tail = rest.rpartition(") ")
    words = tail.split()
    if not opened or not closed or not head.isdigit() or len(words) < 22:
        return None
    try:
        numbers = [int(word) for word in words[1:22]]
    except ValueError:
        return None
    return _Line(
        pid=int(head),
        parent=numbers[0],
        name=name,
        used=numbers[10] + numbers[11],
        children=numbers[12] + numbers[13],
        started=numbers[18],
        rss_pages=max(0, numbers[20]),
    )
