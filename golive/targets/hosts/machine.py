"""What is known of a machine: CPU, memory, file systems, load, ports and interfaces as frozen records."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

_NO_DISK = frozenset(
    {"tmpfs", "devtmpfs", "udev", "none", "shm", "proc", "sysfs", "cgroup", "cgroup2", "dev", "run", "efivarfs"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cpu:
    """CPU use between two readings, in percent of all CPUs together."""

    busy_percent: float
    steal_percent: float
    total_ticks: int
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Memory and swap in bytes; `used_percent` is what is not available to new work."""

    total_bytes: int
    available_bytes: int
    swap_total_bytes: int
    swap_free_bytes: int

    @property
    def used_percent(self) -> float:
        """Share of memory that is not available."""
        return 100 * (self.total_bytes - self.available_bytes) / self.total_bytes

    @property
    def swap_percent(self) -> float:
        """Share of swap in use, 0 without swap."""
        return (
            100 * (self.swap_total_bytes - self.swap_free_bytes) / self.swap_total_bytes
            if self.swap_total_bytes
            else 0.0
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSystem:
    """A mounted file system. `used_percent` is of what ordinary users may fill, as `df` computes it."""

    source: str
    mount: str
    size_bytes: int
    used_bytes: int
    available_bytes: int
    inodes: int | None = None
    inodes_used: int | None = None

    @property
    def used_percent(self) -> float:
        """Share in use of what may be used without privilege."""
        usable = self.used_bytes + self.available_bytes
        return 100 * self.used_bytes / usable if usable else 0.0

    @property
    def inodes_percent(self) -> float | None:
        """Share of inodes in use; None for a file system without a fixed number of them."""
        return 100 * self.inodes_used / self.inodes if self.inodes and self.inodes_used is not None else None

    @property
    def is_disk(self) -> bool:
        """Whether it lies on a disk, rather than in memory or read-only in an image."""
        return self.source not in _NO_DISK and not self.source.startswith("/dev/loop")


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """Load averages over 1, 5 and 15 minutes."""

    one: float
    five: float
    fifteen: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Port:
    """A listening TCP port; `process` and `pid` are None where the host does not tell."""

    address: str
    port: int
    process: str | None = None
    pid: int | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only the host itself reaches it."""
        try:
            return ipaddress.ip_address(self.address.partition("%")[0]).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        where = f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"
        return f"{where} ({self.process})" if self.process else where


@dataclass(frozen=True, kw_only=True, slots=True)
class Interface:
    """Counters of a network interface since boot, and how much they grew within the probe's window (None without)."""

    name: str
    rx_errors: int
    rx_drops: int
    tx_errors: int
    tx_drops: int
    grew: int | None

    @property
    def total(self) -> int:
        """All errors and drops together."""
        return self.rx_errors + self.rx_drops + self.tx_errors + self.tx_drops
