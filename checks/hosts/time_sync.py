"""The host's clock is kept by a time service that reaches its servers.

Why: a clock that is right today without anybody keeping it will be wrong, and with it tokens, certificates and logs.
When it fails: `chronyc sources`, `ntpq -pn` or `timedatectl timesync-status` name the servers that do not answer.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Count, Duration, HostRef
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.time_sync import TimeSync
from golive.targets.shell import plain


class Params(CheckParams):
    host: HostRef
    warning: Duration | None = None
    critical: Duration | None = Field(None, description="limit of the offset that the time service itself tells")
    min_sources: Count | None = Field(None, description="least number of servers that it reaches")

    def asks(self) -> tuple[Question[object], ...]:
        """One question."""
        return (TimeSync(),)


def test_clock_is_kept_by_a_time_service(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    found = host.answer(TimeSync())
    by = f"{found.told_by}{f' from {plain(found.source)}' if found.source else ''}"
    evidence("time service", f"{by}: synchronised {found.is_synchronised}, {found.offset_s} s, {found.sources} servers")
    subject = f"clock of host {host.name}"
    if found.is_synchronised and found.sources == 0:
        # It stays synchronised, by its own word, long after the last answer.
        measure.fail(f"{subject} is kept by {found.told_by}, which reaches none of its servers")
    elif found.is_synchronised:
        measure.note(f"{subject} is kept by {by}")
    else:
        measure.fail(f"{subject} is not synchronised ({found.told_by} tells)")
    is_judged = criterion.warning is not None or criterion.critical is not None
    # A service that follows nobody tells no offset that means anything; that it follows nobody was said above.
    if is_judged and found.is_synchronised:
        measure(
            None if found.offset_s is None else abs(found.offset_s),
            unit="s",
            subject=f"offset of the {subject}",
            name="offset",
            warning=criterion.warning,
            critical=criterion.critical,
            detail=f"{found.told_by} tells {'none' if found.offset_s is None else 'it'}",
        )
    if criterion.min_sources is not None:
        measure(
            found.sources,
            unit="servers",
            subject=f"reached by the time service of host {host.name}",
            name="sources",
            critical=criterion.min_sources,
            better="higher",
            detail=found.told_by,
        )
