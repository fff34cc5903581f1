"""Containers as frozen records, whatever runs them: their state, their image, and what they are allowed to do.

A value is None where the engine does not tell it. A limit of 0 is no limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

DEFAULT_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "NET_RAW",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
"""What Docker, containerd and Podman give every container that drops nothing (Podman leaves some of it out)."""
ALL = "ALL"
_ID = re.compile(r"(sha256:)?[0-9a-f]{12,64}")


def tag_of(reference: str) -> str:
    """The tag that an image is asked for by, "" when none is written."""
    name = reference.partition("@")[0]
    return name.rpartition(":")[2] if ":" in name.rpartition("/")[2] and not is_digest(reference) else ""


def is_digest(reference: str) -> bool:
    """Whether the reference can stand for one image only: it names a digest, or is the id of an image."""
    return "@sha256:" in reference or _ID.fullmatch(reference) is not None


def capabilities(added: Iterable[str], dropped: Iterable[str], *, privileged: bool) -> frozenset[str]:
    """The names, without `CAP_`, of what a container may hold; `{"ALL"}` when nothing is kept from it."""
    gains, losses = (frozenset(name.upper().removeprefix("CAP_") for name in names) for names in (added, dropped))
    if privileged or ALL in gains:
        return frozenset({ALL})
    return (frozenset() if ALL in losses else DEFAULT_CAPABILITIES - losses) | gains


@dataclass(frozen=True, kw_only=True, slots=True)
class Mount:
    """A path of the host, or a volume, that is seen inside the container. `source` is "" where it has no path.

    It is not told where the engine was asked for what a volume stands for and did not say.
    """

    source: str
    target: str
    writable: bool
    is_told: bool = True

    def __str__(self) -> str:
        return f"{self.source} on {self.target}{'' if self.writable else ' (read-only)'}"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Published:
    """A port of the host that leads into the container."""

    address: str
    port: int
    protocol: str = "tcp"
    inner: int | None = None

    def __str__(self) -> str:
        where = f"[{self.address}]" if ":" in self.address else self.address
        return f"{where}:{self.port}" + ("" if self.protocol == "tcp" else f"/{self.protocol}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """The image that a container was made of.

    `reference` is what it was asked for by, `digest` the image's own id (for Kubernetes, the digest that was pulled),
    `registry_digests` those under which registries know it. `reference_digest` is the id of the image that the
    reference stands for now, "" when it stands for none.
    """

    reference: str
    digest: str | None = None
    registry_digests: tuple[str, ...] | None = None
    reference_digest: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a container may use at most."""

    memory_bytes: int | None = None
    cpus: float | None = None
    pids: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rights:
    """What a container is allowed to do.

    `user` is as it is written; None where the image decides and the engine does not tell. `uids` are the effective
    user ids that its processes have on the host. `not_root` says that the engine refuses to start it as root.
    `host_namespaces` (of pid, network, ipc, uts, user) are shared with the host; `unconfined` names the profiles
    (seccomp, apparmor) that were switched off.
    """

    user: str | None = None
    not_root: bool = False
    uids: frozenset[int] | None = None
    capabilities: frozenset[str] = frozenset()
    privileged: bool = False
    no_new_privileges: bool = False
    read_only_root: bool = False
    host_namespaces: tuple[str, ...] = ()
    unconfined: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """Whether the engine looks after the container's health, and what it found last."""

    checked: bool
    status: str = ""
    output: str = ""

    @property
    def is_healthy(self) -> bool | None:
        """None without a health check."""
        return self.status == "healthy" if self.checked and self.status else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """One container of a service. `oom_kills` counts processes killed since its start, whether or not it survived.

    One that `prepares` runs once, before the others, and ends (an init container of Kubernetes).
    """

    name: str
    service: str
    id: str
    state: str
    running: bool
    prepares: bool = False
    detail: str = ""
    health: Health | None = None
    pid: int | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    restarts: int | None = None
    restart_policy: str | None = None
    oom_killed: bool = False
    oom_kills: int | None = None
    image: Image | None = None
    limits: Limits = field(default_factory=Limits)
    rights: Rights = field(default_factory=Rights)
    mounts: tuple[Mount, ...] = ()
    published: tuple[Published, ...] = ()
    pids: frozenset[int] = frozenset()
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    net_rx_bytes: int | None = None
    net_tx_bytes: int | None = None

    @property
    def told(self) -> str:
        """Its state in words: `exited (exit code 137, killed for lack of memory)`."""
        more = [
            f"exit code {self.exit_code}" if not self.running and self.exit_code is not None else "",
            "killed for lack of memory" if self.oom_killed else "",
            self.health.status if self.health and self.health.status not in ("", "none") else "",
            self.detail,
        ]
        if self.health and self.health.is_healthy is False and self.health.output:
            more.append(f"its last check said: {self.health.output}")
        known = ", ".join(part for part in more if part)
        return f"{self.state} ({known})" if known else self.state
