"""Disk space in use stays below its limit.

Why: a full disk stops the database first, and the log that would tell why second.
When it fails: find what grew with `du -x --max-depth=2`, rotate or move it, then see why nobody rotated it.
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
        return "a disk is never more than 100 % full" if self.critical == 100 and self.warning is None else None


def test_disk_space_in_use_stays_below_its_limit(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    found = disks.of_paths(host, criterion.paths)
    evidence("df", "\n".join(f"{path}: {disk.source} on {disk.mount}" for path, disk in found.items()))
    for path, disk in found.items():
        measure(
            disk.used_percent,
            unit="%",
            subject=f"disk of {path} on host {host.name}",
            name=f"disk {path}",
            warning=criterion.warning,
            critical=criterion.critical,
            detail=f"{disk.available_bytes / 1e9:.1f} of {disk.size_bytes / 1e9:.1f} GB free",
        )
