"""Hardening of containers: what they meet is proposed, what they do not meet is excepted by name, or off.

A claim that some containers of a set meet is in force, with an exception and its reason for each of the others; one
that none of them meets is off. Which it is, is judged here as the checks of `containers/` judge it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from golive.discovery.found import Found, ServiceSet
from golive.discovery.proposal import Collected, Item, Rule, Severity
from golive.discovery.proposing.services import expected_of, holds_containers
from golive.targets.services import ServicesReading
from golive.targets.services.containers import (
    ALL,
    DEFAULT_CAPABILITIES,
    Container,
    is_digest,
    tag_of,
)

Fault = Callable[[Container], str | None]
Keys = Callable[[Sequence[Container]], Mapping[str, Any]]

_ABOVE_ALL = ("/proc", "/sys", "/dev", "/boot", "/root", "/run", "/etc", "/var/run", "/var/lib")
_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock", "dockershim.sock")
_POLICIES = ("always", "unless-stopped", "on-failure")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Claim:
    """A claim about each container; `keys` are parameters that are measured."""

    name: str
    says: str
    check: str
    severity: Severity
    fault: Fault
    keys: Keys = field(default=lambda _: {})


def propose(found: Found, collected: Collected) -> None:
    """A rule for each claim, of one item a set of containers."""
    sets = [(one, _looked_at(one, found)) for one in found.sets if holds_containers(one)]
    sets = [(one, containers) for one, containers in sets if containers]
    collected.count(containers=sum(len(containers) for _, containers in sets))
    if not sets:
        return
    for claim in _CLAIMS:
        collected.rules.append(
            Rule(
                area="containers",
                name=claim.name,
                says=claim.says,
                check=claim.check,
                severity=claim.severity,
                items=tuple(_item(claim, one, containers) for one, containers in sets),
            )
        )


def _looked_at(one: ServiceSet, found: Found) -> list[Container]:
    """The containers of what is expected; what is not is left out of the set."""
    reading = found.services[one.name]
    if not isinstance(reading, ServicesReading):
        return []
    names = {service.name for service in expected_of(one, reading)}
    return [container for container in reading.containers if container.service in names]


def _item(claim: _Claim, one: ServiceSet, containers: Sequence[Container]) -> Item:
    faults = {c.service: fault for c in containers if (fault := claim.fault(c)) is not None}
    services = {container.service for container in containers}
    keys: dict[str, Any] = {"services": one.name, **claim.keys(containers)}
    if faults.keys() >= services:
        reasons = ", ".join(sorted(set(faults.values())))
        return Item(name=one.name, keys=keys, off=f"of {len(services)} services none meets it ({reasons})")
    if faults:
        keys["except"] = {name: f"found so: {fault}" for name, fault in faults.items()}
    met = len(services) - len(faults)
    more = "; mend the others, or give your own reason" if faults else ""
    told = f"{met} of {len(services)} services meet it{more}"
    return Item(name=one.name, keys=keys, told=told)


def _not_root(container: Container) -> str | None:
    rights = container.rights
    user = None if rights.user is None else rights.user.partition(":")[0]
    if rights.uids is not None and 0 in rights.uids:
        return "runs as root"
    if user in ("", "0", "root"):
        return "is started as root"
    if user is None and not rights.not_root and not rights.uids:
        return "the image decides who it runs as"
    return "the number of its user is not told" if user and not user.isdigit() and not rights.uids else None


def _pinned(container: Container) -> str | None:
    reference = container.image.reference if container.image else ""
    tag = tag_of(reference)
    if not reference:
        return "the name of its image is not told"
    if is_digest(reference):
        return None
    return f"its image is {reference}" if not tag or tag == "latest" else None


def _current(container: Container) -> str | None:
    image = container.image
    if image is None or not image.digest or image.reference_digest is None:
        return "the digest of its image is not told"
    return None if image.reference_digest == image.digest else "its tag stands for another image now"


def _limited(kind: str) -> Fault:
    def fault(container: Container) -> str | None:
        limits = container.limits
        value = {"memory": limits.memory_bytes, "cpu": limits.cpus, "pids": limits.pids}[kind]
        return f"the limit of {kind} is not told" if value is None else None if value else f"no limit of {kind}"

    return fault


def _sees_host(container: Container) -> str | None:
    """Stricter than the check where it is in doubt: an exception too many is told, one too few turns red."""
    for mount in container.mounts:
        path = PurePosixPath(mount.source)
        is_shallow = mount.source.startswith("/") and len(path.parts) <= 2
        if mount.source and (path.name in _SOCKETS or is_shallow or mount.source.startswith(_ABOVE_ALL)):
            return f"sees {mount.source} of the host"
    return None


def _privileged(container: Container) -> str | None:
    rights = container.rights
    if rights.privileged:
        return "is privileged"
    if rights.host_namespaces:
        return f"shares the {rights.host_namespaces[0]} namespace of the host"
    if rights.unconfined:
        return f"{rights.unconfined[0]} is switched off"
    return f"has the device {rights.devices[0]}" if rights.devices else None


def _gains(container: Container) -> str | None:
    return _privileged(container) or (None if container.rights.no_new_privileges else "may gain privileges")


def _capable(container: Container) -> str | None:
    held = container.rights.capabilities
    if ALL in held:
        return "holds every capability"
    return "drops none of the engine's capabilities" if held >= DEFAULT_CAPABILITIES else None


def _capabilities(containers: Sequence[Container]) -> dict[str, Any]:
    """What those hold that drop the engine's default."""
    held = [c.rights.capabilities for c in containers if _capable(c) is None]
    return {"allowed": sorted(frozenset().union(*held))}


