"""Workloads of a Kubernetes namespace, asked through the `kubectl` of the host that is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from golive.environment.sections import ServicesSection
from golive.model import CouldNotLook
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import Part, ServicesReading, told
from golive.targets.services.bounded import LIMIT_S, NOT_THERE, TIMED_OUT
from golive.targets.services.cluster import asking
from golive.targets.services.cluster.pods import quantity
from golive.targets.services.cluster.workloads import Workload, crashes_of, named, service_of, workloads_of
from golive.targets.services.engine import LeftOut
from golive.targets.shell import one_line

_WARNINGS = re.compile(r"Warning:|[WI][01]\d{3} ")
# That a group of the API is down which nobody asked for is logged as an error, and is none where all was told.
_LOGGED = re.compile(r"E[01]\d{3} \d\d:\d\d:\d\d\.\d+ +\d+ memcache\.go:\d+\] ")


class Config(ServicesSection):
    """A namespace; `expected` are workloads: `deployment/api`, `statefulset/db`, `pod/x`, or `api` where it is one."""

    holds_containers: ClassVar[bool] = True

    namespace: str
    context: str | None = Field(None, description="context of the kubeconfig, if not the current one")
    kubeconfig: str | None = Field(None, description="path of the kubeconfig on the host, if not its user's own")
    selector: str | None = Field(None, description="label selector of the workloads and pods that belong to the set")
    leave_out: LeftOut = ()
    autoscaled: tuple[str, ...] = Field((), description="workloads whose number of replicas may change in a watch")


def snippet(config: Config) -> str:
    """Fields of all workloads and pods of the namespace."""
    options = [f"--namespace={config.namespace}"]
    options += [f"--context={config.context}"] if config.context else []
    options += [f"--kubeconfig={config.kubeconfig}"] if config.kubeconfig else []
    return asking.snippet(options, config.selector)


def parse(config: Config, said: str, facts: HostFacts) -> ServicesReading:
    """CouldNotLook when `kubectl` is not there, or the API refuses, is not reached or answers rubbish."""
    where = _where(config, facts.host)
    found = _workloads(said, where)
    known = {name: workload for name in config.expected if (workload := named(found, name, where))}
    mine = {workload.name for workload in known.values()}
    others = {
        key: workload
        for key, workload in found.items()
        if key not in mine and key not in config.leave_out and key.partition("/")[2] not in config.leave_out
    }
    services = {name: service_of(name, workload) for name, workload in (known | others).items()}
    created = [pod.created_at for workload in known.values() for pod in workload.living]
    return ServicesReading(
        expected=config.expected,
        services=services,
        undeclared=tuple(sorted(others)),
        note="" if services else f"namespace {config.namespace} has no workload",
        crashes=tuple(crash for name, workload in known.items() for crash in crashes_of(name, workload)),
        crashes_since=max((at for at in created if at is not None), default=None),
    )


def identity_snippet(config: Config) -> str:
    """The same question: digests of images and of templates are among its fields."""
    return snippet(config)


def identity(config: Config, said: str, host: str) -> dict[Part, str]:
    """For each expected workload the digests of its images, the hash of its pods' template, and its replicas.

    What stands in ConfigMaps and Secrets is not seen. `kubectl rollout restart` changes the template.
    """
    where = _where(config, host)
    found = _workloads(said, where)
    parts: dict[Part, str] = {}
    for name in config.expected:
        workload = named(found, name, where)
        if workload is not None:
            parts |= {(name, part): value for part, value in _deployed(name, workload, where)}
            if name not in config.autoscaled:
                parts[name, "replicas"] = str(workload.desired)
    if not parts:
        raise CouldNotLook(f"{where} has none of the workloads {', '.join(config.expected)}")
    return parts


def _where(config: Config, host: str) -> str:
    return f"host {host}: kubernetes namespace {config.namespace}"


def _workloads(said: str, where: str) -> dict[str, Workload]:
    text, mark, rest = said.partition(f"\n{asking.MARK} ended ")
    code, _, top = rest.partition("\n")
    lines, other = asking.lines_of(text)
    strange = [line for line in other if not _WARNINGS.match(line)]
    if code.strip() == "0":
        strange = [line for line in strange if not _LOGGED.match(line)]
    if not mark or code.strip() != "0" or strange:
        raise CouldNotLook(f"{where}: {_why(told.digits(code.strip()), strange)}")
    return workloads_of(lines, dict(_use(top)))


def _why(code: int | None, strange: list[str]) -> str:
    said = one_line("\n".join(strange))
    if code == NOT_THERE:
        return f"`kubectl` is not installed there ({said})"
    if code in TIMED_OUT:
        return f"`kubectl` did not answer within {LIMIT_S} s"
    return said or "kubectl told nothing"


def _use(top: str) -> Iterator[tuple[tuple[str, str], tuple[float | None, int | None]]]:
    """CPU in percent of one core and memory in bytes, by pod and container, where the cluster measures it."""
    for line in top.splitlines():
        words = line.split()
        if len(words) == 4:
            cores, memory = quantity(words[2]), quantity(words[3])
            yield (
                (words[0], words[1]),
                (
                    None if cores is None else 100 * cores,
                    None if memory is None else round(memory),
                ),
            )


def _deployed(name: str, workload: Workload, where: str) -> Iterator[tuple[str, str]]:
    containers = [one for pod in workload.living for one in pod.containers]
    if workload.desired and not containers:
        raise CouldNotLook(f"{where}: {name}: no pod of it tells its image")
    for image in sorted({told.text(one.name.rpartition("/")[2]) for one in containers}):
        own = [one for one in containers if one.name.rpartition("/")[2] == image]
        digests = sorted({one.image.digest or "" for one in own if one.image is not None})
        if not all(digests):
            raise CouldNotLook(f"{where}: {name}: a container {image} does not tell the digest of its image")
        yield f"image {image}", ", ".join(digests)
    revisions = sorted({pod.revision for pod in workload.living if pod.revision})
    if revisions:
        yield "configuration", ", ".join(revisions)
