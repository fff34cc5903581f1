"""The host's clock agrees with the runner's.

Why: one-time passwords, tokens, certificates and the order of log lines of several hosts all rest on the time.
When it fails: see whether the time daemon runs and reaches its servers (`chronyc tracking`, `timedatectl`).
"""

from fixtures.measure import Measure
from golive.environment.params import CheckParams, Duration, HostRef
from golive.model import CouldNotLook, utc_text
from golive.targets.hosts.host import Host


class Params(CheckParams):
    host: HostRef
    warning: Duration | None = None
    critical: Duration = 2.0


def test_clock_of_the_host_agrees_with_the_runner(criterion: Params, host: Host, measure: Measure) -> None:
    facts = host.facts
    clock = facts.need(facts.clock, "clock")
    if clock.uncertainty_s >= criterion.critical:
        told = f"± {clock.uncertainty_s:.1f} s, since its answer took that long"
        raise CouldNotLook(f"host {host.name}: its clock is known only to {told}")
    measure(
        abs(clock.offset_s),
        unit="s",
        subject=f"clock of host {host.name}",
        name="skew",
        warning=criterion.warning,
        critical=criterion.critical,
        detail=f"{utc_text(clock.host_time)} there, known to ± {clock.uncertainty_s * 1000:.0f} ms",
    )
