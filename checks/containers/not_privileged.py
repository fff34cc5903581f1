"""No container is privileged, shares namespaces of the host, or may gain privileges.

Why: each of them undoes what makes it a container; whoever gets into it is on the host.
When it fails: remove `privileged`, `pid: host`, `network_mode: host`, `ipc: host` and `seccomp:unconfined`; set
`security_opt: ["no-new-privileges:true"]` (in Kubernetes `allowPrivilegeEscalation: false`).
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.targets.services.containers import Container


class Params(ContainerParams):
    may_share: tuple[Literal["pid", "network", "ipc", "uts", "user"], ...] = Field(
        (), description="namespaces of the host that may be shared"
    )
    devices: tuple[str, ...] = Field((), description="devices of the host that may be given to a container")
    no_new_privileges: bool = Field(True, description="whether gaining privileges (setuid) must be switched off")


def test_no_container_is_privileged(
    criterion: Params, containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    def faults(container: Container) -> Iterator[str]:
        rights = container.rights
        if rights.privileged:
            yield "is privileged"
        yield from (
            f"shares the {name} namespace of the host"
            for name in rights.host_namespaces
            if name not in criterion.may_share
        )
        yield from (f"{profile} is switched off" for profile in rights.unconfined)
        yield from (f"has the device {device}" for device in rights.devices if device not in criterion.devices)
        if criterion.no_new_privileges and not rights.no_new_privileges:
            yield "may gain privileges"

    containers.judge(faults, subject="with privileges", shown=_shown, measure=measure, evidence=evidence)


def _shown(container: Container) -> str:
    rights = container.rights
    said = [
        "privileged" if rights.privileged else "",
        f"shares {', '.join(rights.host_namespaces)}" if rights.host_namespaces else "",
        f"without {', '.join(rights.unconfined)}" if rights.unconfined else "",
        f"devices {', '.join(rights.devices)}" if rights.devices else "",
        "may gain none" if rights.no_new_privileges else "may gain privileges",
    ]
    return ", ".join(part for part in said if part)
