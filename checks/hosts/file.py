"""A file is where it is needed, and is what it should be.

Why: a guide, a rollback script or a certificate that is missing is noticed in the incident that needs it.
When it fails: restore the file from version control or the last release, and see what removed it.
"""

import shlex

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Duration, HostRef, Size
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.shell import one_line

_ABSENT = ("No such file", "Not a directory", "not found")


class Params(CheckParams):
    host: HostRef
    path: str
    min_size: Size = 1
    executable: bool = False
    max_age: Duration | None = None
    contains: str | None = None


def test_file_is_there_and_what_it_should_be(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    path = shlex.quote(criterion.path)
    look = host.run(f"LC_ALL=C stat -L -c '%s %Y %A' -- {path} && date +%s")
    if look.exit_code != 0:
        why = one_line(look.stderr)
        if any(words in why for words in _ABSENT):
            raise AssertionError(f"host {host.name}: {criterion.path} is not there")
        raise CouldNotLook(f"host {host.name}: {criterion.path}: {why}")
    evidence("stat: size, changed at, mode; then now", look.stdout)
    words = look.stdout.split()
    size, changed_at, mode, now = int(words[0]), int(words[1]), words[2], int(words[3])
    measure(
        size,
        unit="B",
        subject=f"{criterion.path} on host {host.name}",
        name="size",
        critical=criterion.min_size,
        better="higher",
    )
    if criterion.executable and "x" not in mode:
        measure.fail(f"{criterion.path} on host {host.name} may not be executed ({mode})")
    if criterion.max_age is not None:
        age_s, subject = max(0, now - changed_at), f"age of {criterion.path}"
        measure(age_s, unit="s", subject=subject, name="age", critical=criterion.max_age, inclusive=True)
    if criterion.contains is not None:
        found = host.run(f"grep -aqF -e {shlex.quote(criterion.contains)} -- {path}")
        if found.exit_code > 1:
            raise CouldNotLook(f"host {host.name}: {criterion.path}: {one_line(found.stderr)}")
        if found.exit_code == 1:
            measure.fail(f"{criterion.path} on host {host.name} does not contain {criterion.contains!r}")
