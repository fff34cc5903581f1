"""Pure parsers of what Linux tells about itself: `/proc` files, `df`, `ss`. Garbled or ValueError on anything else."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta

from golive.targets.hosts.machine import Cpu, FileSystem, Interface, Load, Memory, Port

_LISTENING = "0A"
_USERS = re.compile(r'\("(?P<name>[^"]*)",pid=(?P<pid>\d+)')


class Garbled(Exception):
    """The text is not of the form that it should have."""


def positive(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number <= 0:
        raise Garbled(f"{number} is not above 0")
    return number


def uptime(text: str) -> float:
    """Seconds since boot from `/proc/uptime`."""
    return float(_words(text, 1, "/proc/uptime")[0])


def seconds(text: str) -> float:
    """Unix time from `date +%s.%N`; where `%N` is not known (BusyBox) the middle of the second."""
    found = re.fullmatch(r"(\d+)(\.\d+)?\S*", text.strip())
    if not found:
        raise Garbled("date prints no Unix time")
    return int(found[1]) + (float(found[2]) if found[2] else 0.5)


def zone(text: str) -> timedelta:
    """The zone's offset from `date +%z` (`+0200`)."""
    found = re.fullmatch(r"([+-])(\d\d)(\d\d)", text.strip())
    if not found:
        raise Garbled("no offset from UTC")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -offset if found[1] == "-" else offset


def cpu(before: str, after: str) -> Cpu:
    """Two readings of `/proc/stat`. Guest time is part of user time already; steal is not ours."""
    first, last = _cpu_ticks(before), _cpu_ticks(after)
    delta = [b - a for a, b in zip(first, last, strict=True)]
    total = sum(delta)
    if total <= 0:
        raise Garbled("the two readings of /proc/stat are the same")
    user, nice, system, _idle, _iowait, irq, softirq, steal = delta
    return Cpu(
        busy_percent=100 * max(0, user + nice + system + irq + softirq) / total,
        steal_percent=100 * max(0, steal) / total,
        total_ticks=total,
        count=len(re.findall(r"^cpu\d+ ", after, re.MULTILINE)),
    )


def cpu_count(text: str) -> int:
    """How many CPUs `/proc/stat` lists."""
    return positive(str(len(re.findall(r"^cpu\d+ ", text, re.MULTILINE))))


def memory(text: str) -> Memory:
    """`/proc/meminfo`; before Linux 3.14 without MemAvailable, which is then estimated the old way."""
    kib = {m[1]: int(m[2]) * 1024 for m in re.finditer(r"^(\w+):\s+(\d+)", text, re.MULTILINE)}
    if not kib.get("MemTotal"):
        raise Garbled("no MemTotal in /proc/meminfo")
    if "MemAvailable" not in kib and "MemFree" not in kib:
        raise Garbled("neither MemAvailable nor MemFree in /proc/meminfo")
    estimated = kib.get("MemFree", 0) + kib.get("Buffers", 0) + kib.get("Cached", 0)
    return Memory(
        total_bytes=kib["MemTotal"],
        available_bytes=kib.get("MemAvailable", estimated),
        swap_total_bytes=kib.get("SwapTotal", 0),
        swap_free_bytes=kib.get("SwapFree", 0),
    )


def load(text: str) -> Load:
    """`/proc/loadavg`."""
    one, five, fifteen = map(float, _words(text, 3, "/proc/loadavg")[:3])
    return Load(one=one, five=five, fifteen=fifteen)


def file_systems(sizes: str, inodes: str) -> tuple[FileSystem, ...]:
    """`df -P -B1` (or `-k`) and `df -P -i`, in their order; mount points may hold spaces."""
    counts = {mount: (total, used) for _, total, used, _, mount in _df_rows(inodes)}
    rows = _df_rows(sizes)
    block = 1024 if re.match(r".*\b(1024|1k|1K)-blocks", sizes) else 1
    if not rows:
        raise Garbled("df lists no file system")
    found = []
    for source, size, used, available, mount in rows:
        total, taken = counts.get(mount, (None, None))
        found.append(
            FileSystem(
                source=source,
                mount=mount,
                size_bytes=size * block,
                used_bytes=used * block,
                available_bytes=max(0, available) * block,
                inodes=total,
                inodes_used=taken,
            )
        )
    return tuple(found)


