"""What the composed probe printed, as one frozen record. Pure: no I/O, no clock.

A fact that the host did not tell, or told in a form not understood, is None (or empty
where that is said) and `problems` says why under the fact's name; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from golive.model import CouldNotLook
from golive.targets.hosts import probe, reading
from golive.targets.hosts.machine import Cpu, FileSystem, Interface, Load, Memory, Port
from golive.targets.hosts.processes import Process, own_tree, table
from golive.targets.hosts.reading import Garbled

__all__ = ["Clock", "FileSystem", "HostFacts", "Interface", "Load", "Memory", "Port", "Process", "parse"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """The host's clock against the runner's: `offset_s` is host minus runner, known to `± uncertainty_s`."""

    offset_s: float
    uncertainty_s: float
    host_time: datetime


def without_own(busy_percent: float, own_percent: float) -> float:
    """CPU use by others, as a share of what was left to them.

    Taking the suite's own use off the whole would let a saturated machine pass: there, what
    the suite uses is what others went without. So 25 % of our own on a machine that is busy
    all the time leaves others at 100 %, and not at 75 %.
    """
    left = 100.0 - own_percent
    return min(100.0, max(0.0, busy_percent - own_percent) * 100.0 / left) if left > 1.0 else 100.0


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """Everything that was read of one host in one look.

    `booted_at`, and with it the start of every process, is in the runner's clock.
    Percentages are of the whole machine over the probe's window; `cpu_percent` leaves out
    steal, and on a local host what this suite's own processes used (see `without_own`).
    """

    host: str
    cpu_percent: float | None = None
    own_cpu_percent: float | None = None
    steal_percent: float | None = None
    cpu_count: int | None = None
    memory: Memory | None = None
    file_systems: tuple[FileSystem, ...] | None = None
    load: Load | None = None
    uptime_s: float | None = None
    booted_at: datetime | None = None
    clock: Clock | None = None
    zone: timedelta = timedelta(0)
    ports: tuple[Port, ...] | None = None
    interfaces: tuple[Interface, ...] | None = None
    failed_units: tuple[str, ...] | None = None
    oom_kills: int | None = None
    processes: Mapping[int, Process] = field(default_factory=dict)
    own_pids: frozenset[int] = frozenset()
    problems: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, tuple[bytes, int]] = field(default_factory=dict, repr=False)
    broke_off: bool = False

    def said(self, part: str) -> str:
        """What a snippet printed, whatever its exit code. CouldNotLook when it was cut off."""
        if self.broke_off and part not in self.outputs:
            raise CouldNotLook(f"host {self.host}: {probe.BROKE_OFF}")
        text, code = self.outputs.get(part, (b"", probe.TIMED_OUT))
        if code == probe.TIMED_OUT:
            raise CouldNotLook(f"host {self.host}: {part} did not answer within the time it is given")
        return text.decode("utf-8", "replace")

    def why_no(self, fact: str) -> str:
        """Why `fact` is not known, for the detail of a message; empty when it is known."""
        return self.problems.get(fact, "")

    def need(self, value: T | None, fact: str) -> T:
        """`value`, or CouldNotLook with the reason why it is not known."""
        if value is None:
            raise CouldNotLook(f"host {self.host}: {self.problems.get(fact, f'{fact} is not told by this host')}")
        return value


def parse(
    output: bytes,
    *,
    marker: str,
    host: str,
    sent_at: float,
    received_at: float,
    own_root_pid: int | None = None,
    with_rates: bool = True,
    broke_off: bool = False,
) -> HostFacts:
    """The facts in the probe's output. CouldNotLook when it broke off before they were all told.

    `sent_at` and `received_at` are the runner's clock (Unix seconds) around the probe. Without
    `own_root_pid`, what the probe itself used there is the suite's own use. An answer that breaks
    off later is used as far as it came; `broke_off` when that was for the connection and not for time.
    """
    parts, _ = probe.framed(output, marker)
    if _COMPLETE not in parts:
        why = probe.BROKE_OFF if broke_off else f"its answer broke off after {len(output)} bytes"
        raise CouldNotLook(f"host {host}: {why}")
    return _Builder(host, parts, own_root_pid, with_rates, broke_off).facts(sent_at, received_at)


_COMPLETE = "still"
_TICKS = 100
"""Ticks a second in which Linux tells CPU time to programs, on every machine it still runs on."""
_NO_RATES = "was not read, since no criterion of this run judges how fast something grows"


class _Lost(Exception):
    """A part that did not come before the connection broke off."""


class _Builder:
    def __init__(
        self,
        host: str,
        parts: Mapping[str, tuple[bytes, int]],
        own_root_pid: int | None,
        with_rates: bool,
        broke_off: bool,
    ) -> None:
        self._host = host
        self._parts = parts
        self._own_root = own_root_pid
        self._with_rates = with_rates
        self._broke_off = broke_off
        self._problems: dict[str, str] = {}

    def facts(self, sent_at: float, received_at: float) -> HostFacts:
        text = self._told
        page = self._read("page", lambda: reading.positive(text("page"))) or 4096
        started = self._read("clock", lambda: reading.seconds(text("date")))
        ended = self._read("clock", lambda: reading.seconds(text("date.2")))
        uptime = self._read("uptime", lambda: reading.uptime(text("uptime.1")))
        booted = self._booted(uptime, sent_at, received_at)
        zone = self._read("zone", lambda: reading.zone(text("zone"))) or timedelta(0)
        window_s = (
            self._rate("window", lambda: reading.uptime(text("uptime.2")) - reading.uptime(text("uptime.1"))) or 0.0
        )
        before, after = self._text("processes.1"), self._text("processes.2") if self._with_rates else None
        processes = table(before, after, booted_at=booted, ticks=_TICKS, page=page, window_s=window_s)
        own_root = self._own_root or self._read("self", lambda: reading.positive(text("self")))
        own = own_tree(processes, own_root, self._managed(processes))
        cpu = self._rate("cpu_percent", lambda: reading.cpu(text("stat.1"), text("stat.2")))
        cpu_count = self._read("cpu_count", lambda: reading.cpu_count(text("stat.1")))
        own_percent = self._own_percent(processes, own, cpu)
        return HostFacts(
            host=self._host,
            cpu_percent=None if cpu is None else without_own(cpu.busy_percent, own_percent or 0.0),
            own_cpu_percent=own_percent,
            steal_percent=None if cpu is None else cpu.steal_percent,
            cpu_count=cpu_count,
            memory=self._read("memory", lambda: reading.memory(text("memory"))),
            file_systems=self._read("file_systems", lambda: reading.file_systems(text("df"), text("inodes"))),
            load=self._read("load", lambda: reading.load(text("load"))),
            uptime_s=uptime,
            booted_at=booted,
            clock=self._clock(started, ended, sent_at, received_at),
            zone=zone,
            ports=self._read("ports", lambda: reading.ports(text("tcp"), text("sockets"))),
            interfaces=self._read(
                "interfaces", lambda: reading.interfaces(text("net.1"), text("net.2") if self._with_rates else None)
            ),
            failed_units=self._failed_units(),
            oom_kills=self._read("oom_kills", lambda: reading.oom_kills(text("vmstat"))),
            processes=processes,
            own_pids=own,
            problems=dict(self._problems),
            # The names of the standard parts are single words.
            outputs={name: part for name, part in self._parts.items() if " " in name},
            broke_off=self._broke_off,
        )

    def _text(self, name: str) -> str:
        return self._parts.get(name, (b"", -1))[0].decode("utf-8", "replace")

    def _told(self, name: str) -> str:
        if self._broke_off and name not in self._parts:
            raise _Lost
        return self._text(name)

    def _rate(self, fact: str, of: Callable[[], T]) -> T | None:
        if self._with_rates:
            return self._read(fact, of)
        self._problems[fact] = f"{fact.replace('_', ' ')} {_NO_RATES}"
        return None

    def _read(self, fact: str, of: Callable[[], T]) -> T | None:
        try:
            return of()
        except _Lost:
            self._problems[fact] = probe.BROKE_OFF
            return None
        except (Garbled, ValueError, IndexError, KeyError, OverflowError) as error:
            self._problems[fact] = f"{fact.replace('_', ' ')} could not be read ({error})"
            return None

    def _booted(self, uptime: float | None, sent_at: float, received_at: float) -> datetime | None:
        """In the runner's clock, so that a host with a wrong clock does not seem to have started its services late."""
        try:
            return datetime.fromtimestamp(received_at - reading.uptime(self._text("uptime.3")), UTC)
        except (Garbled, ValueError, OverflowError):
            # The answer broke off. The first reading was later than `sent_at` by the way there.
            return (
                None if uptime is None else self._read("uptime", lambda: datetime.fromtimestamp(sent_at - uptime, UTC))
            )

    def _managed(self, processes: Mapping[int, Process]) -> frozenset[int]:
        """Pids that the managers of services named: whatever belongs to them is not the suite's own."""
        words = [
            word for name, (said, _) in self._parts.items() if name.startswith("services ") for word in said.split()
        ]
        numbers = (word.strip(b",;") for word in words)
        return frozenset(int(n) for n in numbers if n.isdigit() and len(n) < 10 and int(n) in processes and int(n) > 1)

    def _own_percent(self, processes: Mapping[int, Process], own: frozenset[int], cpu: Cpu | None) -> float | None:
        if not own or cpu is None or not cpu.total_ticks:
            return None
        used = sum(processes[pid].used_with_children_s for pid in own if pid in processes)
        return min(100.0, max(0.0, used) * _TICKS * 100 / cpu.total_ticks)

    def _clock(self, started: float | None, ended: float | None, sent_at: float, received_at: float) -> Clock | None:
        """The host read its clock after `sent_at` and again before `received_at`; both bound the difference."""
        if started is None or ended is None:
            return None
        # Where the clock tells whole seconds only (BusyBox), the middle of the second was taken.
        coarse = 0.0 if re.match(r"\d+\.\d", self._text("date")) else 0.5
        lowest, highest = ended - received_at - coarse, started - sent_at + coarse
        if lowest > highest:
            # A clock that was set while it was read bounds nothing; what it shows now counts.
            return Clock(offset_s=lowest, uncertainty_s=lowest - highest, host_time=datetime.fromtimestamp(ended, UTC))
        return Clock(
            offset_s=(lowest + highest) / 2,
            uncertainty_s=(highest - lowest) / 2,
            host_time=datetime.fromtimestamp(ended, UTC),
        )

    def _failed_units(self) -> tuple[str, ...] | None:
        text, code = self._text("failed"), self._parts.get("failed", (b"", -1))[1]
        if code != 0:
            is_lost = self._broke_off and "failed" not in self._parts
            self._problems["failed_units"] = probe.BROKE_OFF if is_lost else "systemd does not run there"
            return None
        return tuple(line.split()[0].lstrip("●*") or line.split()[1] for line in text.splitlines() if line.split())
