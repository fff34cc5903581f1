"""Which sources of log lines an environment would name, out of what the first visit found. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from golive.discovery.found import HOST, Source, Survey
from golive.discovery.naming import distinct, slug, why_unfit
from golive.discovery.proposal import LeftOut
from golive.discovery.questions.log_files import LogFile
from golive.discovery.visiting.sets import in_scope, services_of

MOST = 30
_BOOKKEEPING = re.compile(
    r"^/var/log/(apt/|dpkg|alternatives|fontconfig|bootstrap|faillog|lastlog|installer/|unattended-upgrades/|dnf|yum|apk"
    r"|cloud-init|boot\.|kern\.log$|Xorg)"
)
_STALE_S = 7 * 86_400


def sources_of(survey: Survey, now_s: float) -> tuple[tuple[Source, ...], tuple[LeftOut, ...]]:
    """The sources under distinct names, and what is none and why."""
    named: list[Source] = []
    left_out: list[LeftOut] = []
    for one in (*_containers(survey), *_units(survey), *_files(survey, now_s, left_out)):
        if len(named) == MOST:
            left_out.append(
                LeftOut(what=f"log {one.told or one.name}", why=f"more than {MOST} sources: add it if it matters")
            )
            continue
        name = distinct(one.name, [taken.name for taken in named])
        named.append(Source(name=name, config=one.config, told=one.told))
    return tuple(named), tuple(left_out)


def _containers(survey: Survey) -> Iterator[Source]:
    """What each container writes, or wrote before it crashed; those of one service are one source."""
    seen: set[tuple[str, str]] = set()
    for one in in_scope(survey):
        if one.is_done or why_unfit(one.name) is not None:
            continue
        is_of_service = bool(one.project and one.service) and one.engine == "docker"
        whose = {"project": one.project, "service": one.service} if is_of_service else {"container": one.name}
        if is_of_service and (one.project, one.service) in seen:
            continue
        seen.add((one.project, one.service))
        program = {} if one.engine == "docker" else {"program": one.engine}
        yield Source(
            name=slug(one.service or one.name, "container"),
            config={"kind": "docker", "host": HOST, **program, **whose},
            told=f"service {one.service} of {one.project}" if is_of_service else f"container {one.name}",
        )


def _units(survey: Survey) -> Iterator[Source]:
    for unit in services_of(survey.units):
        if unit.is_running and why_unfit(unit.name) is None:
            name = unit.name.removesuffix(".service")
            yield Source(
                name=slug(name, "unit"),
                config={"kind": "journald", "host": HOST, "unit": unit.name},
                told=f"journal of {unit.name}",
            )


def _files(survey: Survey, now_s: float, left_out: list[LeftOut]) -> Iterator[Source]:
    """Files that a process holds open first: they are written."""
    for file in sorted(survey.log_files, key=lambda f: (not f.process, f.path)):
        why = _why_no_source(file, now_s)
        if why is not None:
            left_out.append(LeftOut(what=f"log {file.path}", why=why))
            continue
        stem = posixpath.basename(file.path).partition(".")[0]
        form = {True: "json", False: "text"}.get(file.is_json) if file.is_json is not None else None
        config = {"kind": "file", "host": HOST, "path": file.path, **({"format": form} if form else {})}
        told = f"{file.size_bytes / 1e6:.1f} MB" + (f", written by {file.process}" if file.process else "")
        yield Source(name=slug(stem, "log"), config=config, told=told)


def _why_no_source(file: LogFile, now_s: float) -> str | None:
    unfit = why_unfit(file.path)
    if unfit is not None:
        return f"its path {unfit}"
    if not file.readable:
        return "it may not be read by the user that the suite comes as"
    if _BOOKKEEPING.match(file.path):
        return "it tells of packages and of starting up, not of the system's work"
    if not file.process and now_s - file.changed_at > _STALE_S:
        return "nothing was written to it for a week, and no process holds it open"
    return None
