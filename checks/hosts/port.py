"""A port is listened on where and by whom it should be, or is not listened on.

Why: a database that listens on all addresses is one firewall rule away from the world.
When it fails: see who listens (`ss -ltnp`, `ss -lunp`), and set the address in the service's configuration.
"""

import ipaddress
from typing import Annotated, Literal

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, HostRef
from golive.targets.hosts.host import Host
from golive.targets.hosts.machine import Port
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.udp import UdpPorts
from golive.targets.hosts.questions.written import Texts

_NAME_LENGTH = 15
"""The kernel cuts the names of processes."""


class Params(CheckParams):
    host: HostRef
    port: Annotated[int, Field(ge=1, le=65535)]
    protocol: Literal["tcp", "udp"] = "tcp"
    listening: bool = Field(True, description="false: nothing may listen (on `addresses`, where they are given)")
    addresses: Texts = Field((), description="exactly these: 127.0.0.1, 0.0.0.0 (every IPv4), '::' (every one)")
    loopback_only: bool = Field(False, description="true: only the host itself may reach it")
    process: str | None = Field(None, description="name of the process that must hold it")

    @property
    def of_udp(self) -> UdpPorts:
        """The ports of UDP."""
        return UdpPorts(with_processes=self.process is not None)

    def asks(self) -> tuple[Question[object], ...]:
        """The ports of TCP are known anyway."""
        return (self.of_udp,) if self.protocol == "udp" else ()

    def asserts_nothing(self) -> str | None:
        for address in self.addresses:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                return f"{address!r} is no address"
        if not self.listening and (self.process is not None or self.loopback_only):
            return "what does not listen has no process and no reach to judge"
        return None


def test_port_is_listened_on_as_it_should_be_or_not_at_all(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    facts = host.facts
    every = host.answer(criterion.of_udp) if criterion.protocol == "udp" else facts.need(facts.ports, "ports")
    found = [port for port in every if port.port == criterion.port]
    evidence("listening", "\n".join(map(str, found)))
    subject = f"port {criterion.port}/{criterion.protocol} of host {host.name}"
    shown = ", ".join(map(str, found))
    wanted = {str(ipaddress.ip_address(address)) for address in criterion.addresses}
    if not criterion.listening:
        there = [port for port in found if not wanted or any(_covers(port.address, one) for one in wanted)]
        assert not there, f"{subject} is listened on: {', '.join(map(str, there))}"
        measure.note(f"{subject} is not listened on")
        return
    assert found, f"{subject} is not listened on"
    measure.note(f"{subject} is listened on: {shown}")
    if wanted and wanted != {port.address for port in found}:
        measure.fail(f"{subject} is listened on at {shown}, {', '.join(sorted(wanted))} needed")
    if criterion.loopback_only and (open_ones := [port for port in found if not port.is_loopback]):
        measure.fail(f"{subject} is listened on for others than the host itself: {', '.join(map(str, open_ones))}")
    if criterion.process is not None:
        _judge_process(criterion.process, found, subject, measure)


def _covers(held: str, address: str) -> bool:
    """Whether what listens at `held` is reached at `address`: at 0.0.0.0 on every IPv4, at :: on every one."""
    try:
        ours, other = ipaddress.ip_address(held.partition("%")[0]), ipaddress.ip_address(address)
    except ValueError:
        return held == address
    return ours == other or (ours.is_unspecified and ours.version >= other.version)


def _judge_process(wanted: str, found: list[Port], subject: str, measure: Measure) -> None:
    strangers = [port for port in found if port.process not in (wanted, wanted[:_NAME_LENGTH], None)]
    if strangers:
        measure.fail(f"{subject} is held by {', '.join(map(str, strangers))}, {wanted} needed")
    elif any(port.process is None for port in found):
        measure.unknown(f"{subject}: which process holds it is not told: that needs `ss` there and `sudo: true`")
