"""Nothing new listens on the host.

Why: a debugging server that was left running, or an intruder's way back, is a port that was not there before.
When it fails: find out what the named process is (`ss -ltnp`); stop it, or add its port to `allowed` with a reason.
"""

from typing import Annotated

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, HostRef
from golive.model import utc_text
from golive.targets.hosts.host import Host
from golive.targets.hosts.machine import Port

PortNumber = Annotated[int, Field(ge=1, le=65535)]


class Params(CheckParams):
    host: HostRef
    allowed: tuple[PortNumber, ...] = Field(
        (), description="ports that may be listened on whether or not they were at the first look"
    )
    only_allowed: bool = Field(False, description="judge by `allowed` alone and not by what the first look found")
    loopback: bool = Field(True, description="judge ports too that only the host itself reaches")
    lowest: PortNumber = Field(1, description="judge only ports from here on, where a host has other tenants")
    highest: PortNumber = Field(65535, description="judge only ports up to this one")

    def asserts_nothing(self) -> str | None:
        return "'lowest' is above 'highest'" if self.lowest > self.highest else None


def test_nothing_new_listens_on_the_host(
    criterion: Params,
    criterion_id: str,
    context: RunContext,
    host: Host,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    facts = host.facts
    listening = [
        port
        for port in facts.need(facts.ports, "ports")
        if port.pid not in facts.own_pids
        and (criterion.loopback or not port.is_loopback)
        and criterion.lowest <= port.port <= criterion.highest
    ]
    evidence("listening", "\n".join(map(str, listening)))
    known = set(criterion.allowed)
    if not criterion.only_allowed:
        known |= _known(criterion_id, context, host, listening)
    new = [port for port in listening if port.port not in known]
    measure(
        len(new),
        unit="ports",
        subject=f"new listening ports on host {host.name}",
        name="new ports",
        critical=0,
        inclusive=True,
        detail=", ".join(map(str, new)) or f"{len(listening)} are known",
    )


def _known(criterion_id: str, context: RunContext, host: Host, listening: list[Port]) -> set[int]:
    """The ports of the first look after this deployment, which is kept."""
    deployed = context.environment.deployment.deployed_at
    deployment = utc_text(deployed) if deployed else ""
    key = f"ports:{criterion_id}:{host.name}"
    first = context.state.committed(key)
    if not isinstance(first, dict) or first.get("deployment") != deployment:
        first = {"deployment": deployment, "ports": sorted({port.port for port in listening})}
    context.state.put(key, first)
    return set(first["ports"])
