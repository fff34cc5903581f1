"""From a target to everything that was found there: two visits, the logs, and a few knocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from golive.discovery.found import HOST, Found, Source, Survey
from golive.discovery.naming import why_unfit
from golive.discovery.target import NotATarget, Target
from golive.discovery.visiting import looking, reading
from golive.discovery.visiting.doors import doors
from golive.discovery.visiting.knocking import knock
from golive.discovery.visiting.sets import in_scope, sets_of
from golive.discovery.visiting.sources import sources_of
from golive.discovery.visiting.starts import Deployment, deployment
from golive.environment import connection
from golive.environment.sections import HostSection
from golive.logs import LogReading
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.shell import TookTooLong, WroteTooMuch, run_program

_TIMEOUT_S = 60
_CPU_WINDOW_S = 2
_RESOLVES_S = 5.0
_NAMED = 6
Progress = Callable[[str], None]
Readings = Mapping[str, LogReading | str]


def discover(
    target: Target,
    *,
    system: str,
    now: datetime,
    options: Mapping[str, Any],
    probe_http: bool | None = None,
    with_packages: bool = False,
    progress: Progress = lambda _: None,
) -> Found:
    """Everything that was found. `options` are further keys of the host's entry (`ssh_config` …).

    CouldNotLook when the host is not reached, or the compose project is not there; NotATarget on options that no
    host may have.
    """
    host = Host(HOST, _section(target, options), own_root_pid=os.getpid())
    try:
        progress(f"reading {target.told}")
        survey = _surveyed(host, target, options, now=now, with_packages=with_packages)
        found = _visited(host, survey, system, progress)
    finally:
        host.close()
    address = address_of(target, options)
    found_doors = doors(survey, address, probe_http=probe_http)
    progress(f"asking ports for HTTP ({len(found_doors)})")
    heard, silent = knock(found_doors)
    return replace(found, address=address, heard=heard, silent=silent)


def _visited(host: Host, survey: Survey, system: str, progress: Progress) -> Found:
    """What the second visit and the logs tell of what the first one found."""
    now = survey.looked_at
    sets = sets_of(survey)
    progress(f"reading services ({len(sets)})")
    again = looking.again(_section(survey.target, survey.options), sets, survey)
    last = deployment(again.services.values(), now)
    sources, not_sources = sources_of(survey, now.timestamp())
    progress(f"reading logs ({len(sources)})")
    sources, logs, starting = _logs(host, sources, last, now)
    return Found(
        survey=survey,
        system=system,
        deployed_at=last.at if last else None,
        sets=sets,
        services=again.services,
        sources=sources,
        not_sources=not_sources,
        logs=logs,
        starting=starting,
        certificates=again.certificates,
        timers=again.timers,
        time_sync=again.time_sync,
    )


def _surveyed(host: Host, target: Target, options: Mapping[str, Any], *, now: datetime, with_packages: bool) -> Survey:
    """What the first visit found. CouldNotLook also when a compose target is not up."""
    survey = reading.survey(host, target, now=now, with_packages=with_packages)
    why = why_not_up(survey)
    if why is not None:
        raise CouldNotLook(f"compose {target.path}: {why}")
    return replace(survey, options={**options, **tools(survey)})


def _logs(
    host: Host, sources: Sequence[Source], last: Deployment | None, now: datetime
) -> tuple[tuple[Source, ...], Readings, Readings]:
    """The sources, their readings as of a first run, and those from the first start on where that was earlier."""
    described, logs = looking.logs(host, sources, last.at if last else now - looking.WINDOW)
    # What was logged before the youngest container was made is no part of a run's window, and not well for that.
    starting = looking.logs(host, described, last.began)[1] if last and last.began < last.at else {}
    return described, logs, starting


def why_not_up(survey: Survey) -> str | None:
    """Why a compose target's project has nothing to look at; None when it has, and for other targets."""
    if survey.target.scope != "compose":
        return None
    if "declared" in survey.problems:
        return survey.problems["declared"]
    containers = [container for container in in_scope(survey) if not container.is_oneoff]
    if not containers:
        return "no container of it is there: bring it up first"
    if not any(container.is_up for container in containers):
        ended = ", ".join(f"{c.service} ({c.status})" for c in containers[:_NAMED])
        more = f" and {len(containers) - _NAMED} more" if len(containers) > _NAMED else ""
        return f"none of its containers runs: {ended}{more}: bring it up first"
    return None


def tools(survey: Survey) -> dict[str, list[str]]:
    """The folders of programs that are not in the host's PATH, as its entry names them."""
    folders = list(dict.fromkeys(s.tools for s in survey.supervisors if s.tools and why_unfit(s.tools) is None))
    return {"path": folders} if folders else {}


def _section(target: Target, options: Mapping[str, Any]) -> HostSection:
    data = {"connect": target.connect, "timeout": f"{_TIMEOUT_S} s", "cpu_window": f"{_CPU_WINDOW_S} s", **options}
    try:
        return HostSection.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise NotATarget(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def address_of(target: Target, options: Mapping[str, Any]) -> str:
    """How the runner reaches what listens on the host; empty where that cannot be told.

    For SSH the client's own configuration says what a name stands for.
    """
    if target.is_local:
        return "127.0.0.1"
    name = connection.parse(target.connect).host
    if target.scheme != "ssh":
        return name if target.scheme == "paramiko" else ""
    config = ["-F", str(options["ssh_config"])] if options.get("ssh_config") else []
    try:
        said = run_program(["ssh", *config, "-G", "--", name], timeout_s=_RESOLVES_S, max_bytes=100_000)
    except (OSError, TookTooLong, WroteTooMuch):
        return name
    words = (line.split(None, 1) for line in said.stdout.splitlines())
    return next((word[1] for word in words if len(word) == 2 and word[0] == "hostname"), name)
