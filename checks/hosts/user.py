"""A user of the host is what it should be, or does not exist.

Why: a service account with a shell, or a colleague's account a year after he left, is a way in that nobody watches.
When it fails: correct it with `usermod` (or `userdel`, `passwd -l`) and in the recipe that builds the host.
"""

from pathlib import PurePosixPath

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Count, HostRef
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.user import User, UserFacts
from golive.targets.hosts.questions.written import Name, Texts, left_over
from golive.targets.shell import plain

_NO_SHELLS = ("nologin", "false")


class Params(CheckParams):
    host: HostRef
    user: Name
    exists: bool = Field(True, description="false: there may be no such user")
    uid: Count | None = None
    gid: Count | None = Field(None, description="number of its primary group")
    groups: Texts = Field((), description="groups it must be a member of")
    groups_not: Texts = Field((), description="groups it may not be a member of")
    home: str | None = None
    shell: str | None = None
    locked: bool | None = Field(None, description="whether nobody may log in with a password; keys may still")
    login: bool | None = Field(None, description="whether its shell lets it log in (nologin and false do not)")

    @property
    def question(self) -> User:
        """The entry, with its groups and the kind of its password if they are judged."""
        return User(name=self.user, groups=bool(self.groups or self.groups_not), password=self.locked is not None)

    def asks(self) -> tuple[Question[object], ...]:
        """One question."""
        return (self.question,)

    def asserts_nothing(self) -> str | None:
        return None if self.exists else left_over(self, "host", "user", "exists")


def test_user_is_what_it_should_be_or_does_not_exist(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    found = host.answer(criterion.question)
    subject = f"user {criterion.user} of host {host.name}"
    if not criterion.exists:
        assert found is None, f"{subject} exists (uid {found.uid})"
        measure.note(f"{subject} does not exist")
        return
    assert found is not None, f"{subject} does not exist"
    evidence("entry", f"uid {found.uid}, gid {found.gid}, home {found.home}, shell {found.shell}")
    measure.note(f"{subject} exists (uid {found.uid})")
    _judge_entry(criterion, found, subject, measure)
    _judge_groups(criterion, found, subject, measure)
    _judge_entrance(criterion, found, subject, measure)


def _judge_entry(criterion: Params, found: UserFacts, subject: str, measure: Measure) -> None:
    for name in ("uid", "gid", "home", "shell"):
        wanted, has = getattr(criterion, name), getattr(found, name)
        if wanted is not None and wanted != has:
            measure.fail(f"{subject} has {name} {plain(str(has))}, {wanted} needed")


def _judge_groups(criterion: Params, found: UserFacts, subject: str, measure: Measure) -> None:
    if (criterion.groups or criterion.groups_not) and found.groups is None:
        measure.unknown(f"{subject}: its groups were not told")
        return
    for group in criterion.groups:
        if not found.is_in(group):
            measure.fail(f"{subject} is not in group {group} ({plain(' '.join(found.groups or ()))})")
    for group in criterion.groups_not:
        if found.is_in(group):
            measure.fail(f"{subject} is in group {group}")


def _judge_entrance(criterion: Params, found: UserFacts, subject: str, measure: Measure) -> None:
    may_log_in = PurePosixPath(found.shell).name not in _NO_SHELLS
    if criterion.login is not None and criterion.login is not may_log_in:
        measure.fail(f"{subject} {'may' if may_log_in else 'may not'} log in: its shell is {plain(found.shell)}")
    if criterion.locked is None:
        return
    if found.password is None:
        measure.unknown(f"{subject}: whether it is locked is not told: the host needs `sudo: true`")
    elif criterion.locked is not (found.password == "locked"):
        measure.fail(f"{subject}: its password is {found.password}, {'locked' if criterion.locked else 'set'} needed")
