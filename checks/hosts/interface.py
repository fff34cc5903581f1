"""A network interface is up, with the addresses and the speed that it should have.

Why: a bond that lost a leg, or a link that came up with a tenth of its speed, carries on until the first peak.
When it fails: `ip -s link` and `ethtool` tell its state; then look at cable, switch port and its configuration.
"""

import ipaddress

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Count, HostRef
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.interface import InterfaceFacts, NetworkInterface
from golive.targets.hosts.questions.written import Texts
from golive.targets.shell import plain


class Params(CheckParams):
    host: HostRef
    interface: str = Field(pattern=r"^[^/\s]{1,15}$", description="its name: eth0, bond0 …")
    up: bool = Field(True, description="false: it must be down, or not be there")
    addresses: Texts = Field((), description="addresses that it must have")
    mtu: Count | None = None
    min_speed: Count | None = Field(None, description="least speed of the link, in Mbit/s")

    def asks(self) -> tuple[Question[object], ...]:
        """One question."""
        return (NetworkInterface(name=self.interface),)

    def asserts_nothing(self) -> str | None:
        if not self.up and {"addresses", "mtu", "min_speed"} & self.model_fields_set:
            return "what is down has no address, MTU or speed to judge"
        for address in self.addresses:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                return f"{address!r} is no address"
        return None


def test_interface_is_up_and_what_it_should_be(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    found = host.answer(NetworkInterface(name=criterion.interface))
    subject = f"interface {criterion.interface} of host {host.name}"
    if not criterion.up:
        assert found is None or not found.is_up, f"{subject} is up"
        measure.note(f"{subject} is {'not there' if found is None else plain(found.state)}")
        return
    assert found is not None, f"{subject} is not there"
    addresses = "not told" if found.addresses is None else ", ".join(found.addresses)
    evidence("interface", f"{found.state}, addresses: {addresses}, MTU {found.mtu}, {found.speed_mbit} Mbit/s")
    if found.is_up:
        measure.note(f"{subject} is up")
    else:
        measure.fail(f"{subject} is not up (its state is {plain(found.state)})")
    if criterion.mtu not in (None, found.mtu):
        measure.fail(f"{subject} has an MTU of {found.mtu}, {criterion.mtu} needed")
    if criterion.min_speed is not None:
        speed = found.speed_mbit
        why = "" if speed is not None else "a link that is down or virtual has no speed"
        measure(
            speed,
            unit="Mbit/s",
            subject=f"speed of {subject}",
            name="speed",
            critical=criterion.min_speed,
            better="higher",
            detail=why,
        )
    _judge_addresses(criterion, found, subject, measure)


def _judge_addresses(criterion: Params, found: InterfaceFacts, subject: str, measure: Measure) -> None:
    if not criterion.addresses:
        return
    if found.addresses is None:
        measure.unknown(f"{subject}: its addresses are not told: that needs `ip` there")
        return
    for address in criterion.addresses:
        if str(ipaddress.ip_address(address)) not in found.addresses:
            measure.fail(f"{subject} has no address {address} ({', '.join(found.addresses) or 'none'})")
