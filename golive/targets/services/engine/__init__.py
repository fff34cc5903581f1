"""Container engines with Docker's command line, as one set of services after the other is read from them.

`asking` is the shell text that goes to the host, `telling` what is made of its answer,
`deployed` the identity of what runs. Only the named fields of a container are asked for:
its environment, its labels and its command hold secrets, and never leave the engine.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

LeftOut = Annotated[
    tuple[str, ...], Field(description="services that are not looked at, such as jobs that run once and end")
]
Replicas = Annotated[
    dict[str, Annotated[int, Field(ge=1)]],
    Field(description="how many running containers a service must have, where that is not 1"),
]
Address = Annotated[str | None, Field(description="how the engine is reached, as in unix:///run/user/1000/docker.sock")]
EventsBack = Annotated[
    str,
    Field(
        pattern=r"^(\d+[hms])+$",
        description="how far back the engine is asked for crashes; it remembers the last few hundred events",
    ),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """One set of containers on an engine.

    `where` names it in messages. `listing` is shell text that calls `list` with filters of `ps`. `service`, `oneoff`
    and `group` are template texts that print as JSON: the service that a container belongs to, whether it is a command
    run by hand, and its project, of which a set has one (`project`, None where that is not known beforehand).
    `event_service` and `event_group` are template expressions that tell the same of an event; with `only_expected`,
    events of other services are strangers'. `declared` is shell text that prints the services of the file that the set
    was made of.
    """

    program: str
    where: str
    listing: str
    service: str
    oneoff: str = '""'
    group: str = '""'
    project: str | None = ""
    event_service: str = '""'
    event_group: str = '""'
    event_filters: tuple[str, ...] = ()
    only_expected: bool = False
    events_back: str = ""
    address: str | None = None
    declared: str = ""
    expected: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    replicas: dict[str, int] = field(default_factory=dict)


LABEL = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
"""What the key of a label looks like."""


def value(program: str, path: str) -> str:
    """Template text that prints the JSON of a field (`.HostConfig.Memory`), null where there is none.

    Docker's client knows fields by the names of its own types first, and by those of the API only where that fails;
    `index` always fails there, so the API's names hold for every version. Podman knows its own.
    """
    if program != "docker":
        return f"{{{{json {'.ID' if path == '.Id' else path}}}}}"
    above, _, key = path.rpartition(".")
    return f'{{{{json (index {above or "."} "{key}")}}}}'


def label(program: str, name: str) -> str:
    """Template text that prints the JSON of a label's value."""
    if program == "docker":
        return f'{{{{with index .Config "Labels"}}}}{{{{json (index . "{name}")}}}}{{{{else}}}}null{{{{end}}}}'
    return f'{{{{json (index .Config.Labels "{name}")}}}}'


def listed(*filters: Iterable[str]) -> str:
    """Shell text that lists the containers for which every filter holds, for each group of filters."""
    return "\n".join(" ".join(["list", *(f"--filter {shlex.quote(one)}" for one in group)]) for group in filters)
