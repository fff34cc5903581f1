"""Services of a host and what is known of them, whatever manages them.

A kind of manager is one file here. It defines `Config(ServicesSection)`, the shell
text `snippet(config)` that becomes part of the host's composed probe, and the pure
`parse(config, said, facts)` that makes a `ServicesReading` of what the snippet printed.
A `Config` whose services are containers says so with `holds_containers`, and their records are in each `Service`.
What is deployed is read in the same two steps, in a command of its own: `identity_snippet`
and `identity`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast

from golive.environment.sections import ServicesSection
from golive.targets.hosts.facts import HostFacts
from golive.targets.hosts.processes import tree
from golive.targets.services.containers import Container


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """One service as its manager sees it; None where the manager or the host does not tell.

    `state` is the manager's own word. `cpu_percent` is of one core, of the whole process tree or of all containers.
    A service of several containers is `running` when all that are `wanted` run; `started_at` is the youngest start.
    """

    name: str
    state: str
    running: bool
    healthy: bool | None = None
    pid: int | None = None
    started_at: datetime | None = None
    restarts: int | None = None
    exit_code: int | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    net_rx_bytes: int | None = None
    net_tx_bytes: int | None = None
    wanted: int | None = None
    containers: tuple[Container, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Crash:
    """An unexpected end of a service; `at` is None where the manager keeps no time."""

    at: datetime | None
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ServicesReading:
    """All services of one set. `crashes_gap` says why crashes may be missing, None when none can be.

    `undeclared` are services of the same manager that nobody expects, `unknown_to_file` those that are expected but
    are not in the file that the set was made of. `declared_gap` says why that file could not be read. `note` is what
    there is to say where no service was found.
    """

    expected: tuple[str, ...]
    services: Mapping[str, Service]
    undeclared: tuple[str, ...] = ()
    unknown_to_file: tuple[str, ...] = ()
    declared_gap: str | None = None
    note: str = ""
    crashes: tuple[Crash, ...] = ()
    crashes_since: datetime | None = None
    crashes_gap: str | None = None
    pids: frozenset[int] = field(default_factory=frozenset)

    @property
    def missing(self) -> tuple[str, ...]:
        """Expected services that the manager does not know."""
        return tuple(name for name in self.expected if name not in self.services)

    @property
    def found(self) -> tuple[Service, ...]:
        """Expected services that the manager knows, in the order they are expected."""
        return tuple(self.services[name] for name in self.expected if name in self.services)

    @property
    def containers(self) -> tuple[Container, ...]:
        """Every container of every service that the manager knows, expected or not."""
        return tuple(container for service in self.services.values() for container in service.containers)


Part = tuple[str, str]
"""A service ("" for the set as a whole) and what of it: ("api", "image"), ("", "configuration")."""


class Kind(Protocol):
    """What the module of a kind offers."""

    Config: type[ServicesSection]

    def snippet(self, config: Any) -> str:
        """POSIX shell text that prints what `parse` needs; it changes nothing on the host."""

    def parse(self, config: Any, said: str, facts: HostFacts) -> ServicesReading:
        """CouldNotLook when `said` is not what the snippet prints (the manager does not answer)."""

    def identity_snippet(self, config: Any) -> str:
        """POSIX shell text that prints what `identity` needs; it changes nothing on the host."""

    def identity(self, config: Any, said: str, host: str) -> dict[Part, str]:
        """Digest or count of each part of what is deployed; the same after a mere restart.

        CouldNotLook when any part could not be read: what was not read is not unchanged. No
        message and no value shows what stands in a configuration.
        """


def kind(name: str) -> Kind:
    """The module of kind `name`; ModuleNotFoundError when there is none."""
    return cast(Kind, importlib.import_module(f"{__name__}.{name}"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What the process tree of one service uses, from the probe's two readings."""

    started_at: datetime | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    pids: frozenset[int] = frozenset()


def usage(facts: HostFacts, pid: int | None) -> Usage:
    """Use of the tree of `pid`; everything None when that process is not among those that were read.

    Memory is the sum of resident sets, so pages that the processes share count more than once.
    """
    if pid is None or pid not in facts.processes:
        return Usage()
    pids = tree(facts.processes, [pid])
    used = [facts.processes[p].cpu_percent for p in pids if p in facts.processes]
    known = [percent for percent in used if percent is not None]
    return Usage(
        started_at=facts.processes[pid].started_at,
        cpu_percent=sum(known) if len(known) == len(used) else None,
        memory_bytes=sum(facts.processes[p].rss_bytes for p in pids if p in facts.processes),
        pids=pids,
    )
