"""Services of a compose project (v1 and v2), read with `docker inspect`, `stats` and `events`.

The containers are found by compose's labels when `project` is given, which needs no
compose program at all; otherwise the compose program, v2 or v1, lists them in `project_dir`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, model_validator

from golive.environment.sections import ServicesSection
from golive.model import CouldNotLook
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import Crash, Part, Service, ServicesReading
from golive.targets.shell import one_line, plain

_SERVICE_LABEL = "com.docker.compose.service"
_PROJECT_LABEL = "com.docker.compose.project"
_ASKED = {
    "service": f'(index .Config.Labels "{_SERVICE_LABEL}")',
    "oneoff": '(index .Config.Labels "com.docker.compose.oneoff")',
    "configuration": '(index .Config.Labels "com.docker.compose.config-hash")',
    "image": ".Image",
}
"""What makes the identity of a container, as Go templates."""
_CRASHES = ("die", "oom", "kill", "health_status: unhealthy")
_PARTS = ("-- inspect", "-- stats", "-- events")
_AMOUNT = re.compile(r"([\d.]+)\s*([kKMGT]?i?B)")
_UNITS = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
          "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}  # fmt: skip


class Config(ServicesSection):
    """A compose project by its name, or by the folder that holds its compose file."""

    project: str | None = None
    project_dir: str | None = None
    events_back: str = Field(
        "24h", description="how far back the engine is asked for crashes; it remembers the last few hundred events"
    )

    @model_validator(mode="after")
    def _has_either(self) -> Config:
        if self.project is None and self.project_dir is None:
            raise ValueError("a compose project needs its 'project' (name) or its 'project_dir'")
        return self


def snippet(config: Config) -> str:
    """Three parts: JSON of all containers, one line of JSON for each one's use, one for each event."""
    back = f'--since {shlex.quote(config.events_back)} --until "$(date +%s)"'
    events = " ".join(f"--filter event={event}" for event in ("die", "oom", "kill", "health_status"))
    return f"""{_listed(config)}
echo '{_PARTS[0]}'; docker inspect $ids
echo '{_PARTS[1]}'; docker stats --no-stream --no-trunc --format '{{{{json .}}}}' $ids
echo '{_PARTS[2]}'; docker events {back} --filter type=container {events} --format '{{{{json .}}}}'
"""


def _listed(config: Config) -> str:
    """Shell text that finds the containers of the project."""
    named = f"docker ps -aq --no-trunc --filter label={_PROJECT_LABEL}={shlex.quote(config.project or '')}"
    folder = shlex.quote(config.project_dir or ".")
    listed = f"cd {folder} && {{ docker compose ps -a -q 2>/dev/null || docker-compose ps -q; }}"
    return f"""
ids=$({named if config.project else listed})
[ -n "$ids" ] || {{
  echo 'no container of the project is there'; docker version --format x 2>&1 >/dev/null; exit 0
}}"""


def parse(config: Config, said: str, facts: HostFacts) -> ServicesReading:
    """CouldNotLook when the engine does not answer or prints no JSON."""
    before, inspected, stats, events = _split(said)
    containers = list(_containers(inspected)) if inspected.strip() else []
    if not containers:
        why = one_line(before + inspected) or "it printed nothing"
        raise CouldNotLook(f"host {facts.host}: compose project {config.project or config.project_dir}: {why}")
    project = containers[0]["Config"]["Labels"].get(_PROJECT_LABEL)
    used = _stats(stats)
    services = _by_service(containers, used)
    return ServicesReading(
        expected=config.expected,
        services=services,
        undeclared=tuple(sorted(services.keys() - set(config.expected))),
        crashes=(*_events(events, project), *_killed(containers)),
        crashes_since=None,
    )


def identity_snippet(config: Config) -> str:
    """One line of JSON for each container: only what makes its identity, and nothing of its environment."""
    line = ",".join(f'"{key}":{{{{json {expression}}}}}' for key, expression in _ASKED.items())
    return f"{_listed(config)}\ndocker inspect --type container --format {shlex.quote(f'{{{line}}}')} $ids 2>&1"


def identity(config: Config, said: str, host: str) -> dict[Part, str]:
    """For each service its image ids, the digest that compose keeps of its configuration, and its containers' number.

    Containers of `compose run` are not part of what is deployed. Contents of volumes and of mounted files are not seen.
    """
    where = f"host {host}: compose project {config.project or config.project_dir}"
    told = [(line, next(_rows(line), {})) for line in said.splitlines()]
    other = [line for line, row in told if not _ASKED.keys() <= row.keys()]
    if other:
        raise CouldNotLook(f"{where}: {one_line(chr(10).join(other)) or 'it printed an empty line'}")
    rows = [row for _, row in told if row["service"] and str(row["oneoff"]).lower() != "true"]
    if not rows:
        raise CouldNotLook(f"{where}: no container of it is there")
    parts: dict[Part, str] = {}
    for service in sorted({str(row["service"]) for row in rows}):
        own = [row for row in rows if row["service"] == service]
        for part in ("image", "configuration"):
            digests = sorted({str(row[part] or "").removeprefix("sha256:") for row in own})
            if not all(digests):
                raise CouldNotLook(f"{where}: {service}: a container does not tell the digest of its {part}")
            parts[service, part] = ", ".join(f"sha256:{digest}" for digest in digests)
        parts[service, "replicas"] = str(len(own))
    return parts