def _writable(container: Container) -> str | None:
    return None if container.rights.read_only_root else "can write its root"


def _unchecked(container: Container) -> str | None:
    health = container.health
    if health is None:
        return "whether it has a health check is not told"
    return None if health.checked and health.is_healthy else "has no health check"


def _restarted(container: Container) -> str | None:
    if container.restarts is None or container.restart_policy is None:
        return "its restarts are not told"
    if container.restarts > 0:
        return f"was restarted {container.restarts} times"
    return None if container.restart_policy in _POLICIES else "has no restart policy"


def _starved(container: Container) -> str | None:
    if container.oom_kills is None:
        return "how many of its processes were killed is not told"
    kills = max(container.oom_kills, int(container.oom_killed))
    return f"{kills} killed for lack of memory" if kills else None


def _publishes(container: Container) -> str | None:
    if "network" in container.rights.host_namespaces:
        return "shares the network of the host"
    return None if all(port.port for port in container.published) else "publishes a port drawn at random"


def _ports(containers: Sequence[Container]) -> dict[str, Any]:
    declared: dict[str, list[str]] = {}
    for container in containers:
        if _publishes(container) is None and container.published:
            known = declared.setdefault(container.service, [])
            known += [text for port in container.published if (text := str(port)) not in known]
    return {"ports": declared} if declared else {}


_CLAIMS = (
    _Claim(
        name="published-ports",
        says="Containers of {item} publish no port but those that were found",
        check="containers/published_ports",
        severity="critical",
        fault=_publishes,
        keys=_ports,
    ),
    _Claim(
        name="not-privileged",
        says="No container of {item} is privileged",
        check="containers/not_privileged",
        severity="critical",
        fault=_privileged,
        keys=lambda _: {"no_new_privileges": False},
    ),
    _Claim(
        name="no-docker-socket",
        says="No container of {item} sees the engine's socket or another part that gives the host away",
        check="containers/no_docker_socket",
        severity="critical",
        fault=_sees_host,
    ),
    _Claim(
        name="not-root",
        says="No container of {item} runs as root",
        check="containers/not_root",
        severity="high",
        fault=_not_root,
    ),
    _Claim(
        name="no-new-privileges",
        says="No container of {item} may gain privileges",
        check="containers/not_privileged",
        severity="medium",
        fault=_gains,
    ),
    _Claim(
        name="capabilities",
        says="No container of {item} holds more capabilities than it did",
        check="containers/capabilities",
        severity="medium",
        fault=_capable,
        keys=_capabilities,
    ),
    _Claim(
        name="read-only-root",
        says="The root of every container of {item} is read-only",
        check="containers/read_only_root",
        severity="medium",
        fault=_writable,
    ),
    _Claim(
        name="image-pinned",
        says="Every image of {item} is pinned by its tag or digest",
        check="containers/image_pinned",
        severity="high",
        fault=_pinned,
    ),
    _Claim(
        name="image-current",
        says="Every tag of {item} still stands for the image that runs",
        check="containers/image_digest",
        severity="medium",
        fault=_current,
    ),
    *(
        _Claim(
            name=f"limit-{kind}",
            says=f"Every container of {{item}} has a limit of {kind}",
            check="containers/limits",
            severity="high" if kind == "memory" else "medium",
            fault=_limited(kind),
            keys=lambda _, kind=kind: {"limits": [kind]},  # type: ignore[misc]
        )
        for kind in ("memory", "cpu", "pids")
    ),
    _Claim(
        name="health-check",
        says="Every container of {item} has a health check and is healthy",
        check="containers/health_check",
        severity="high",
        fault=_unchecked,
    ),
    _Claim(
        name="restarts",
        says="No container of {item} was restarted, and each has a restart policy",
        check="containers/restarts",
        severity="medium",
        fault=_restarted,
    ),
    _Claim(
        name="oom-kills",
        says="No process of a container of {item} was killed for lack of memory",
        check="containers/oom_kills",
        severity="high",
        fault=_starved,
    ),
)
