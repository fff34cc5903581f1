"""The second visit: what was found is read as a run would read it, so that only what holds is proposed as holding."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import ValidationError

from golive.discovery.found import HOST, Certificate, ServiceSet, Source, Survey
from golive.discovery.questions.units import Unit
from golive.discovery.visiting.knocking import first_certificate
from golive.environment.kinds import config_of, kinds_of
from golive.environment.params import Strict
from golive.environment.sections import HostSection
from golive.logs import LogReading, open_source
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions.certificate import CertificateFile as CertificateText
from golive.targets.hosts.questions.time_sync import TimeSync, TimeSyncFacts
from golive.targets.hosts.questions.timer import Timer, TimerFacts
from golive.targets.services import ServicesReading

WINDOW = timedelta(hours=1)
"""Where a run without a recorded deployment begins to read logs."""
_AT_ONCE = 4
_PLUMBING = ("systemd-*", "apt-*", "dpkg-*", "man-db*", "e2scrub*", "fstrim*", "motd-*", "phpsessionclean*", "dnf-*")
Q = TypeVar("Q")
A = TypeVar("A")


def usable(section: str, sets: Sequence[ServiceSet]) -> tuple[dict[str, Any], dict[str, str]]:
    """The records of each set's kind, and why others have none."""
    records: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for one in sets:
        record = _record(section, {**one.config, "expected": list(one.expected)})
        if isinstance(record, str):
            problems[one.name] = record
        else:
            records[one.name] = record
    return records, problems


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """What the second visit told; where something could not be looked at, its reason instead."""

    services: Mapping[str, ServicesReading | str]
    certificates: Mapping[str, Certificate | str]
    timers: Mapping[str, TimerFacts | str | None]
    time_sync: TimeSyncFacts | str


def again(section: HostSection, sets: Sequence[ServiceSet], survey: Survey) -> Again:
    """Sets of services as their managers tell of them, certificates, timers and the time service, in one visit."""
    records, problems = usable("services", sets)
    certificates = {file.path: CertificateText(path=file.path) for file in survey.certificates if file.readable}
    timers = {unit.name: Timer(name=unit.name) for unit in timers_of(survey)}
    host = Host(HOST, section, records)
    host.ask(*certificates.values(), *timers.values(), TimeSync())
    try:
        return Again(
            services={name: _told(host.read_services, name) for name in records} | problems,
            certificates={path: _certificate(_told(host.answer, one)) for path, one in certificates.items()},
            timers={name: _told(host.answer, one) for name, one in timers.items()},
            time_sync=_told(host.answer, TimeSync()),
        )
    finally:
        host.close()


def timers_of(survey: Survey) -> Iterator[Unit]:
    """Timers that are switched on and no plumbing of the operating system."""
    for unit in survey.units:
        is_plumbing = any(fnmatch.fnmatchcase(unit.name, pattern) for pattern in _PLUMBING)
        if unit.name.endswith(".timer") and unit.is_enabled and not is_plumbing:
            yield unit


def _told(ask: Callable[[Q], A], what: Q) -> A | str:
    try:
        return ask(what)
    except CouldNotLook as problem:
        return str(problem)


def _certificate(told: str | None) -> Certificate | str:
    """What is told is PEM, or the reason why it is not."""
    return first_certificate(told or "it is not there")


def logs(
    host: Host, sources: Sequence[Source], since: datetime
) -> tuple[tuple[Source, ...], dict[str, LogReading | str]]:
    """Each source from a moment on, as a first run will read it, or why it cannot be read.

    The sources come back as they are best described: a file that is older than the window but whose first line in
    it is not is one with rare lines.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(lambda source: _best(host, source, since), sources))
    return tuple(source for source, _ in found), {source.name: reading for source, reading in found}


def _best(host: Host, source: Source, since: datetime) -> tuple[Source, LogReading | str]:
    reading = _log(host, source, since)
    if source.config["kind"] != "file" or isinstance(reading, str) or reading.gap is None:
        return source, reading
    rare = replace(source, config={**source.config, "sparse": True})
    again = _log(host, rare, since)
    return (source, reading) if isinstance(again, str) or again.gap is not None else (rare, again)


def _log(host: Host, source: Source, since: datetime) -> LogReading | str:
    record = _record("logs", source.config)
    if isinstance(record, str):
        return record
    try:
        opened = open_source(source.name, record, lambda _: host)  # type: ignore[arg-type]
        return opened.read(None, since)[0]
    except CouldNotLook as problem:
        return str(problem)


def _record(section: str, data: Mapping[str, Any]) -> Strict | str:
    kind = data["kind"]
    if kind not in kinds_of(section):
        return f"there is no kind {kind!r} of {section}"
    try:
        return config_of(section, kind).model_validate(dict(data))
    except ValidationError as error:
        return f"it cannot be described: {error.errors()[0]['msg']}"
