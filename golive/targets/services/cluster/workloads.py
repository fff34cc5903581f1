"""Deployments, StatefulSets, DaemonSets and pods of their own, as services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from golive.model import CouldNotLook
from golive.targets.services import Crash, Service, told
from golive.targets.services.cluster.asking import Line
from golive.targets.services.cluster.pods import Pod, pod_of
from golive.targets.services.containers import Container

_KINDS = ("Deployment", "StatefulSet", "DaemonSet")
_SHORT = {"deploy": "deployment", "sts": "statefulset", "ds": "daemonset", "po": "pod"}
_RUNS_ONCE = ("Job", "CronJob")
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One workload with its pods. `name` is `deployment/api`; `gap` says what its rollout still lacks."""

    name: str
    desired: int
    ready: int
    gap: str
    pods: tuple[Pod, ...]

    @property
    def living(self) -> tuple[Pod, ...]:
        """Its pods without those that end or have ended."""
        return tuple(pod for pod in self.pods if not pod.is_ending and not pod.is_over)


def workloads_of(
    lines: Sequence[Line], use: Mapping[tuple[str, str], tuple[float | None, int | None]]
) -> dict[str, Workload]:
    """By `kind/name`; pods of jobs are left out, those that nothing owns are workloads of their own."""
    owned: dict[tuple[str, str], list[Pod]] = {}
    items = list(_with_parts(lines))
    for item, parts in items:
        if item.fields["kind"] == "Pod":
            pod = pod_of(item, parts, use)
            owned.setdefault(pod.owner or ("Pod", pod.name), []).append(pod)
    found = {}
    for item, _ in items:
        kind, name = item.fields["kind"], item.fields["metadata.name"]
        if kind in _KINDS:
            workload = _workload(kind, name, item.fields, owned.pop((kind, name), []))
            found[workload.name] = workload
    for (kind, name), pods in owned.items():
        if kind not in _RUNS_ONCE:
            ready = sum(not pod.reason and not pod.is_over and not pod.is_ending for pod in pods)
            full = f"{kind.lower()}/{name}"
            found[full] = Workload(name=full, desired=len(pods), ready=ready, gap="", pods=tuple(pods))
    return found


def named(workloads: Mapping[str, Workload], name: str, where: str) -> Workload | None:
    """The workload of an expected name, which may leave its kind out. CouldNotLook when it is two workloads' name."""
    if "/" in name:
        kind, _, rest = name.partition("/")
        return workloads.get(f"{_SHORT.get(kind.lower(), kind.lower())}/{rest}")
    found = [workload for key, workload in workloads.items() if key.partition("/")[2] == name]
    if len(found) > 1:
        both = " and ".join(sorted(workload.name for workload in found))
        raise CouldNotLook(f"{where}: {name} may be {both}: write which one")
    return found[0] if found else None


def service_of(name: str, workload: Workload) -> Service:
    """The workload under the name that it is expected by."""
    containers = tuple(replace(one, service=name) for pod in workload.living for one in pod.containers)
    running = [one for one in containers if one.running]
    starts = [one.started_at for one in running]
    is_complete = 0 < workload.desired <= workload.ready and not workload.gap
    health = [one.health.is_healthy for one in containers if one.health and one.health.is_healthy is not None]
    return Service(
        name=name,
        state=_state(workload),
        running=is_complete,
        # While replicas are exchanged one may not be ready yet: what counts is that enough of them are.
        healthy=None if not health else True if is_complete else all(health),
        started_at=max((start for start in starts if start), default=None) if all(starts) else None,
        restarts=sum(one.restarts or 0 for one in containers) if containers else None,
        cpu_percent=_sum([one.cpu_percent for one in running]),
        memory_bytes=_whole_sum([one.memory_bytes for one in running]),
        wanted=workload.desired,
        containers=containers,
    )


def crashes_of(name: str, workload: Workload) -> Iterator[Crash]:
    """The last unexpected end of each container that was started again, and pods that failed.

    Of a pod that was evicted no container may be told any more.
    """
    for pod in workload.pods:
        if pod.phase == "Failed" and not any(one.finished_at for one in pod.containers if not one.prepares):
            why = f" ({pod.reason})" if pod.reason else ""
            yield Crash(at=pod.changed_at, says=f"{name}: {pod.name} failed{why}")
        for container in pod.containers:
            has_failed = pod.phase == "Failed" and container.finished_at and not container.prepares
            if container.restarts or has_failed:
                yield Crash(at=container.finished_at, says=f"{name}: {_end(container)}")


def _end(container: Container) -> str:
    what = "killed for lack of memory" if container.oom_killed else "ended"
    code = "" if container.exit_code is None else f" (exit code {container.exit_code})"
    return f"{what} in {container.name}{code}, {container.restarts or 0} restarts"


def _with_parts(lines: Sequence[Line]) -> Iterator[tuple[Line, list[Line]]]:
    """Each item with the lines behind it, up to the next one."""
    item: Line | None = None
    parts: list[Line] = []
    for line in lines:
        if line.kind == "item":
            if item is not None:
                yield item, parts
            item, parts = line, []
        else:
            parts.append(line)
    if item is not None:
        yield item, parts


def _workload(kind: str, name: str, fields: Mapping[str, str], pods: list[Pod]) -> Workload:
    status = told.mapping(told.decoded(fields["status"]))
    if kind == "DaemonSet":
        desired, ready = _count(status, "desiredNumberScheduled"), _count(status, "numberReady")
    else:
        written = told.digits(fields["spec.replicas"])
        desired, ready = 1 if written is None else written, _count(status, "readyReplicas")
    updated = _count(status, "updatedNumberScheduled" if kind == "DaemonSet" else "updatedReplicas")
    is_exchanged = kind == "Deployment" or (kind == "DaemonSet" and fields["spec.updateStrategy.type"] != "OnDelete")
    gap = ""
    if _count(status, "observedGeneration") < (told.digits(fields["metadata.generation"]) or 0):
        gap = "its last change is not taken up yet"
    elif is_exchanged and updated < desired:
        gap = f"{updated} of {desired} are of the last change"
    elif kind == "Deployment" and (before := _count(status, "replicas") - updated) > 0:
        # What is ready may be those before the change, which stay until their successors are ready.
        gap = f"{before} from before the last change {'is' if before == 1 else 'are'} still there"
    return Workload(name=f"{kind.lower()}/{name}", desired=desired, ready=ready, gap=gap, pods=tuple(pods))


def _count(status: Mapping[str, Any], key: str) -> int:
    """The API leaves counts of 0 out."""
    return told.whole(status.get(key)) or 0


def _state(workload: Workload) -> str:
    if workload.desired == 0:
        return "scaled to 0"
    waiting = [f"{pod.name}: {pod.reason}" for pod in workload.living if pod.reason]
    more = [workload.gap, *waiting[:_SHOWN], f"{len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""]
    said = "; ".join(filter(None, more))
    return f"{workload.ready} of {workload.desired} ready" + (f" ({said})" if said else "")


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _whole_sum(values: Sequence[int | None]) -> int | None:
    total = _sum(values)
    return None if total is None else round(total)
