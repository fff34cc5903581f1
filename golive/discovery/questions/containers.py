"""Containers of a Docker or Podman engine, and what a compose file declares."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from golive.discovery.questions import Survey
from golive.targets.services import told

_LABEL = "com.docker.compose."
_ASKED = {
    "id": ".Id",
    "name": ".Name",
    "image": ".Config.Image",
    "status": ".State.Status",
    "exit": ".State.ExitCode",
    "ports": ".NetworkSettings.Ports",
    "log": ".HostConfig.LogConfig.Type",
    "project": f'(index .Config.Labels "{_LABEL}project")',
    "service": f'(index .Config.Labels "{_LABEL}service")',
    "oneoff": f'(index .Config.Labels "{_LABEL}oneoff")',
    "folder": f'(index .Config.Labels "{_LABEL}project.working_dir")',
}
"""What is told of a container, as Go templates. Its environment, command and labels at large are not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A port of a container that the engine publishes on the host."""

    inner: int
    address: str
    port: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """A container; `project` and `service` are those of compose, empty for one that compose did not make."""

    engine: str
    id: str
    name: str
    image: str
    status: str
    exit_code: int | None = None
    log: str = ""
    project: str = ""
    service: str = ""
    folder: str = ""
    is_oneoff: bool = False
    published: tuple[Published, ...] = ()

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self.status == "running"

    @property
    def is_up(self) -> bool:
        """Whether it runs, or its engine is about to have it run."""
        return self.status not in ("created", "exited", "stopped", "dead")

    @property
    def is_done(self) -> bool:
        """Whether it ended well, as jobs do. One that does not tell how it ended may have crashed."""
        return self.status == "exited" and self.exit_code == 0


@dataclass(frozen=True)
class Containers(Survey[tuple[Container, ...]]):
    """Every container of every engine there, stopped ones too."""

    limit_s: ClassVar[float] = 20.0

    def text(self, frame: str) -> str:
        """A row of JSON for each container; an engine that does not answer says why."""
        line = ",".join(f'"{key}":{{{{json {expression}}}}}' for key, expression in _ASKED.items())
        form = shlex.quote(f"{{{line}}}")
        return rf"""
there=
for engine in docker podman; do
  command -v $engine >/dev/null 2>&1 || continue
  # `podman-docker` is podman by another name.
  [ $engine = podman ] && [ "$there" = docker ] && docker --version 2>/dev/null | grep -qi podman && continue
  if ids=$($engine ps -aq --no-trunc 2>&1); then
    there=$engine; printf '{frame}\tengine\t%s\n' $engine
    [ -z "$ids" ] || $engine inspect --type container --format {form} $ids 2>/dev/null |
      while IFS= read -r line; do printf '{frame}\tcontainer\t%s\t%s\n' $engine "$line"; done
  else
    printf '{frame}\tnone\t%s: %s\n' $engine "$(printf '%s' "$ids" | tail -n 1)"
  fi
done
[ -n "$there" ] || printf '{frame}\tnone\tno container engine answers there\n'
"""

    @classmethod
    def found(cls, rows: Sequence[Sequence[str]]) -> tuple[Container, ...]:
        """In the order of their names."""
        made = (_container(row[1], row[2]) for row in rows if row[0] == "container" and len(row) == 3)
        return tuple(sorted((one for one in made if one is not None), key=lambda one: (one.engine, one.name)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """What a compose file declares: its services, the ids of the containers that compose knows, and its folder."""

    services: tuple[str, ...]
    ids: tuple[str, ...]
    folder: str = ""


@dataclass(frozen=True)
class ComposeFile(Survey[Declared]):
    """A compose project by its file or its folder, read by compose itself (v2 or v1)."""

    path: str
    limit_s: ClassVar[float] = 20.0

    def text(self, frame: str) -> str:
        """A row for each service that is declared, and one for each container."""
        path = shlex.quote(self.path)
        return rf"""
path={path}; file=
compose() {{
  if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}}
if [ -f "$path" ]; then file=$path; folder=$(dirname -- "$path"); else folder=$path; fi
if ! cd -- "$folder" 2>/dev/null; then
  printf '{frame}\tnone\tthere is no %s\n' "$path"
elif said=$(compose ${{file:+-f "$PWD/${{file##*/}}"}} config --services 2>&1); then
  printf '{frame}\tfolder\t%s\n' "$(pwd -P)"
  printf '%s\n' "$said" | while IFS= read -r name; do printf '{frame}\tservice\t%s\n' "$name"; done
  for id in $(compose ${{file:+-f "$PWD/${{file##*/}}"}} ps -q 2>/dev/null); do printf '{frame}\tid\t%s\n' "$id"; done
else
  printf '{frame}\tnone\t%s\n' "$(printf '%s\n' "$said" | tail -n 1)"
fi
"""

    @classmethod
    def found(cls, rows: Sequence[Sequence[str]]) -> Declared:
        """Services in the order in which they are declared."""
        told = [row for row in rows if len(row) == 2]
        return Declared(
            services=tuple(value for kind, value in told if kind == "service"),
            ids=tuple(value for kind, value in told if kind == "id"),
            folder=next((value for kind, value in told if kind == "folder"), ""),
        )


def _container(engine: str, text: str) -> Container | None:
    """A container out of its line of JSON; None when it is not of the form that was asked for."""
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("id", "name", "image", "status")):
        return None
    return Container(
        engine=engine,
        id=row["id"],
        name=row["name"].lstrip("/"),
        image=row["image"],
        status=row["status"],
        exit_code=told.whole(row.get("exit")),
        log=_text(row.get("log")),
        project=_text(row.get("project")),
        service=_text(row.get("service")),
        folder=_text(row.get("folder")),
        is_oneoff=_text(row.get("oneoff")).lower() == "true",
        published=tuple(_published(row.get("ports"))),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _published(ports: Any) -> list[Published]:
    """`{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "9000/tcp": null}`; only TCP counts."""
    found = []
    for inner, bindings in ports.items() if isinstance(ports, Mapping) else ():
        number, _, protocol = str(inner).partition("/")
        for binding in bindings if isinstance(bindings, list) else ():
            outer = binding.get("HostPort") if isinstance(binding, Mapping) else None
            if protocol == "tcp" and number.isdigit() and isinstance(outer, str) and outer.isdigit():
                address = _text(binding.get("HostIp")) or "0.0.0.0"  # noqa: S104 - read, not bound
                found.append(Published(inner=int(number), address=address, port=int(outer)))
    return sorted(found, key=lambda one: (one.port, one.address))
