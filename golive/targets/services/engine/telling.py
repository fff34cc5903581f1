"""From what an engine told to one `ServicesReading`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from golive.model import CouldNotLook
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import Crash, Service, ServicesReading, told
from golive.targets.services.bounded import LIMIT_S, NOT_THERE, TIMED_OUT
from golive.targets.services.containers import Container
from golive.targets.services.engine import Engine
from golive.targets.services.engine.asking import MARK
from golive.targets.services.engine.crashes import crashes, known_since
from golive.targets.services.engine.images import images_of
from golive.targets.services.engine.rows import Row, Seen, container_of
from golive.targets.services.engine.use import uses
from golive.targets.shell import one_line

N = TypeVar("N", int, float)

# Without these a container would seem to have no rights.
_NEEDED = {"state": str, "privileged": bool, "pid_mode": str, "network_mode": str, "ipc_mode": str}
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def parts_of(said: str) -> tuple[str, dict[str, str]]:
    """What came before the first mark, and the text of each part by the words of its mark."""
    before, *pieces = f"\n{said}".split(f"\n{MARK} ")
    parts: dict[str, str] = {}
    for piece in pieces:
        head, _, text = piece.partition("\n")
        parts.setdefault(head.strip(), text)
    return before, parts


def refusal(engine: Engine, said: str, parts: Mapping[str, str], host: str) -> CouldNotLook | None:
    """Why the engine told nothing, in one line; None when it told."""
    where = f"host {host}: {engine.where}"
    for head, text in parts.items():
        if head.startswith("refused"):
            return CouldNotLook(f"{where}: {_why(engine, told.digits(head.split()[-1]), text)}")
    if "ids" not in parts:
        return CouldNotLook(f"{where}: {one_line(said) or 'the engine told nothing'}")
    return None


def reading(engine: Engine, said: str, facts: HostFacts) -> ServicesReading:
    """All services of the set, those without any container left out. CouldNotLook when the engine does not answer."""
    before, parts = parts_of(said)
    problem = refusal(engine, before, parts, facts.host)
    if problem is not None:
        raise problem
    rows = _rows(engine, parts, facts.host)
    use = uses(parts.get("use", ""), parts.get("again", ""))
    seen = Seen(
        facts=facts,
        use=use,
        images=images_of(parts.get("images", "")),
        volumes=_volumes(parts),
        shared=_shared(parts),
    )
    containers = _containers(engine, rows, seen)
    services = {name: _service(name, group, engine) for name, group in _groups(containers).items()}
    declared, gap = _declared(engine, parts)
    oldest = told.unix(told.digits(parts.get("oldest", "").strip()))
    strangers = (services.keys() | set(declared or ())) - set(engine.expected) - set(engine.leave_out)
    return ServicesReading(
        expected=engine.expected,
        services=services,
        undeclared=tuple(sorted(strangers)),
        unknown_to_file=tuple(name for name in engine.expected if declared is not None and name not in declared),
        declared_gap=gap,
        note="" if services else f"{engine.where} has no container",
        crashes=_crashes(engine, rows, parts.get("events", ""), containers),
        crashes_since=known_since([c for c in containers if c.service in engine.expected], oldest),
        crashes_gap=_forgotten(engine, parts),
        pids=frozenset().union(*(container.pids for container in containers)),
    )


def _forgotten(engine: Engine, parts: Mapping[str, str]) -> str | None:
    """Why crashes may be missing: the engine was asked for its events and did not tell them in full."""
    ended = next((head.split()[-1] for head in parts if head.startswith("asked ")), "")
    if not engine.events_back or ended == "0":
        return None
    return f"{engine.where}: events are not known: {_why(engine, told.digits(ended), parts.get('events', ''))}"


def _why(engine: Engine, code: int | None, text: str) -> str:
    if code in TIMED_OUT:
        return f"`{engine.program}` did not answer within {LIMIT_S} s"
    if code == NOT_THERE:
        return f"`{engine.program}` is not installed there ({one_line(text)})"
    if "permission denied" in text.lower():
        who = "add the user to the group docker, or set" if engine.program == "docker" else "set"
        return f"the engine's socket is closed to this user: {who} `sudo: true` for the host ({one_line(text)})"
    return one_line(text) or f"`{engine.program}` ended with exit code {code}"


def _rows(engine: Engine, parts: Mapping[str, str], host: str) -> list[Row]:
    """CouldNotLook when a container was listed and then not told of, since none may be lost."""
    lines = parts.get("containers", "").splitlines()
    rows: list[Row] = list(told.objects("\n".join(line.partition("|")[2] for line in lines)))
    lost = set(parts["ids"].split()) - {told.text(row.get("id")) for row in rows}
    if lost:
        other = "\n".join(line for line in lines if "|{" not in line)
        why = one_line(other) or f"it told nothing of container {min(lost)[:12]}"
        raise CouldNotLook(f"host {host}: {engine.where}: {why}")
    for row in rows:
        untold = next((key for key, form in _NEEDED.items() if not isinstance(row.get(key), form)), None)
        if untold is not None:
            name = told.text(row.get("name")).lstrip("/") or told.text(row.get("id"))[:12]
            raise CouldNotLook(f"host {host}: {engine.where}: {name} does not tell its {untold.replace('_', ' ')}")
    projects = sorted({told.text(row.get("group")) for row in rows})
    if len(projects) > 1:
        raise CouldNotLook(f"host {host}: {engine.where} holds {', '.join(projects)}: name one with 'project'")
    return rows


def _volumes(parts: Mapping[str, str]) -> dict[str, str]:
    """By name the path of the host that a volume stands for, "" for none."""
    rows = told.objects(parts.get("volumes", ""))
    return {told.text(row.get("name")): told.text(row.get("path")) for row in rows}


def _shared(parts: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Containers by id, with a namespace of the host each."""
    pairs = (line.split() for line in parts.get("shared", "").splitlines())
    return frozenset((pair[0], pair[1]) for pair in pairs if len(pair) == 2)


