"""Which sets of services an environment would name, out of what the first visit found. Pure."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterator
from typing import Any

from golive.discovery.found import HOST, ServiceSet, Survey
from golive.discovery.naming import distinct, slug, why_unfit
from golive.discovery.questions.containers import Container
from golive.discovery.questions.units import Unit

_PLUMBING = (
    "getty@*",
    "serial-getty@*",
    "console-getty*",
    "user@*",
    "systemd-*",
    "dbus*",
    "polkit*",
    "accounts-daemon*",
)
"""Units of systemd itself and of its surroundings, which a system's owner has no say in."""
_SUFFIX = ".service"
_USUAL_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


def sets_of(survey: Survey) -> tuple[ServiceSet, ...]:
    """Each manager's services but those that ended well, under names that are distinct."""
    named: list[ServiceSet] = []
    for one in (*_systemd(survey), *_supervisors(survey), *_compose(survey), *_engines(survey)):
        name = distinct(one.name, [taken.name for taken in named])
        named.append(ServiceSet(name=name, config=one.config, expected=one.expected))
    return tuple(one for one in named if one.expected and why_unfit(dict(one.config)) is None)


def services_of(units: tuple[Unit, ...]) -> Iterator[Unit]:
    """Services that are started with the machine and stay."""
    for unit in units:
        is_plumbing = any(fnmatch.fnmatchcase(unit.name, pattern) for pattern in _PLUMBING)
        if unit.name.endswith(_SUFFIX) and unit.is_enabled and unit.type != "oneshot" and not is_plumbing:
            yield unit


def in_scope(survey: Survey) -> tuple[Container, ...]:
    """The containers that are asked about: of a compose target those of its project."""
    if survey.target.scope != "compose":
        return survey.containers
    ids = survey.declared.ids if survey.declared else ()
    folder = survey.declared.folder if survey.declared else ""
    # A project that was given another name than its folder's is known by where its containers say they come from.
    own = [c for c in survey.containers if c.project and (c.id in ids or (folder and c.folder == folder))]
    projects = {container.project for container in own}
    return tuple(c for c in survey.containers if c.project in projects)


def _systemd(survey: Survey) -> Iterator[ServiceSet]:
    names = _fit(unit.name.removesuffix(_SUFFIX) for unit in services_of(survey.units) if not unit.is_done)
    yield ServiceSet(name="systemd", config={"kind": "systemd", "host": HOST}, expected=names)


def _supervisors(survey: Survey) -> Iterator[ServiceSet]:
    for one in survey.supervisors:
        # Of a program that exited supervisord does not tell how, so it may have crashed.
        names = _fit(name for name, _ in one.programs)
        config = {"kind": "supervisor", "host": HOST, "config": one.config}
        log = _supervisor_log(one.config, survey)
        yield ServiceSet(name="supervisor", config={**config, **({"log": log} if log else {})}, expected=names)


def _supervisor_log(config: str, survey: Survey) -> str | None:
    """Its log, where one of that name is held open below the folder of its configuration."""
    folder = posixpath.dirname(config)
    paths = (file.path for file in survey.log_files if file.process)
    return next((p for p in paths if posixpath.basename(p) == "supervisord.log" and p.startswith(f"{folder}/")), None)


def _compose(survey: Survey) -> Iterator[ServiceSet]:
    containers = [c for c in in_scope(survey) if c.engine == "docker" and c.project and not c.is_oneoff]
    for project in sorted({container.project for container in containers}):
        own = [c for c in containers if c.project == project]
        names = _fit(dict.fromkeys(c.service for c in own if c.service and not c.is_done))
        config = {"kind": "compose", "host": HOST, "project": project, **_folder(survey)}
        yield ServiceSet(name=slug(project, "compose"), config=config, expected=names)


def _folder(survey: Survey) -> dict[str, Any]:
    """Where the compose file lies, so that what it declares is compared: known where it was asked for by its path."""
    path = survey.target.path
    if path is None:
        return {}
    if not path.endswith((".yaml", ".yml")):
        return {"project_dir": path}
    folder, name = posixpath.split(path)
    return {"project_dir": folder or ".", **({} if name in _USUAL_FILES else {"files": [name]})}


def _engines(survey: Survey) -> Iterator[ServiceSet]:
    """Containers that compose did not make, each a service by its name."""
    for engine in ("docker", "podman"):
        own = [c for c in in_scope(survey) if c.engine == engine and not (engine == "docker" and c.project)]
        names = _fit(c.name for c in own if not c.is_done)
        yield ServiceSet(name=engine, config={"kind": engine, "host": HOST}, expected=names)


def _fit(names: Iterator[str] | dict[str, None]) -> tuple[str, ...]:
    return tuple(name for name in names if name and why_unfit(name) is None)
