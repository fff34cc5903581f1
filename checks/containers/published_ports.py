"""Containers publish only the declared ports, on the declared addresses.

Why: a port on 0.0.0.0 is open to the world, past the host's firewall, since the engine writes its own rules first.
When it fails: bind it to an address (`127.0.0.1:5432:5432`) or remove `ports:`; services of one network reach each
other without it.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.targets.services.containers import Container, Published

_WRITTEN = re.compile(r"(?P<address>\*|\[[0-9a-fA-F:]+\]|[0-9.]+):(?P<port>\d{1,5})(/(?P<protocol>tcp|udp|sctp))?")
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - read, not bound


def _declared(value: Any) -> str:
    found = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ValueError(f"a published port is ADDRESS:PORT[/udp], as in '127.0.0.1:5432' or '*:443'; got {value!r}")
    if found["address"] != "*":
        ipaddress.ip_address(found["address"].strip("[]"))
    return str(value)


Declared = Annotated[str, BeforeValidator(_declared)]


class Params(ContainerParams):
    ports: dict[str, tuple[Declared, ...]] = Field(
        {}, description="by service what it may publish: `127.0.0.1:5432`, `*:443` on every address, `*:53/udp`"
    )

    def named_services(self) -> tuple[str, ...]:
        return (*self.excepted, *self.ports)


def test_containers_publish_only_declared_ports(
    criterion: Params, containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    def faults(container: Container) -> Iterator[str]:
        declared = criterion.ports.get(container.service, ())
        if "network" in container.rights.host_namespaces:
            yield "shares the network of the host, so whatever it listens on is published"
        for port in container.published:
            if not any(_covers(one, port) for one in declared):
                world = " to the world" if port.address in _EVERYWHERE else ""
                yield f"publishes {port}{world}" if port.port else f"publishes a port drawn at random{world}"

    containers.judge(
        faults,
        subject="publishing more than declared",
        shown=lambda container: ", ".join(map(str, container.published)) or "nothing",
        measure=measure,
        evidence=evidence,
    )


def _covers(declared: str, port: Published) -> bool:
    """Whether the declaration is of this port; whoever may be reached everywhere may be reached at one address."""
    found = _WRITTEN.fullmatch(declared)
    if found is None or int(found["port"]) != port.port or (found["protocol"] or "tcp") != port.protocol:
        return False
    if found["address"] == "*":
        return True
    try:
        return ipaddress.ip_address(found["address"].strip("[]")) == ipaddress.ip_address(port.address)
    except ValueError:
        return False
