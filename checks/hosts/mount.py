"""A file system is mounted as it should be, or is not mounted.

Why: when the data disk is not mounted, the service writes to the system disk below it, and finds its data empty.
When it fails: `mount -a` and `dmesg` tell why it is not there; correct its options in /etc/fstab and remount.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, HostRef
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.mount import Mount
from golive.targets.hosts.questions.written import AbsolutePath, Texts, left_over
from golive.targets.shell import plain


class Params(CheckParams):
    host: HostRef
    path: AbsolutePath = Field(description="where it is mounted")
    mounted: bool = Field(True, description="false: nothing may be mounted there")
    type: str | None = Field(None, description="ext4, xfs, nfs4, tmpfs …")
    source: str | None = Field(None, description="device or export, as /proc/mounts shows it")
    options: Texts = Field((), description="options it must have: ro, noexec, nosuid, nodev …")
    options_not: Texts = Field((), description="options it may not have")

    def asks(self) -> tuple[Question[object], ...]:
        """One question."""
        return (Mount(path=self.path),)

    def asserts_nothing(self) -> str | None:
        return None if self.mounted else left_over(self, "host", "path", "mounted")


def test_file_system_is_mounted_as_it_should_be_or_not_at_all(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    found = host.answer(Mount(path=criterion.path))
    subject = f"{criterion.path} on host {host.name}"
    if not criterion.mounted:
        assert found is None, f"{subject}: {plain(found.source)} is mounted there"
        measure.note(f"{subject}: nothing is mounted there")
        return
    assert found is not None, f"{subject}: nothing is mounted there"
    evidence("mounted", f"{found.source} {found.type} {','.join(found.options)}")
    measure.note(f"{subject}: {plain(found.source)} ({plain(found.type)}) is mounted there")
    if criterion.type not in (None, found.type):
        measure.fail(f"{subject} is of type {plain(found.type)}, {criterion.type} needed")
    if criterion.source not in (None, found.source):
        measure.fail(f"{subject} is {plain(found.source)}, {criterion.source} needed")
    for option in criterion.options:
        if option not in found.options:
            measure.fail(f"{subject} is mounted without {option} ({plain(','.join(found.options))})")
    for option in criterion.options_not:
        if option in found.options:
            measure.fail(f"{subject} is mounted with {option}")
