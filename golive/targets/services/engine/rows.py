"""What an engine told of one container, as a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from golive.targets.hosts.facts import HostFacts
from golive.targets.hosts.processes import tree
from golive.targets.services import told, usage
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
from golive.targets.services.engine.images import Images
from golive.targets.services.engine.use import Use

Row = Mapping[str, Any]

_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - read, not bound
_SHARED = {"pid": "pid_mode", "network": "network_mode", "ipc": "ipc_mode", "uts": "uts_mode", "user": "user_mode"}
_OF_KERNEL = {"network": "net"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What is known beside the rows: the host, what containers use by id, the engine's images, and paths of volumes.

    `shared` are namespaces of the host, as the kernel names them, that a container shares by way of another one.
    """

    facts: HostFacts
    use: Mapping[str, Use]
    images: Images
    volumes: Mapping[str, str] = field(default_factory=dict)
    shared: frozenset[tuple[str, str]] = frozenset()


def container_of(row: Row, seen: Seen) -> Container:
    """The record of a row; what it does not tell, or tells in another form, is None or empty."""
    state, pid = told.text(row.get("state")), told.whole(row.get("pid")) or None
    use = seen.use.get(told.text(row.get("id")), Use())
    by_tree = usage(seen.facts, pid)
    is_privileged = row.get("privileged") is True
    shares_network = not told.text(row.get("network_mode")) or told.text(row.get("network_mode")) == "host"
    return Container(
        name=told.text(row.get("name")).lstrip("/"),
        service=told.text(row.get("service")).lstrip("/"),
        id=told.text(row.get("id")),
        state=state,
        running=state == "running",
        health=_health(row),
        pid=pid,
        created_at=told.moment(row.get("created")),
        started_at=told.moment(row.get("started")),
        finished_at=told.moment(row.get("finished")),
        exit_code=told.whole(row.get("exit_code")),
        restarts=told.whole(row.get("restarts")),
        restart_policy=told.text(row.get("policy")) or "no",
        oom_killed=row.get("oom_killed") is True,
        oom_kills=use.oom_kills,
        image=_image(row, seen.images),
        limits=_limits(row),
        rights=Rights(
            user=told.text(row.get("user")),
            uids=_uids(use, pid, seen.facts),
            capabilities=capabilities(
                told.texts(row.get("cap_add")), told.texts(row.get("cap_drop")), privileged=is_privileged
            ),
            privileged=is_privileged,
            no_new_privileges=any(_option(one) in _NO_NEW for one in told.texts(row.get("security"))),
            read_only_root=row.get("read_only") is True,
            host_namespaces=tuple(
                name
                for name, key in _SHARED.items()
                if row.get(key) == "host" or (told.text(row.get("id")), _OF_KERNEL.get(name, name)) in seen.shared
            ),
            unconfined=_unconfined(row),
            devices=tuple(told.text(device.get("PathOnHost")) for device in told.items(row.get("devices"))),
        ),
        mounts=tuple(_mount(mount, seen.volumes) for mount in told.items(row.get("mounts"))),
        published=_published(row, is_running=state == "running"),
        pids=frozenset(use.uids) or by_tree.pids,
        cpu_percent=by_tree.cpu_percent if use.cpu_percent is None else use.cpu_percent,
        memory_bytes=by_tree.memory_bytes if use.memory_bytes is None else use.memory_bytes,
        net_rx_bytes=None if shares_network else use.rx_bytes,
        net_tx_bytes=None if shares_network else use.tx_bytes,
    )


_NO_NEW = (("no-new-privileges", ""), ("no-new-privileges", "true"))


def _option(text: str) -> tuple[str, str]:
    """`seccomp=unconfined`, which older clients write with a colon."""
    key, _, value = text.replace("=", ":", 1).partition(":")
    return key, value


def _unconfined(row: Row) -> tuple[str, ...]:
    """Profiles that were switched off. Docker itself switches SELinux off for what shares pid or ipc of the host."""
    options = map(_option, told.texts(row.get("security")))
    off = [key for key, value in options if value in ("unconfined", "disable")]
    is_implied = row.get("privileged") is True or "host" in (row.get("pid_mode"), row.get("ipc_mode"))
    return tuple("selinux" if key == "label" else key for key in off if not (key == "label" and is_implied))


def _health(row: Row) -> Health:
    return Health(
        checked=told.text(row.get("health_test")) not in ("", "NONE"),
        status=told.text(row.get("health")),
        output=told.text(row.get("health_said"), 150),
    )


def _image(row: Row, images: Images) -> Image:
    reference, digest = told.text(row.get("reference")), told.text(row.get("image"))
    return images.image(reference, f"sha256:{digest.removeprefix('sha256:')}" if digest else None)


def _limits(row: Row) -> Limits:
    """The engines write 0, -1 or null for no limit."""
    memory, pids = (told.whole(row.get(key)) for key in ("memory", "pids_limit"))
    nano, quota, period = (told.whole(row.get(key)) or 0 for key in ("nano_cpus", "cpu_quota", "cpu_period"))
    cpus = nano / 1e9 if nano > 0 else quota / (period if period > 0 else 100_000)
    return Limits(memory_bytes=max(0, memory or 0), cpus=max(0.0, cpus), pids=max(0, pids or 0))


def _uids(use: Use, pid: int | None, facts: HostFacts) -> frozenset[int] | None:
    """Of the container's own processes, and not of commands that were started in it from outside (`exec`)."""
    own = tree(facts.processes, [pid]) if pid in facts.processes and pid is not None else use.uids.keys()
    return frozenset(uid for process, uid in use.uids.items() if process in own) or None


def _mount(row: Row, volumes: Mapping[str, str]) -> Mount:
    is_path, volume = told.text(row.get("Type")) == "bind", told.text(row.get("Name"))
    return Mount(
        source=told.text(row.get("Source")) if is_path else volumes.get(volume, ""),
        is_told=is_path or not volume or volume in volumes,
        target=told.text(row.get("Destination")),
        writable=row.get("RW") is not False,
    )


def _published(row: Row, *, is_running: bool) -> tuple[Published, ...]:
    """What is published now, or would be if the container ran. An address that is left out stands for every one."""
    found = set()
    for inner, bindings in told.mapping(row.get("ports" if is_running else "bindings")).items():
        number, _, protocol = inner.partition("/")
        for binding in told.items(bindings):
            address = told.text(binding.get("HostIp"))
            for one in (address,) if address else _ANYWHERE:
                port = told.digits(told.text(binding.get("HostPort"))) or 0
                found.add(Published(address=one, port=port, protocol=_protocol(protocol), inner=told.digits(number)))
    return tuple(sorted(found, key=str))


def _protocol(text: str) -> str:
    """`tcp` where none is written."""
    return told.text(text).lower() or "tcp"
