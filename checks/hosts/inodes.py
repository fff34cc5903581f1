"""Inodes in use stay below their limit.

Why: a disk with space but without inodes takes no new file, and `df` alone does not show it.
When it fails: find the folder with the most files (`du --inodes -x --max-depth=3`), usually sessions, caches or mails.
"""

from typing import Annotated

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, HostRef, Percent
from golive.targets.hosts import disks
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question


class Params(CheckParams):
    host: HostRef
    paths: Annotated[tuple[str, ...], Field(min_length=1)] = ("/",)
    warning: Percent | None = None
    critical: Percent = 85

    def asks(self) -> tuple[Question[object], ...]:
        """One question for each path but the root."""
        return disks.asked_of(self.paths)

    def asserts_nothing(self) -> str | None:
        return "never are more than 100 % in use" if self.critical == 100 and self.warning is None else None


def test_inodes_in_use_stay_below_their_limit(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    found = disks.of_paths(host, criterion.paths)
    evidence("df -i", "\n".join(f"{p}: {d.mount}, {d.inodes_used} of {d.inodes}" for p, d in found.items()))
    for path, disk in found.items():
        subject = f"inodes of {path} on host {host.name}"
        if disk.inodes == 0:
            measure.note(f"{subject}: {disk.source} has no fixed number of them")
            continue
        measure(
            disk.inodes_percent,
            unit="%",
            subject=subject,
            name=f"inodes {path}",
            warning=criterion.warning,
            critical=criterion.critical,
            detail="df -i does not tell" if disk.inodes is None else f"{disk.inodes_used} of {disk.inodes}",
        )
