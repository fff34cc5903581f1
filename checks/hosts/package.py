"""A package is installed in the right version, or is not installed.

Why: a library with a known hole, or a compiler on a production host, came with an image that nobody looked into.
When it fails: install, upgrade or remove it by the host's package manager, in the recipe that builds the host.
"""

from pydantic import Field

from fixtures.measure import Measure
from golive.environment.params import CheckParams, HostRef
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.package import Installed, Package
from golive.targets.hosts.questions.versions import compared
from golive.targets.hosts.questions.written import Name, left_over
from golive.targets.shell import plain


class Params(CheckParams):
    host: HostRef
    package: Name = Field(description="as the host's package manager calls it; libc6:amd64 for one architecture")
    installed: bool = Field(True, description="false: it may not be installed")
    version: str | None = Field(None, description="this version; without a revision (-2+deb12u1) any of them")
    at_least: str | None = Field(None, description="this version or a newer one")

    def asks(self) -> tuple[Question[object], ...]:
        """One question."""
        return (Package(name=self.package),)

    def asserts_nothing(self) -> str | None:
        return None if self.installed else left_over(self, "host", "package", "installed")


def test_package_is_installed_in_the_right_version_or_not_at_all(
    criterion: Params, host: Host, measure: Measure
) -> None:
    found = host.answer(Package(name=criterion.package))
    subject = f"package {criterion.package} on host {host.name}"
    versions = ", ".join(found.versions)
    halfway = ", ".join(map(plain, found.halfway))
    if not criterion.installed:
        assert not found.versions, f"{subject} is installed ({versions})"
        assert not halfway, f"{subject} is there, {halfway}"
        measure.note(f"{subject} is not installed")
        return
    assert found.versions, f"{subject} is not installed" + (f", it is {halfway}" if halfway else "")
    measure.note(f"{subject} is installed ({versions})")
    for version in found.versions:
        if criterion.version is not None and _compared(found, version, criterion.version, subject):
            measure.fail(f"{subject} is {version}, {criterion.version} needed")
        if criterion.at_least is not None and _compared(found, version, criterion.at_least, subject) < 0:
            measure.fail(f"{subject} is {version}, at least {criterion.at_least} needed")


def _compared(found: Installed, version: str, wanted: str, subject: str) -> int:
    try:
        return compared(found.manager, version, wanted)
    except ValueError as error:
        raise CouldNotLook(f"{subject}: its version {version} cannot be compared: {error}") from None