def ports(tcp: str, sockets: str) -> tuple[Port, ...]:
    """Listening TCP ports: numbers from `/proc/net/tcp` and `tcp6`, the processes from `ss -H -ltnp` where it is."""
    if "local_address" not in tcp:
        raise Garbled("neither /proc/net/tcp nor /proc/net/tcp6 can be read")
    owners = _owners(sockets)
    found = {}
    for address, port in _listening(tcp):
        process, pid = owners.get((address, port)) or (None, None)
        found[address, port] = Port(address=address, port=port, process=process, pid=pid)
    return tuple(found[key] for key in sorted(found, key=lambda k: (k[1], k[0])))


def interfaces(before: str, after: str | None) -> tuple[Interface, ...]:
    """Two readings of `/proc/net/dev`; an interface that is new in the second one grew by nothing.

    Without a second reading nothing is known of growth.
    """
    earlier, later = _interface_counts(before), _interface_counts(before if after is None else after)
    if not later:
        raise Garbled("no interface in /proc/net/dev")
    return tuple(
        Interface(
            name=name,
            rx_errors=counts[0],
            rx_drops=counts[1],
            tx_errors=counts[2],
            tx_drops=counts[3],
            grew=None if after is None else max(0, sum(counts) - sum(earlier.get(name, counts))),
        )
        for name, counts in later.items()
    )


def oom_kills(text: str) -> int:
    """Processes that the kernel killed for lack of memory since boot, from `/proc/vmstat` (Linux 4.13 and later)."""
    found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
    if not found:
        raise Garbled("no oom_kill in /proc/vmstat")
    return int(found[1])


def _words(text: str, least: int, where: str) -> list[str]:
    words = text.split()
    if len(words) < least:
        raise Garbled(f"{where} is empty or cut")
    return words


def _cpu_ticks(text: str) -> list[int]:
    found = re.search(r"^cpu +([\d ]+)$", text, re.MULTILINE)
    ticks = [int(n) for n in found[1].split()] if found else []
    if len(ticks) < 4:
        raise Garbled("no line 'cpu' in /proc/stat")
    return [*ticks, 0, 0, 0, 0][:8]


def _df_rows(text: str) -> list[tuple[str, int, int, int, str]]:
    rows = []
    for line in text.splitlines()[1:]:
        # The source may hold spaces too, so the columns are counted from the numbers.
        found = re.match(r"(?P<source>.+?)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+(?P<mount>/.*)$", line)
        if found:
            rows.append((found["source"], int(found[2]), int(found[3]), int(found[4]), found["mount"]))
    return rows


def _listening(text: str) -> list[tuple[str, int]]:
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) > 3 and words[3] == _LISTENING and ":" in words[1]:
            address, _, port = words[1].partition(":")
            found.append((_address(address), int(port, 16)))
    return found


def _address(text: str) -> str:
    """`/proc/net/tcp` writes addresses as 32-bit words in the machine's byte order (little-endian where we go)."""
    raw = bytes.fromhex(text)
    if len(raw) not in (4, 16):
        raise Garbled(f"{text!r} is no address")
    words = [raw[i : i + 4][::-1] for i in range(0, len(raw), 4)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _owners(text: str) -> dict[tuple[str, int], tuple[str, int]]:
    owners = {}
    for line in text.splitlines():
        words = line.split()
        user = _USERS.search(line)
        if len(words) < 4 or user is None:
            continue
        address, _, port = words[3].rpartition(":")
        address = address.strip("[]").partition("%")[0].removeprefix("::ffff:")
        if port.isdigit():
            for spelled in {"*": ("0.0.0.0", "::")}.get(address, (address,)):  # noqa: S104 - read, not bound
                owners[spelled, int(port)] = (user["name"], int(user["pid"]))
    return owners


def _interface_counts(text: str) -> dict[str, tuple[int, int, int, int]]:
    found = {}
    for line in text.splitlines():
        name, colon, rest = line.rpartition(":")
        words = rest.split()
        if colon and len(words) >= 12 and all(word.isdigit() for word in words):
            found[name.strip()] = (int(words[2]), int(words[3]), int(words[10]), int(words[11]))
    return found
