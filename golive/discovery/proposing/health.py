"""The host itself: how it is reached, its CPU, memory, disks, inodes, clock and what the kernel killed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from golive.discovery.found import HOST, Found
from golive.discovery.naming import item
from golive.discovery.proposal import Collected, Entry, Item, Rule
from golive.discovery.proposing import limits
from golive.targets.hosts.facts import Clock, HostFacts
from golive.targets.hosts.machine import FileSystem

_SMALL_BYTES = 64_000_000
_IMAGES = ("overlay", "squashfs", "iso9660")
_TOLD = ("cpu_percent", "memory", "file_systems", "clock", "uptime", "ports", "oom_kills")
_FILES_OF_CONTAINERS = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
"""Mounted into every container; they lie on a disk of the engine's host."""
_CPU_WARNING, _CPU_CRITICAL, _CLOCK_CRITICAL_S = 75, 90, 2.0


def propose(found: Found, collected: Collected) -> None:
    """The entry of the host, and what every host is held to."""
    facts = found.facts
    collected.entries.append(_host(found))
    collected.count(hosts=1)
    collected.extend(_rules(facts))
    disks = list(_disks(facts))
    collected.count(disks=len(disks))
    collected.extend(_of_disks(disks))
    for noun, why in facts.problems.items():
        if noun not in _TOLD:
            continue
        collected.leave_out(noun.replace("_", " "), why)


def _host(found: Found) -> Entry:
    facts, target = found.facts, found.survey.target
    memory = f"{facts.memory.total_bytes / 1e9:.1f} GB of memory" if facts.memory else ""
    cpus = f"{facts.cpu_count} CPUs" if facts.cpu_count else ""
    up = f"up {facts.uptime_s / 3600:.0f} h" if facts.uptime_s else ""
    data: dict[str, Any] = {"connect": target.connect, **found.survey.options}
    return Entry(section="hosts", name=HOST, data=data, told=", ".join(filter(None, [cpus, memory, up])))


def _rules(facts: HostFacts) -> Iterator[Rule]:
    if facts.cpu_percent is not None:
        yield _cpu(facts.cpu_percent)
    if facts.memory is not None:
        used, total = facts.memory.used_percent, facts.memory.total_bytes / 1e9
        told = f"{used:.1f} % of {total:.1f} GB"
        yield _limited("memory", "Memory use stays below its limit", told, limits.share(used))
    if facts.clock is not None:
        yield _clock(facts.clock)
    if facts.oom_kills is not None:
        yield Rule(
            area="health",
            name="oom",
            says="The kernel killed no process for lack of memory",
            check="hosts/oom",
            severity="high",
            keys={"host": HOST},
            told=f"{facts.oom_kills} since it was started",
            off=f"{facts.oom_kills} were killed since it was started, and the first look counts them all"
            if facts.oom_kills
            else None,
        )


def _cpu(percent: float) -> Rule:
    """CPU use is a moment's: a high reading says that the limit must be thought about, a low one little."""
    off, warning = None, {"warning": _CPU_WARNING} if percent < _CPU_WARNING else {}
    if percent >= _CPU_CRITICAL:
        off = "it was at its limit when it was looked at: decide what is usual here"
    return Rule(
        area="health",
        name="cpu",
        says="CPU use stays below its limit",
        check="hosts/cpu",
        severity="medium",
        keys={"host": HOST, **warning, "critical": _CPU_CRITICAL},
        told=f"{percent:.0f} % over a few seconds",
        off=off,
    )


def _clock(clock: Clock) -> Rule:
    off_by = abs(clock.offset_s) + clock.uncertainty_s
    return Rule(
        area="health",
        name="clock",
        says="The clock agrees with the runner's",
        check="hosts/clock",
        severity="high",
        keys={"host": HOST, "critical": f"{_CLOCK_CRITICAL_S:g} s"},
        told=f"{abs(clock.offset_s):.2f} s apart, known to ± {clock.uncertainty_s:.2f} s",
        off="it is that far off, or its answer takes too long to tell" if off_by >= _CLOCK_CRITICAL_S else None,
        smoke=True,
    )


def _limited(name: str, says: str, told: str, proposed: limits.Limits) -> Rule:
    keys: dict[str, Any] = {"host": HOST, **_keys(proposed)}
    return Rule(
        area="health",
        name=name,
        says=says,
        check=f"hosts/{name}",
        severity="high",
        keys=keys,
        told=_told(told, proposed),
        off=proposed.remark if proposed.critical is None else None,
    )


def _of_disks(disks: list[FileSystem]) -> Iterator[Rule]:
    space = tuple(_item(d.mount, d.used_percent, f"of {d.size_bytes / 1e9:.1f} GB in use") for d in disks)
    inodes = tuple(
        _item(d.mount, share, f"of {d.inodes} in use") for d in disks if (share := d.inodes_percent) is not None
    )
    for name, says, items in (
        ("disk", "Disk space in use on {item} stays below its limit", space),
        ("inodes", "Inodes in use on {item} stay below their limit", inodes),
    ):
        if items:
            yield Rule(
                area="health",
                name=name,
                says=says,
                check=f"hosts/{name}",
                severity="high",
                keys={"host": HOST},
                items=items,
                smoke=True,
            )


def _item(mount: str, used_percent: float, told: str) -> Item:
    proposed = limits.share(used_percent)
    return Item(
        name=item(mount),
        keys={"paths": [mount], **_keys(proposed)},
        told=_told(f"{used_percent:.1f} % {told}", proposed),
        off=proposed.remark if proposed.critical is None else None,
    )


def _keys(proposed: limits.Limits) -> dict[str, int]:
    given = {"warning": proposed.warning, "critical": proposed.critical}
    return {key: value for key, value in given.items() if value is not None}


def _told(measured: str, proposed: limits.Limits) -> str:
    return f"{measured}; {proposed.remark}" if proposed.remark and proposed.critical is not None else measured


def _disks(facts: HostFacts) -> Iterator[FileSystem]:
    """File systems on disks that can fill up, each once: a bind mount is the disk that it is of."""
    seen: set[tuple[str, int]] = set()
    for disk in sorted(facts.file_systems or (), key=lambda d: len(d.mount)):
        key = (disk.source, disk.size_bytes)
        is_image = disk.mount in _FILES_OF_CONTAINERS or (disk.source in _IMAGES and disk.mount != "/")
        if not disk.is_disk or is_image or disk.size_bytes < _SMALL_BYTES or key in seen:
            continue
        seen.add(key)
        yield disk
