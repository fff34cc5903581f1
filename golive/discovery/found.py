"""What two visits and some knocking found, as one plain record that everything is proposed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from golive.discovery.proposal import LeftOut
from golive.discovery.questions.certificates import CertificateFile
from golive.discovery.questions.containers import Container, Declared
from golive.discovery.questions.log_files import LogFile
from golive.discovery.questions.logins import Group, Login
from golive.discovery.questions.packages import Package
from golive.discovery.questions.schedules import CronTable
from golive.discovery.questions.supervisors import Supervisor
from golive.discovery.questions.units import Unit
from golive.discovery.target import Target
from golive.logs import LogReading
from golive.targets.hosts.facts import HostFacts
from golive.targets.hosts.questions.time_sync import TimeSyncFacts
from golive.targets.hosts.questions.timer import TimerFacts
from golive.targets.services import ServicesReading

HOST = "app"
"""The name of the host in the environment that is proposed."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What the first visit found. `problems` says by noun what could not be looked at, and why."""

    target: Target
    looked_at: datetime
    facts: HostFacts
    units: tuple[Unit, ...] = ()
    supervisors: tuple[Supervisor, ...] = ()
    containers: tuple[Container, ...] = ()
    declared: Declared | None = None
    log_files: tuple[LogFile, ...] = ()
    certificates: tuple[CertificateFile, ...] = ()
    logins: tuple[Login, ...] = ()
    groups: tuple[Group, ...] = ()
    cron: tuple[CronTable, ...] = ()
    packages: tuple[Package, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of the host's entry, by which it was reached."""
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceSet:
    """Services under one manager as the environment would name them; `config` is its entry without `expected`."""

    name: str
    config: Mapping[str, Any]
    expected: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A source of log lines as the environment would name it."""

    name: str
    config: Mapping[str, Any]
    told: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """What matters of a certificate and its chain: whom it is for, until when all of it holds, what is broken."""

    subject: str
    not_after: datetime
    broken: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What a port answered when it was asked for HTTP: each path with its status, type, JSON and time."""

    url: str
    port: int
    answers: Mapping[str, Answered] = field(default_factory=dict)
    certificate: Certificate | None = None
    trusted: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """One answer. `json` is what it holds, None when it is no JSON object."""

    status: int
    content_type: str
    took_ms: float
    json: Mapping[str, Any] | None = None
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Everything. A set or source that could not be read has its reason instead of a reading."""

    survey: Survey
    system: str
    address: str = ""
    """How the runner reaches what listens there; empty where it does not."""
    deployed_at: datetime | None = None
    """When what was started last was deployed, where its starts tell that."""
    sets: tuple[ServiceSet, ...] = ()
    services: Mapping[str, ServicesReading | str] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    not_sources: tuple[LeftOut, ...] = ()
    logs: Mapping[str, LogReading | str] = field(default_factory=dict)
    starting: Mapping[str, LogReading | str] = field(default_factory=dict)
    """The same logs from the first start on, where that was before `deployed_at`."""
    heard: tuple[Heard, ...] = ()
    silent: Mapping[int, str] = field(default_factory=dict)
    certificates: Mapping[str, Certificate | str] = field(default_factory=dict)
    timers: Mapping[str, TimerFacts | str | None] = field(default_factory=dict)
    time_sync: TimeSyncFacts | str = "the time service was not asked"

    @property
    def facts(self) -> HostFacts:
        """The standard facts of the host."""
        return self.survey.facts
