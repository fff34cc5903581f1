"""A port of the host is reached from here, or is not.

Why: what listens there says nothing of the firewall before it, and a database port open to the world is found in hours.
When it fails: read the firewall's rules on the host and before it; open or close this one port, then look again.
"""

from typing import Annotated, Literal

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Duration, HostRef
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.network import Reached, address_of_host, reached

PortNumber = Annotated[int, Field(ge=1, le=65535)]


class Params(CheckParams):
    host: HostRef
    port: PortNumber
    expect: Literal["open", "refused", "filtered", "closed"] = Field(
        description="open; refused: the host itself says no; filtered: nobody answers; closed: either of both"
    )
    address: str | None = Field(None, min_length=1, description="where the host is reached, if not by its connection")
    control_port: PortNumber | None = Field(
        None, description="a port that is open from here: without it silence may mean that nothing is reached at all"
    )
    timeout: Duration = Field(3.0, le=30, description="silence for so long counts as filtered")


def test_port_is_reached_from_here_or_is_not(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    address, ssh_port = (criterion.address, None) if criterion.address else address_of_host(host.section)
    found = reached(address, criterion.port, timeout_s=criterion.timeout)
    evidence("connection from here", f"{address}:{criterion.port}: {found}")
    subject = f"port {criterion.port} of host {host.name} ({address})"
    allowed = ("refused", "filtered") if criterion.expect == "closed" else (criterion.expect,)
    if found not in allowed:
        measure.fail(f"{subject} is {found} from here, {criterion.expect} needed")
        return
    if found == "filtered":
        _require_control(criterion.control_port or ssh_port, address, criterion.timeout, host.name)
    measure.note(f"{subject} is {found} from here")


def _require_control(port: int | None, address: str, timeout_s: float, host: str) -> None:
    """Silence proves a filter only if the same address answers on another port."""
    if port is None:
        raise CouldNotLook(f"host {host}: nobody answers, and no 'control_port' shows that {address} is reached at all")
    answer: Reached = reached(address, port, timeout_s=timeout_s)
    if answer == "filtered":
        raise CouldNotLook(f"host {host}: {address} does not answer on its port {port} either")
