"""What `kubectl` is asked: all workloads and pods of a namespace in one request each, in lines of fields."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from golive.targets.services.bounded import BOUNDED, LIMIT_S

MARK = "-- golive"
RESOURCES = "deployments.apps,statefulsets.apps,daemonsets.apps,pods"

# An object or list is printed as JSON, a text as it is; so whatever may hold any character is asked for as an object.
_ITEM = (
    "kind", "metadata.name", "metadata.creationTimestamp", "metadata.deletionTimestamp", "metadata.generation",
    "metadata.ownerReferences", "metadata.labels.pod-template-hash", "metadata.labels.controller-revision-hash",
    "spec.replicas", "spec.updateStrategy.type", "spec.restartPolicy", "spec.hostPID", "spec.hostNetwork",
    "spec.hostIPC", "spec.securityContext", "status",
)  # fmt: skip
_CONTAINER = (
    "name", "image", "securityContext", "resources.limits", "ports", "volumeMounts", "readinessProbe.periodSeconds",
    "livenessProbe.periodSeconds",
)  # fmt: skip
_INIT = (*_CONTAINER, "restartPolicy")
_VOLUME = ("name", "hostPath")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the answer: `item`, `container`, `init` or `volume`, and its fields by the names asked for."""

    kind: str
    fields: dict[str, str]


def snippet(options: Sequence[str], selector: str | None) -> str:
    """Shell text that prints the lines, how it ended, and what `top` tells where the cluster measures."""
    chosen = f" -l {shlex.quote(selector)}" if selector else ""
    kubectl = f"bounded kubectl {' '.join(map(shlex.quote, options))} --request-timeout={LIMIT_S}s"
    # What is used is asked for meanwhile; it waits in the pipe.
    return f"""\
{BOUNDED}{{ {kubectl} top pods{chosen} --containers --no-headers </dev/null 2>/dev/null; }} | {{
{kubectl} get {RESOURCES}{chosen} -o jsonpath={shlex.quote(_template())} </dev/null 2>&1
printf '\\n{MARK} ended %s\\n' "$?"; cat
}}"""


def lines_of(said: str) -> tuple[list[Line], list[str]]:
    """The lines that are understood, and the others."""
    asked = {"item": _ITEM, "container": _CONTAINER, "init": _INIT, "volume": _VOLUME}
    found, other = [], []
    for line in said.splitlines():
        head, *values = line.split("\t")
        names = asked.get(head, ())
        if names and len(values) == len(names):
            found.append(Line(head, dict(zip(names, values, strict=True))))
        elif line.strip():
            other.append(line)
    return found, other


def _template() -> str:
    containers = f"{{range .spec.containers[*]}}{_fields('container', _CONTAINER)}{{end}}"
    before = f"{{range .spec.initContainers[*]}}{_fields('init', _INIT)}{{end}}"
    volumes = f"{{range .spec.volumes[*]}}{_fields('volume', _VOLUME)}{{end}}"
    return f"{{range .items[*]}}{_fields('item', _ITEM)}{containers}{before}{volumes}{{end}}"


def _fields(head: str, names: Sequence[str]) -> str:
    return head + "".join(f'{{"\\t"}}{{.{name}}}' for name in names) + '{"\\n"}'
