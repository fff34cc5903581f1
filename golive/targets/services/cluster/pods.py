"""Pods and their containers, as records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from golive.targets.services import told
from golive.targets.services.cluster.asking import Line
from golive.targets.services.containers import (
    Container,
    Health,
    Image,
    Limits,
    Mount,
    Published,
    Rights,
    capabilities,
)

_QUANTITY = re.compile(r"(?P<number>\d{1,15}(\.\d{1,9})?([eE]\d{1,2})?)(?P<unit>n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
          "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60}  # fmt: skip
_PROFILES = {"seccomp": "seccompProfile", "apparmor": "appArmorProfile"}
_STATUSES = ("containerStatuses", "initContainerStatuses")
_POLICIES = {"Always": "always", "OnFailure": "on-failure", "Never": "no"}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - read, not bound
_OUT_OF_MEMORY = "OOMKilled"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One pod. `owner` is the kind and name of what made it, `revision` the hash of the template it was made from.

    `changed_at` is when one of its conditions changed last.
    """

    name: str
    owner: tuple[str, str] | None
    revision: str
    is_ending: bool
    phase: str
    created_at: datetime | None
    changed_at: datetime | None
    reason: str
    containers: tuple[Container, ...]

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good: what is left of it is no part of the service."""
        return self.phase in ("Succeeded", "Failed")


def pod_of(item: Line, parts: Sequence[Line], use: Mapping[tuple[str, str], tuple[float | None, int | None]]) -> Pod:
    """The pod of an item line and the container and volume lines behind it."""
    fields = item.fields
    status = told.mapping(told.decoded(fields["status"]))
    statuses = [one for key in _STATUSES for one in told.items(status.get(key))]
    shown = {told.text(one.get("name")): one for one in statuses}
    context = _Context(
        pod=fields,
        security=told.mapping(told.decoded(fields["spec.securityContext"])),
        paths={
            line.fields["name"]: told.text(told.mapping(told.decoded(line.fields["hostPath"])).get("path"))
            for line in parts
            if line.kind == "volume"
        },
    )
    containers = tuple(
        _container(line.fields, shown.get(line.fields["name"], {}), context, use)
        for line in parts
        if line.kind in ("container", "init")
    )
    changes = [told.moment(one.get("lastTransitionTime")) for one in told.items(status.get("conditions"))]
    return Pod(
        name=fields["metadata.name"],
        owner=_owner(fields),
        revision=fields["metadata.labels.pod-template-hash"] or fields["metadata.labels.controller-revision-hash"],
        is_ending=bool(fields["metadata.deletionTimestamp"]),
        phase=told.text(status.get("phase")),
        created_at=told.moment(fields["metadata.creationTimestamp"]),
        changed_at=max(filter(None, changes), default=None),
        reason=_reason(status, containers),
        containers=containers,
    )


def quantity(text: Any) -> float | None:
    """`500m` as 0.5, `64Mi` as 67108864; None for anything else."""
    found = _QUANTITY.fullmatch(str(text))
    return float(found["number"]) * _UNITS.get(found["unit"] or "", 1.0) if found else None


def _owner(fields: Mapping[str, str]) -> tuple[str, str] | None:
    """The Deployment behind a ReplicaSet is told by its name, which ends with the hash of the template."""
    owners = told.items(told.decoded(fields["metadata.ownerReferences"]))
    owner = next((one for one in owners if one.get("controller") is True), owners[0] if owners else None)
    if owner is None:
        return None
    kind, name = told.text(owner.get("kind")), told.text(owner.get("name"))
    suffix = f"-{fields['metadata.labels.pod-template-hash']}"
    if kind == "ReplicaSet" and len(suffix) > 1 and name.endswith(suffix):
        return "Deployment", name.removesuffix(suffix)
    return kind, name


def _reason(status: Mapping[str, Any], containers: Sequence[Container]) -> str:
    """Why the pod is not ready, "" when it is."""
    conditions = {told.text(one.get("type")): one for one in told.items(status.get("conditions"))}
    if conditions.get("Ready", {}).get("status") == "True":
        return ""
    for container in sorted(containers, key=lambda one: not one.prepares):
        is_done = container.prepares and container.exit_code == 0
        if not container.running and container.detail and not is_done:
            return container.detail
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return ", ".join(filter(None, (told.text(scheduled.get("reason")), told.text(scheduled.get("message"), 120))))
    sick = [one.name for one in containers if one.health and one.health.is_healthy is False]
    return told.text(status.get("reason")) or ("not ready" if sick else told.text(status.get("phase"))) or "not told"


@dataclass(frozen=True, kw_only=True)
class _Context:
    """What a container has of its pod."""

    pod: Mapping[str, str]
    security: Mapping[str, Any]
    paths: Mapping[str, str]


def _container(
    fields: Mapping[str, str],
    status: Mapping[str, Any],
    context: _Context,
    use: Mapping[tuple[str, str], tuple[float | None, int | None]],
) -> Container:
    pod = context.pod["metadata.name"]
    state, last = told.mapping(status.get("state")), told.mapping(status.get("lastState"))
    running, waiting, ended = (told.mapping(state.get(key)) for key in ("running", "waiting", "terminated"))
    before = told.mapping(last.get("terminated"))
    is_starved = any(one.get("reason") == _OUT_OF_MEMORY for one in (ended, before))
    restarts = told.whole(status.get("restartCount"))
    word = "running" if "running" in state else "terminated" if "terminated" in state else "waiting"
    cpu, memory = use.get((pod, fields["name"]), (None, None))
    return Container(
        name=f"{pod}/{fields['name']}",
        service="",
        id=told.text(status.get("containerID")).rpartition("//")[2],
        state=word,
        running=word == "running",
        # A sidecar is written among those that prepare, and stays.
        prepares=fields.get("restartPolicy", "Always") != "Always",
        detail=_detail(waiting, ended, before),
        health=_health(fields, status),
        created_at=told.moment(context.pod["metadata.creationTimestamp"]),
        started_at=told.moment(running.get("startedAt")),
        finished_at=told.moment((ended or before).get("finishedAt")),
        exit_code=told.whole((ended or before).get("exitCode")),
        restarts=restarts,
        restart_policy=_POLICIES.get(context.pod["spec.restartPolicy"], "always"),
        oom_killed=is_starved,
        # Of more than one end only the last is told.
        oom_kills=int(is_starved) if is_starved or (restarts or 0) <= 1 else None,
        image=_image(fields["image"], told.text(status.get("imageID"))),
        limits=_limits(told.mapping(told.decoded(fields["resources.limits"]))),
        rights=_rights(told.mapping(told.decoded(fields["securityContext"])), context),
        mounts=tuple(_mounts(told.items(told.decoded(fields["volumeMounts"])), context.paths)),
        published=tuple(_published(told.items(told.decoded(fields["ports"])))),
        cpu_percent=cpu,
        memory_bytes=memory,
    )


def _detail(waiting: Mapping[str, Any], ended: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """`CrashLoopBackOff after OOMKilled (exit code 137)`."""
    words = []
    if waiting:
        words.append(told.text(waiting.get("reason")) or "waiting")
    last = ended or before
    if last and (waiting or ended):
        code = told.whole(last.get("exitCode"))
        end = told.text(last.get("reason")) or "its end"
        words.append(f"{'after ' if waiting else ''}{end}" + (f" (exit code {code})" if code is not None else ""))
    return " ".join(words)


def _health(fields: Mapping[str, str], status: Mapping[str, Any]) -> Health:
    """The kubelet tells whether the checks pass, and not what they said."""
    is_checked = bool(fields["readinessProbe.periodSeconds"] or fields["livenessProbe.periodSeconds"])
    is_ready = status.get("ready")
    known = is_checked and isinstance(is_ready, bool)
    return Health(checked=is_checked, status="" if not known else "healthy" if is_ready else "not ready")


def _image(reference: str, image_id: str) -> Image:
    digest = _DIGEST.search(image_id)
    pulled = (digest[0],) if digest and "@" in image_id else ()
    return Image(reference=told.text(reference), digest=digest[0] if digest else None, registry_digests=pulled)


def _limits(limits: Mapping[str, Any]) -> Limits:
    """A limit that is not written is none; that of processes is the node's and not told."""
    memory, cpu = (quantity(limits.get(key, 0)) for key in ("memory", "cpu"))
    return Limits(memory_bytes=None if memory is None else round(memory), cpus=cpu, pids=None)


