"""A group of the host has the members that it should, or does not exist.

Why: who is in `sudo` or `docker` is root, whatever else the host's rules say.
When it fails: see who added the member (`journalctl _COMM=usermod`), and remove it with `gpasswd -d`.
"""

from pydantic import Field

from fixtures.measure import Measure
from golive.environment.params import CheckParams, Count, HostRef
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.group import Group
from golive.targets.hosts.questions.written import Name, Texts, left_over
from golive.targets.shell import plain


class Params(CheckParams):
    host: HostRef
    group: Name
    exists: bool = Field(True, description="false: there may be no such group")
    gid: Count | None = None
    members: Texts = Field((), description="users that must be listed as members")
    only: bool = Field(False, description="true: nobody but `members` may be listed")

    def asks(self) -> tuple[Question[object], ...]:
        """One question."""
        return (Group(name=self.group),)

    def asserts_nothing(self) -> str | None:
        return None if self.exists else left_over(self, "host", "group", "exists")


def test_group_has_the_members_that_it_should_or_does_not_exist(
    criterion: Params, host: Host, measure: Measure
) -> None:
    found = host.answer(Group(name=criterion.group))
    subject = f"group {criterion.group} of host {host.name}"
    if not criterion.exists:
        assert found is None, f"{subject} exists (gid {found.gid})"
        measure.note(f"{subject} does not exist")
        return
    assert found is not None, f"{subject} does not exist"
    measure.note(f"{subject} has gid {found.gid} and {len(found.members)} members")
    if criterion.gid is not None and found.gid != criterion.gid:
        measure.fail(f"{subject} has gid {found.gid}, {criterion.gid} needed")
    for member in criterion.members:
        if member not in (*found.members, *found.primary):
            measure.fail(f"{subject} lacks member {member}")
    # A user's own group, which has his name, lets in nobody else.
    strangers = [user for user in found.primary if user != criterion.group and user not in found.members]
    if criterion.only and (others := [one for one in (*found.members, *strangers) if one not in criterion.members]):
        measure.fail(f"{subject} has members that it may not have: {plain(', '.join(others))}")
