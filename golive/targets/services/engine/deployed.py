"""What is deployed of a set of containers: images, configuration and number, without a word of what stands in them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from golive.model import CouldNotLook
from golive.targets.services import Part, told
from golive.targets.services.engine import Engine, value
from golive.targets.services.engine.asking import preamble
from golive.targets.services.engine.telling import parts_of, refusal
from golive.targets.shell import one_line

_SETTINGS = (
    ".Config.Cmd", ".Config.Entrypoint", ".Config.User", ".Config.WorkingDir", ".Config.Labels",
    ".HostConfig.Binds", ".HostConfig.PortBindings", ".HostConfig.NetworkMode", ".HostConfig.Memory",
    ".HostConfig.NanoCpus", ".HostConfig.CpuQuota", ".HostConfig.PidsLimit", ".HostConfig.ReadonlyRootfs",
    ".HostConfig.CapAdd", ".HostConfig.CapDrop", ".HostConfig.Privileged", ".HostConfig.SecurityOpt",
    ".HostConfig.RestartPolicy", ".HostConfig.PidMode", ".HostConfig.IpcMode", ".HostConfig.Devices",
    ".HostConfig.UTSMode", ".HostConfig.UsernsMode", ".HostConfig.GroupAdd", ".HostConfig.ExtraHosts",
    ".HostConfig.Dns", ".HostConfig.Tmpfs", ".Config.Healthcheck",
)  # fmt: skip
"""What makes the configuration of a container that no file describes, beside its environment; digested there."""
# What was given by `--mount` is no bind to Docker; Podman writes both as binds.
_SETTINGS_OF = {
    "docker": (".HostConfig.Mounts", ".HostConfig.Sysctls", ".HostConfig.DeviceCgroupRules"),
    "podman": (),
}
_ENVIRONMENT = {
    "docker": '{{range (index .Config "Env")}}{{"\\t"}}{{json .}}{{end}}',
    "podman": '{{range .Config.Env}}{{"\\t"}}{{json .}}{{end}}',
}
# Podman tells the environment in any order, with the container's own name in it, which each recreation changes.
_DIGESTED = """\
tab=$(printf '\\t')
digested() {
  while IFS= read -r line; do
    rest=${line#*|}; printf '%s|' "${line%%|*}"
    {
      printf '%s\\n' "${rest%%"$tab"*}"
      printf '%s\\n' "${rest#*"$tab"}" | tr "$tab" '\\n' | grep -v '^"HOSTNAME=' | sort
    } | sha256sum 2>&1
  done
}
"""


def snippet(engine: Engine, *, configuration: str = "") -> str:
    """Shell text that prints one object a container.

    `configuration` is template text that prints a digest that the maker of the containers keeps. Without it, the
    digest is taken on the host of all that a container was given, so that no secret travels.
    """
    fields = {"id": value(engine.program, ".Id"), "image": value(engine.program, ".Image")}
    fields |= {"service": engine.service, "oneoff": engine.oneoff}
    fields |= {"configuration": configuration} if configuration else {}
    line = ",".join(f'"{key}":{text}' for key, text in fields.items())
    settings = "".join(value(engine.program, path) for path in (*_SETTINGS, *_SETTINGS_OF[engine.program]))
    asked = f"{{{line}}}" + ("" if configuration else f"|{settings}{_ENVIRONMENT[engine.program]}")
    end = "" if configuration else " | digested"
    return f"""\
{preamble(engine)}{_DIGESTED}ids=
{engine.listing}
ids=$(printf '%s\\n' $ids | sort -u)
mark ids; printf '%s\\n' "$ids"
[ -n "$ids" ] || exit 0
mark containers; engine inspect --type container --format {shlex.quote(asked)} $ids 2>&1{end}
"""


def identity(engine: Engine, said: str, host: str) -> dict[Part, str]:
    """For each service its image ids, the digest of its configuration, and the number of its containers.

    Containers that were started by hand are not part of what is deployed. Contents of volumes and of mounted files
    are not seen. CouldNotLook when a container was listed and then not told of.
    """
    where = f"host {host}: {engine.where}"
    before, parts = parts_of(said)
    problem = refusal(engine, before, parts, host)
    if problem is not None:
        raise problem
    lines = parts.get("containers", "").splitlines()
    rows = [_row(line) for line in lines]
    strange = [line for line, row in zip(lines, rows, strict=True) if line.strip() and not row]
    if strange or set(parts["ids"].split()) - {told.text(row.get("id")) for row in rows}:
        raise CouldNotLook(f"{where}: {one_line(chr(10).join(strange)) or 'a container was not told of'}")
    wanted = [row for row in rows if _is_deployed(row, engine)]
    if not wanted:
        raise CouldNotLook(f"{where} has no container")
    return dict(_parts(wanted, where))


def _row(line: str) -> Mapping[str, Any]:
    """The object of a line, its `configuration` taken from what `sha256sum` printed behind it."""
    text, bar, digest = line.partition("|")
    row = dict(told.mapping(told.decoded(text)))
    if bar:
        row["configuration"] = digest.split(" ")[0] if len(digest.split(" ")[0]) == 64 else ""
    return row


def _is_deployed(row: Mapping[str, Any], engine: Engine) -> bool:
    service = told.text(row.get("service")).lstrip("/")
    return bool(service) and service not in engine.leave_out and told.text(row.get("oneoff")).lower() != "true"


def _parts(rows: list[Mapping[str, Any]], where: str) -> Iterator[tuple[Part, str]]:
    for service in sorted({told.text(row.get("service")).lstrip("/") for row in rows}):
        own = [row for row in rows if told.text(row.get("service")).lstrip("/") == service]
        for part in ("image", "configuration"):
            digests = sorted({told.text(row.get(part)).removeprefix("sha256:") for row in own})
            if not all(digests):
                raise CouldNotLook(f"{where}: {service}: a container does not tell the digest of its {part}")
            yield (service, part), ", ".join(f"sha256:{digest}" for digest in digests)
        yield (service, "replicas"), str(len(own))
