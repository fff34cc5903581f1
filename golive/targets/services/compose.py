"""Services of a compose project (v1 and v2): what its file declares, held against all containers of the project.

The containers are found by compose's labels, which needs no compose program and shows those
that have ended too. Only the declared services are asked of one, v2 or else v1.
"""

from __future__ import annotations

import shlex
from typing import ClassVar

from pydantic import Field, model_validator

from golive.environment.sections import ServicesSection
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import Part, ServicesReading
from golive.targets.services.engine import (
    Address,
    Engine,
    EventsBack,
    LeftOut,
    Replicas,
    asking,
    deployed,
    label,
    listed,
    telling,
)

_PREFIX = "com.docker.compose"


class Config(ServicesSection):
    """A compose project by its name, or by the folder that holds its compose file; or by both."""

    holds_containers: ClassVar[bool] = True

    project: str | None = None
    project_dir: str | None = Field(None, description="folder of the compose file, which declares services")
    files: tuple[str, ...] = Field((), description="compose files in `project_dir`, where they have other names")
    profiles: tuple[str, ...] = Field((), description="profiles that are switched on")
    leave_out: LeftOut = ()
    replicas: Replicas = {}
    engine: Address = None
    events_back: EventsBack = "24h"

    @model_validator(mode="after")
    def _has_either(self) -> Config:
        if self.project is None and self.project_dir is None:
            raise ValueError("a compose project needs its 'project' (name) or its 'project_dir'")
        if self.project_dir is None and (self.files or self.profiles):
            raise ValueError("'files' and 'profiles' are read in the folder that 'project_dir' names")
        return self


def snippet(config: Config) -> str:
    """All containers of the set, what they use and their images."""
    return asking.snippet(_engine(config))


def parse(config: Config, said: str, facts: HostFacts) -> ServicesReading:
    """CouldNotLook when the engine does not answer; a container that is not there is a missing service."""
    return telling.reading(_engine(config), said, facts)


def identity_snippet(config: Config) -> str:
    """One line a container: the id of its image, and the digest that compose keeps of its configuration."""
    return deployed.snippet(_engine(config), configuration=label("docker", f"{_PREFIX}.config-hash"))


def identity(config: Config, said: str, host: str) -> dict[Part, str]:
    """For each service its image ids, the digest of its configuration, and its containers' number."""
    return deployed.identity(_engine(config), said, host)


def _engine(config: Config) -> Engine:
    project = f"label={_PREFIX}.project={config.project}" if config.project else f"label={_PREFIX}.project"
    return Engine(
        program="docker",
        where=f"compose project {config.project or config.project_dir}",
        listing=listed([project]) if config.project else _in_folder(config.project_dir or ""),
        service=label("docker", f"{_PREFIX}.service"),
        oneoff=label("docker", f"{_PREFIX}.oneoff"),
        group=label("docker", f"{_PREFIX}.project"),
        project=config.project,
        event_service=f'(index .Actor.Attributes "{_PREFIX}.service")',
        event_group=f'(index .Actor.Attributes "{_PREFIX}.project")',
        event_filters=(project,),
        events_back=config.events_back,
        address=config.engine,
        declared=_declared(config) if config.project_dir else "",
        expected=config.expected,
        leave_out=config.leave_out,
        replicas=config.replicas,
    )


def _in_folder(folder: str) -> str:
    """Compose writes the folder as it was called from, so both spellings of it are looked for."""
    where = f"label={_PREFIX}.project.working_dir"
    lines = [
        f'folder=$(cd -- {shlex.quote(folder)} 2>&1 && pwd) || refuse 1 "$folder"',
        f'list --filter "{where}=$folder"',
        'real=$(cd -- "$folder" && pwd -P)',
        f'[ "$real" = "$folder" ] || list --filter "{where}=$real"',
    ]
    return "\n".join(lines)


def _declared(config: Config) -> str:
    """Shell text that prints the services of the compose files, and how that ended; no value of the files is needed."""
    given = [*(("-f", file) for file in config.files), *(("--profile", name) for name in config.profiles)]
    words = " ".join(shlex.quote(word) for pair in given for word in pair)
    return f"""\
compose() {{ if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi; }}
if cd -- {shlex.quote(config.project_dir or ".")}; then
  told=$(compose {words} config --services) || told=$(compose {words} config --services --no-interpolate); code=$?
  printf '%s\\n' "$told" "-- exit $code"
fi"""
