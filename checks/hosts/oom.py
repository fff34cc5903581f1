"""The kernel killed no process for lack of memory.

Why: the killed process is often the database, and a supervisor that starts it again hides that it happened.
When it fails: `dmesg | grep -i 'out of memory'` names the victim; find what took the memory, then limit it.
"""

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import Measure
from golive.environment.params import CheckParams, Count, HostRef
from golive.targets.hosts.host import Host

_SAME_BOOT_S = 60.0


class Params(CheckParams):
    host: HostRef
    allowed: Count = 0
    since_boot: bool = Field(
        True, description="count at the very first look what was killed before it, too, since the machine was started"
    )


def test_kernel_killed_no_process_for_lack_of_memory(
    criterion: Params, criterion_id: str, context: RunContext, host: Host, measure: Measure
) -> None:
    facts = host.facts
    kills = facts.need(facts.oom_kills, "oom_kills")
    booted = facts.need(facts.booted_at, "uptime").timestamp()
    key = f"oom:{criterion_id}:{host.name}"
    before = context.state.committed(key)
    is_same_boot = isinstance(before, dict) and abs(before["booted"] - booted) < _SAME_BOOT_S
    context.state.put(key, {"booted": booted, "kills": kills})
    if is_same_boot:
        count, since = max(0, kills - before["kills"]), "since the last look"
    elif criterion.since_boot or before is not None:
        count, since = kills, "since it was started, as this is the first look"
    else:
        count, since = 0, f"this is the first look, from which they count; {kills} before it"
    measure(
        count,
        unit="processes",
        subject=f"killed by the kernel on host {host.name}",
        name="oom kills",
        critical=criterion.allowed,
        inclusive=True,
        detail=since,
    )
