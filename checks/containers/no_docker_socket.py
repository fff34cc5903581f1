"""No container sees the engine's socket, or another part of the host that gives the host away.

Why: whoever may talk to the engine starts a privileged container and owns the host; `/`, `/etc` or `/proc` do as well.
When it fails: remove the mount. Give a proxy that needs the socket a filtering one in between, with read access only to
what it needs.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from pydantic import Field

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.model import CouldNotLook
from golive.targets.services.containers import Container, Mount

_SOCKETS = (
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/podman/podman.sock",
    "/run/dockershim.sock",
    "/run/docker/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
)
# Engines without root have theirs here, in a folder for each user.
_OF_USERS = PurePosixPath("/run/user")
_SOCKET_NAMES = frozenset(PurePosixPath(socket).name for socket in _SOCKETS)
_WITH_ALL_BELOW = (
    "/proc",
    "/sys",
    "/dev",
    "/boot",
    "/root",
    "/var/lib/docker",
    "/var/lib/kubelet",
    "/var/lib/containerd",
)
_IF_WRITABLE = ("/usr", "/lib", "/lib64", "/bin", "/sbin")
_THEMSELVES = ("/", "/etc", "/home", "/var", "/var/lib", "/var/log", "/run",
               "/etc/shadow", "/etc/passwd", "/etc/sudoers", "/etc/ssh", "/etc/kubernetes")  # fmt: skip


class Params(ContainerParams):
    also: tuple[str, ...] = Field((), description="further paths of the host that no container may see")
    allowed: tuple[str, ...] = Field(
        (), description="paths of the host that may be seen all the same, exactly so written"
    )


def test_no_container_sees_the_socket_of_the_engine(
    criterion: Params, containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    def faults(container: Container) -> Iterator[str]:
        for mount in container.mounts:
            if not mount.is_told:
                raise CouldNotLook(f"which path the volume on {mount.target} stands for is not told")
            if mount.source and mount.source not in criterion.allowed and _is_sensitive(mount, criterion.also):
                yield f"sees {mount.source} of the host{_with_socket(mount.source)}"

    containers.judge(
        faults,
        subject="with sensitive mounts",
        shown=lambda container: ", ".join(map(str, (m for m in container.mounts if m.source))) or "none",
        measure=measure,
        evidence=evidence,
    )


def _is_sensitive(mount: Mount, also: tuple[str, ...]) -> bool:
    path = _plain(mount.source)
    whole = (*_WITH_ALL_BELOW, *(_IF_WRITABLE if mount.writable else ()), *map(_plain, also))
    return (
        path in _THEMSELVES
        or PurePosixPath(path).name in _SOCKET_NAMES
        or any(_is_above(path, socket) for socket in _SOCKETS)
        or _OF_USERS in (PurePosixPath(path), PurePosixPath(path).parent)
        or any(path == one or _is_above(one, path) for one in whole)
    )


def _with_socket(source: str) -> str:
    """The socket that lies below a folder, since that is not plain to see."""
    below = [socket for socket in _SOCKETS if _is_above(_plain(source), socket)]
    return f" (with {below[0]})" if below else ""


def _is_above(path: str, other: str) -> bool:
    return PurePosixPath(path) in PurePosixPath(other).parents


def _plain(path: str) -> str:
    """Without `.`, `..` and doubled slashes; `/var/run` is `/run` on every system of today."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    whole = "/" + "/".join(parts)
    return whole.removeprefix("/var") if whole == "/var/run" or whole.startswith("/var/run/") else whole