def _split(said: str) -> tuple[str, str, str, str]:
    texts, rest = [], said
    for part in _PARTS:
        text, _, rest = rest.partition(f"{part}\n")
        texts.append(text)
    before, inspected, stats = texts
    return before, inspected, stats, rest


def _containers(text: str) -> Iterator[dict[str, Any]]:
    """`docker inspect` prints one array; a container that vanished meanwhile adds a line of error after it."""
    try:
        found, _ = json.JSONDecoder().raw_decode(text.strip())
    except ValueError:
        return
    for container in found if isinstance(found, list) else []:
        try:
            container["Config"]["Labels"][_SERVICE_LABEL], container["State"]["Status"], container["Id"]
        except (KeyError, TypeError):
            continue
        yield container


def _by_service(containers: list[dict[str, Any]], used: Mapping[str, dict[str, Any]]) -> dict[str, Service]:
    """One record a service; of several containers the worst is shown, so that none hides behind another."""
    services: dict[str, Service] = {}
    for container in containers:
        service = _service(container, used)
        other = services.get(service.name)
        if other is None or _weight(service) > _weight(other):
            services[service.name] = service
    return services


def _weight(service: Service) -> int:
    return (0 if service.running else 2) + (1 if service.healthy is False else 0)


def _service(container: dict[str, Any], used: Mapping[str, dict[str, Any]]) -> Service:
    state = container["State"]
    use = used.get(container["Id"], {})
    health = (state.get("Health") or {}).get("Status")
    received, sent = _pair(use.get("NetIO"))
    return Service(
        name=container["Config"]["Labels"][_SERVICE_LABEL],
        state=state["Status"] + (f" ({health})" if health and health != "none" else ""),
        running=state["Status"] == "running",
        healthy={"healthy": True, "unhealthy": False, "starting": False}.get(health) if health else None,
        pid=state.get("Pid") or None,
        started_at=_moment(state.get("StartedAt")),
        restarts=container.get("RestartCount"),
        exit_code=state.get("ExitCode"),
        cpu_percent=_percent(use.get("CPUPerc")),
        memory_bytes=_pair(use.get("MemUsage"))[0],
        net_rx_bytes=received,
        net_tx_bytes=sent,
    )


def _stats(text: str) -> dict[str, dict[str, Any]]:
    """Rows by full container id; lines that are no JSON object are passed over."""
    return {str(row.get("ID") or row.get("Container")): row for row in _rows(text)}


def _rows(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def _events(text: str, project: str | None) -> Iterator[Crash]:
    for row in _rows(text):
        actor = row.get("Actor")
        attributes = actor.get("Attributes", {}) if isinstance(actor, dict) else {}
        action = str(row.get("Action", ""))
        if attributes.get(_PROJECT_LABEL) != project or not action.startswith(_CRASHES):
            continue
        code = attributes.get("exitCode")
        # A container that was asked to stop and did so well did not crash.
        if (action == "die" and code == "0") or (action == "kill" and attributes.get("signal") not in ("9", "SIGKILL")):
            continue
        seconds = row.get("time")
        at = datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None
        name = attributes.get(_SERVICE_LABEL, "?")
        yield Crash(at=at, says=plain(f"{name}: {action}" + (f" (exit code {code})" if code else "")))


def _killed(containers: list[dict[str, Any]]) -> Iterator[Crash]:
    for container in containers:
        if container["State"].get("OOMKilled"):
            name = container["Config"]["Labels"][_SERVICE_LABEL]
            yield Crash(at=_moment(container["State"].get("FinishedAt")), says=f"{name}: killed for lack of memory")


def _moment(text: Any) -> datetime | None:
    """The engine's time stamps carry nanoseconds; a container that never ran has the year 1."""
    found = (
        re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
        if isinstance(text, str)
        else None
    )
    if not found or found[1].startswith("0001"):
        return None
    try:
        return datetime.fromisoformat(found[1] + (found[2] or ".0")[:7] + found[3].replace("Z", "+00:00")).astimezone(
            UTC
        )
    except ValueError:
        return None


def _percent(text: Any) -> float | None:
    try:
        return float(str(text).removesuffix("%"))
    except ValueError:
        return None


def _pair(text: Any) -> tuple[int | None, int | None]:
    """`12.5MiB / 1.9GiB` as bytes."""
    sides = [_AMOUNT.search(side) for side in str(text).split("/")]
    amounts = [round(float(m[1]) * _UNITS[m[2]]) if m and m[2] in _UNITS else None for m in sides]
    return (amounts[0], amounts[1]) if len(amounts) == 2 else (None, None)
