"""Memory use stays below its limit.

Why: without memory to give, the kernel kills processes, and it does not choose the ones you would.
When it fails: see the largest processes in the evidence, compare with earlier checkpoints, look for a leak.
"""

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, HostRef, Percent
from golive.targets.hosts.host import Host

_SHOWN = 10


class Params(CheckParams):
    host: HostRef
    warning: Percent | None = None
    critical: Percent = 85
    swap: Percent | None = None

    def asserts_nothing(self) -> str | None:
        if self.critical == 100 and self.warning is None and self.swap is None:
            return "no machine uses more than 100 % of its memory"
        return None


def test_memory_use_stays_below_its_limit(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    facts = host.facts
    memory = facts.need(facts.memory, "memory")
    largest = sorted(facts.processes.values(), key=lambda p: -p.rss_bytes)[:_SHOWN]
    evidence("largest processes", "\n".join(f"{p.rss_bytes / 1e6:9.1f} MB  {p.pid:>8}  {p.name}" for p in largest))
    available, total = memory.available_bytes / 1e6, memory.total_bytes / 1e6
    measure(
        memory.used_percent,
        unit="%",
        subject=f"memory of host {host.name}",
        name="memory",
        warning=criterion.warning,
        critical=criterion.critical,
        detail=f"{available:.0f} of {total:.0f} MB available",
    )
    if criterion.swap is not None:
        measure(
            memory.swap_percent, unit="%", subject=f"swap of host {host.name}", name="swap", critical=criterion.swap
        )
