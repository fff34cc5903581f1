"""The network is stable.

Why: a link that loses or delays some packets shows as rare time-outs that nobody can reproduce.
When it fails: compare the failing endpoint with the others, then look at cable, switch port, driver and firewall.
"""

from fnmatch import fnmatchcase

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Count, Duration, EndpointRef, HostRef, Milliseconds
from golive.targets.connects import address_of, connect_often
from golive.targets.hosts.host import Host

_SAME_BOOT_S = 60.0


class Params(CheckParams):
    watches_rates = True
    host: HostRef
    endpoints: tuple[EndpointRef, ...] = Field((), description="whose host and port are connected to from the runner")
    connects: int = Field(30, ge=5, le=1000, description="connections that are opened to each endpoint")
    timeout: Duration = Field(2.0, description="longest that one connection may take to open")
    within: Duration = Field(5.0, description="longest that all connections to one endpoint may take together")
    jitter: Milliseconds = Field(50.0, description="limit of how far 95 % of the times may lie from their median")
    allowed: Count = Field(0, description="errors and drops on interfaces that are allowed since the last look")
    ignore: tuple[str, ...] = Field(
        (), description="interfaces whose errors and drops do not count, as shell patterns: lo, veth*, br-*"
    )
    skew: Duration | None = Field(None, description="limit of the host's clock against the runner's, if judged here")


def test_network_is_stable(
    criterion: Params,
    criterion_id: str,
    context: RunContext,
    host: Host,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    for name in criterion.endpoints:
        _judge_endpoint(name, context.environment.section.endpoints[name].url, criterion, measure)
    _judge_interfaces(criterion, criterion_id, context, host, measure, evidence)
    if criterion.skew is not None:
        clock = host.facts.need(host.facts.clock, "clock")
        detail = f"known to ± {clock.uncertainty_s * 1000:.0f} ms"
        subject = f"clock of host {host.name}"
        measure(abs(clock.offset_s), unit="s", subject=subject, name="skew", critical=criterion.skew, detail=detail)


def _judge_endpoint(name: str, url: str, criterion: Params, measure: Measure) -> None:
    host, port = address_of(url)
    seen = connect_often(host, port, times=criterion.connects, timeout_s=criterion.timeout, within_s=criterion.within)
    measure(
        len(seen.failures),
        unit=f"of {criterion.connects} connections",
        subject=f"failed to {name}",
        name=f"failed to {name}",
        critical=0,
        inclusive=True,
        samples=criterion.connects,
        detail=seen.trouble,
    )
    if seen.jitter_ms is not None:
        subject = f"jitter to {name}"
        samples = len(seen.times_ms)
        measure(seen.jitter_ms, unit="ms", subject=subject, name=subject, critical=criterion.jitter, samples=samples)


def _judge_interfaces(
    criterion: Params,
    criterion_id: str,
    context: RunContext,
    host: Host,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    facts = host.facts
    everyone = facts.need(facts.interfaces, "interfaces")
    interfaces = [i for i in everyone if not any(fnmatchcase(i.name, pattern) for pattern in criterion.ignore)]
    if not interfaces:
        measure.unknown(f"host {host.name} has no interface that is not ignored")
        return
    evidence(
        "interfaces: errors and drops received, sent",
        "\n".join(f"{i.name}: {i.rx_errors} {i.rx_drops}, {i.tx_errors} {i.tx_drops}" for i in interfaces),
    )
    booted = facts.need(facts.booted_at, "uptime").timestamp()
    key = f"network:{criterion_id}:{host.name}"
    before = context.state.committed(key)
    known = before["totals"] if isinstance(before, dict) and abs(before["booted"] - booted) < _SAME_BOOT_S else {}
    context.state.put(key, {"booted": booted, "totals": {i.name: i.total for i in interfaces}})
    # A counter that is new, or smaller than before, began anew: then what it grew by within the probe counts.
    grown = {
        i.name: i.total - known[i.name] if i.total >= known.get(i.name, i.total + 1) else i.grew or 0
        for i in interfaces
    }
    named = ", ".join(f"{name} {count}" for name, count in grown.items() if count)
    measure(
        sum(grown.values()),
        unit="errors and drops",
        subject=f"interfaces of host {host.name}",
        name="interface errors",
        critical=criterion.allowed,
        inclusive=True,
        detail=named or ("since the last look" if known else "within this look, which is the first"),
    )