def _rights(own: Mapping[str, Any], context: _Context) -> Rights:
    """What is written at the container goes before what is written at the pod."""
    both = {**context.security, **own}
    user = told.whole(both.get("runAsUser"))
    kinds = told.mapping(own.get("capabilities"))
    is_privileged = own.get("privileged") is True
    hosts = {"pid": "spec.hostPID", "network": "spec.hostNetwork", "ipc": "spec.hostIPC"}
    return Rights(
        user=None if user is None else str(user),
        not_root=both.get("runAsNonRoot") is True,
        capabilities=capabilities(
            told.texts(kinds.get("add")), told.texts(kinds.get("drop")), privileged=is_privileged
        ),
        privileged=is_privileged,
        no_new_privileges=own.get("allowPrivilegeEscalation") is False,
        read_only_root=own.get("readOnlyRootFilesystem") is True,
        host_namespaces=tuple(name for name, key in hosts.items() if context.pod[key] == "true"),
        unconfined=tuple(
            name for name, key in _PROFILES.items() if told.mapping(both.get(key)).get("type") == "Unconfined"
        ),
    )


def _mounts(mounts: Sequence[Mapping[str, Any]], paths: Mapping[str, str]) -> Iterator[Mount]:
    for mount in mounts:
        path, below = paths.get(told.text(mount.get("name")), ""), told.text(mount.get("subPath"))
        yield Mount(
            source=f"{path.rstrip('/')}/{below}" if path and below else path,
            target=told.text(mount.get("mountPath")),
            writable=mount.get("readOnly") is not True,
        )


def _published(ports: Sequence[Mapping[str, Any]]) -> Iterator[Published]:
    for port in ports:
        number, address = told.whole(port.get("hostPort")), told.text(port.get("hostIP"))
        for one in ((address,) if address and address != _ANYWHERE[0] else _ANYWHERE) if number else ():
            protocol = (told.text(port.get("protocol")) or "TCP").lower()
            yield Published(
                address=one, port=number or 0, protocol=protocol, inner=told.whole(port.get("containerPort"))
            )