def _containers(engine: Engine, rows: Iterable[Row], seen: Seen) -> list[Container]:
    """Those of the services that are looked at, without commands that were run by hand."""
    deployed = [row for row in rows if told.text(row.get("oneoff")).lower() != "true"]
    found = [container_of(row, seen) for row in deployed]
    return [one for one in found if one.service and one.service not in engine.leave_out]


def _crashes(engine: Engine, rows: Sequence[Row], events: str, containers: Sequence[Container]) -> tuple[Crash, ...]:
    """Where the project's name is not known, its events cannot be told from others'."""
    project = told.text(rows[0].get("group")) if rows else engine.project
    mine = [row for row in told.objects(events) if told.text(row.get("group")) == project]
    if engine.only_expected:
        mine = [row for row in mine if told.text(row.get("service")) in engine.expected]
    return crashes(mine, containers, leave_out=frozenset(engine.leave_out))


def _groups(containers: Iterable[Container]) -> dict[str, list[Container]]:
    groups: dict[str, list[Container]] = {}
    for container in sorted(containers, key=lambda one: one.name):
        groups.setdefault(container.service, []).append(container)
    return groups


def _service(name: str, containers: list[Container], engine: Engine) -> Service:
    """One record; of several containers the worst is shown, so that none hides behind another."""
    worst = max(containers, key=_weight)
    running = sum(container.running for container in containers)
    wanted = engine.replicas.get(name)
    is_scaled = len(containers) > 1 or (wanted or 1) > 1
    health = [c.health.is_healthy for c in containers if c.health and c.health.is_healthy is not None]
    return Service(
        name=name,
        state=f"{worst.told}: {worst.name}; {running} of {wanted or len(containers)} run" if is_scaled else worst.told,
        running=running == len(containers) and running >= (wanted or 1),
        healthy=all(health) if health else None,
        pid=worst.pid,
        started_at=_latest([container.started_at for container in containers if container.running]),
        restarts=_sum([container.restarts for container in containers]),
        exit_code=worst.exit_code,
        cpu_percent=_sum([container.cpu_percent for container in containers if container.running]),
        memory_bytes=_sum([container.memory_bytes for container in containers if container.running]),
        net_rx_bytes=_sum([container.net_rx_bytes for container in containers if container.running]),
        net_tx_bytes=_sum([container.net_tx_bytes for container in containers if container.running]),
        wanted=wanted,
        containers=tuple(containers),
    )


def _weight(container: Container) -> int:
    sick = container.health is not None and container.health.is_healthy is False
    return (0 if container.running else 2) + (1 if sick else 0)


def _latest(moments: list[datetime | None]) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return max(known) if known and len(known) == len(moments) else None


def _sum(values: Iterable[N | None]) -> N | None:
    values = list(values)
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _declared(engine: Engine, parts: Mapping[str, str]) -> tuple[tuple[str, ...] | None, str | None]:
    """The services of the file, or why they are not known; neither where no file was named."""
    if not engine.declared:
        return None, None
    lines = parts.get("declared", "").splitlines()
    ended = next((line.split()[-1] for line in lines if line.startswith("-- exit ")), "")
    names = tuple(line for line in lines if _NAME.fullmatch(line))
    if ended == "0" and names:
        return tuple(sorted(names)), None
    said = one_line("\n".join(line for line in lines if not line.startswith("-- exit ")))
    return None, f"which services the compose file declares is not known: {said or 'it printed nothing'}"
