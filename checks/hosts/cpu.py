"""CPU use stays below its limit.

Why: a host without headroom turns a traffic peak into an outage.
When it fails: find the process in the evidence or with `top`, compare with the last checkpoint, consider rollback.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, HostRef, Percent
from golive.targets.hosts.facts import HostFacts
from golive.targets.hosts.host import Host

_SHOWN = 10
_TOLD_PERCENT = 0.05


class Params(CheckParams):
    watches_rates = True
    host: HostRef
    warning: Percent | None = None
    critical: Percent = 85
    again: int = Field(
        2, ge=0, le=10, description="how often a reading over the limit is taken anew, since a short peak is none"
    )

    def asserts_nothing(self) -> str | None:
        return "no machine uses more than 100 % of its CPUs" if self.critical == 100 and self.warning is None else None


def test_cpu_use_stays_below_its_limit(criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink) -> None:
    facts, over = _settled(host, criterion)
    others = [p for p in facts.processes.values() if p.pid not in facts.own_pids]
    busiest = sorted(others, key=lambda p: -p.used_s)[:_SHOWN]
    evidence(
        "busiest processes",
        "\n".join(f"{p.cpu_percent or 0.0:6.1f} % of one core  {p.pid:>8}  {p.name}" for p in busiest),
    )
    own = facts.own_cpu_percent or 0.0
    measure(
        facts.need(facts.cpu_percent, "cpu_percent"),
        unit="%",
        subject=f"CPU of host {host.name}",
        name="cpu",
        warning=criterion.warning,
        critical=criterion.critical,
        detail=", ".join(
            filter(None, [f"this suite's own {own:.1f} % left out" if own >= _TOLD_PERCENT else "", over])
        ),
    )


def _settled(host: Host, criterion: Params) -> tuple[HostFacts, str]:
    """The first reading within the limit, else the last one; and what was read before it."""
    facts = host.facts
    over: list[str] = []
    while facts.need(facts.cpu_percent, "cpu_percent") >= criterion.critical and len(over) < criterion.again:
        over.append(f"{facts.cpu_percent:.1f} %")
        facts = host.read_again()
    return facts, f"after {', '.join(over)} before" if over else ""
