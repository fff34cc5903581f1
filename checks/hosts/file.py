"""A file is where it is needed and is what it should be, or is not there.

Why: a rollback script that is missing, or a key that everybody may read, is noticed in the incident that needs it.
When it fails: restore the file from version control or the last release, and see what removed or changed it.
"""

import stat
from typing import Literal

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Duration, HostRef, Size
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.file import FileFacts, FileState
from golive.targets.hosts.questions.file_content import FileContent
from golive.targets.hosts.questions.file_digest import FileDigest
from golive.targets.hosts.questions.written import Mode, Texts, left_over, octal
from golive.targets.shell import plain

_WORLD_WRITABLE = 0o002


class Params(CheckParams):
    host: HostRef
    path: str
    exists: bool = Field(True, description="false: nothing may be there")
    type: Literal["file", "directory", "symlink", "socket"] | None = Field(
        None, description="what it must be; with 'symlink' mode and owner are those of the link"
    )
    min_size: Size = Field(1, description="least size of a regular file")
    max_size: Size | None = None
    executable: bool = False
    mode: Mode | None = Field(None, description="exactly these permission bits, as octal text ('0644')")
    mode_at_most: Mode | None = Field(None, description="no other permission bits than these")
    world_writable: Literal[False] | None = Field(None, description="false: not everybody may write to it")
    owner: str | int | None = Field(None, description="name or number of the user it belongs to")
    group: str | int | None = Field(None, description="name or number of the group it belongs to")
    min_age: Duration | None = Field(None, description="time since it was changed last")
    max_age: Duration | None = Field(None, description="time since it was changed last")
    contains: Texts = Field((), description="text that must be found in it")
    contains_not: Texts = Field((), description="text that must not be found in it")
    matches: Texts = Field((), description="extended regular expressions (grep -E) that a line must match")
    matches_not: Texts = Field((), description="extended regular expressions that no line may match")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="digest of its content")
    link_target: str | None = Field(None, description="where the symbolic link leads, as it is written in it")

    @property
    def is_about_the_link(self) -> bool:
        """Whether a symbolic link is looked at itself."""
        return self.type == "symlink" or self.link_target is not None

    @property
    def state(self) -> FileState:
        """What it is."""
        return FileState(path=self.path, link=self.is_about_the_link or not self.exists)

    @property
    def contents(self) -> tuple[tuple[FileContent, bool], ...]:
        """What is looked for, and whether it must be found."""
        fixed = [(text, False, True) for text in self.contains] + [(text, False, False) for text in self.contains_not]
        patterns = [(text, True, True) for text in self.matches] + [(text, True, False) for text in self.matches_not]
        return tuple(
            (FileContent(path=self.path, text=text, is_pattern=pattern), wanted)
            for text, pattern, wanted in [*fixed, *patterns]
        )

    def asks(self) -> tuple[Question[object], ...]:
        """Its state, each content, and its digest if that is wanted."""
        digest = (FileDigest(path=self.path),) if self.sha256 else ()
        return (self.state, *(question for question, _ in self.contents), *digest)

    def asserts_nothing(self) -> str | None:
        return None if self.exists else left_over(self, "host", "path", "exists")


def test_file_is_there_and_what_it_should_be(
    criterion: Params, host: Host, measure: Measure, evidence: EvidenceSink
) -> None:
    found = host.answer(criterion.state)
    if not criterion.exists:
        assert found is None, f"host {host.name}: {criterion.path} is there, a {found.kind} of {found.owner}"
        measure.note(f"host {host.name}: {criterion.path} is not there")
        return
    assert found is not None, f"host {host.name}: {criterion.path} is not there"
    evidence("stat", _shown(found))
    subject = f"{criterion.path} on host {host.name}"
    _judge_kind(criterion, found, subject, measure)
    _judge_rights(criterion, found, subject, measure)
    _judge_numbers(criterion, found, subject, measure)
    _judge_contents(criterion, host, subject, measure)


def _shown(found: FileFacts) -> str:
    target = f" -> {found.target}" if found.target is not None else ""
    rights = f"{octal(found.mode)} {found.owner}:{found.group} ({found.uid}:{found.gid})"
    return f"{found.kind}{target}, {rights}, {found.size_bytes} B, changed {found.age_s:.0f} s before"


def _judge_kind(criterion: Params, found: FileFacts, subject: str, measure: Measure) -> None:
    wanted = criterion.type or ("symlink" if criterion.link_target is not None else None)
    if wanted not in (None, found.kind):
        measure.fail(f"{subject} is a {found.kind} and no {wanted}")
    elif criterion.link_target is not None and found.target != criterion.link_target:
        measure.fail(f"{subject} leads to {plain(str(found.target))!r}, not to {criterion.link_target!r}")
    else:
        measure.note(f"{subject} is a {found.kind}, {octal(found.mode)} {found.owner}:{found.group}")


def _judge_rights(criterion: Params, found: FileFacts, subject: str, measure: Measure) -> None:
    shown = f"{stat.filemode(found.mode)[1:]}, {octal(found.mode)}"
    if criterion.executable and not found.mode & 0o111:
        measure.fail(f"{subject} may not be executed (-{shown})")
    if criterion.mode is not None and found.mode != criterion.mode:
        measure.fail(f"{subject} has mode {octal(found.mode)}, {octal(criterion.mode)} needed")
    if criterion.mode_at_most is not None and (more := found.mode & ~criterion.mode_at_most):
        measure.fail(f"{subject} has mode {octal(found.mode)}, {octal(more)} more than {octal(criterion.mode_at_most)}")
    if criterion.world_writable is False and found.mode & _WORLD_WRITABLE:
        measure.fail(f"everybody may write to {subject} ({shown})")
    for what, wanted, name, number in (
        ("user", criterion.owner, found.owner, found.uid),
        ("group", criterion.group, found.group, found.gid),
    ):
        if wanted is not None and str(wanted) not in (name, str(number)):
            measure.fail(f"{subject} belongs to {what} {name} ({number}), not to {wanted}")


def _judge_numbers(criterion: Params, found: FileFacts, subject: str, measure: Measure) -> None:
    if found.kind == "file":
        size = found.size_bytes
        measure(size, unit="B", subject=subject, name="size", critical=criterion.min_size, better="higher")
        if criterion.max_size is not None:
            most = criterion.max_size
            measure(size, unit="B", subject=subject, name="largest size", critical=most, inclusive=True)
    age = f"age of {criterion.path}"
    if found.age_s < 0 and (criterion.max_age, criterion.min_age) != (None, None):
        measure.unknown(f"{subject} is dated {-found.age_s:.0f} s in the future, so its age is not known")
        return
    if criterion.max_age is not None:
        measure(found.age_s, unit="s", subject=age, name="age", critical=criterion.max_age, inclusive=True)
    if criterion.min_age is not None:
        measure(found.age_s, unit="s", subject=age, name="least age", critical=criterion.min_age, better="higher")


def _judge_contents(criterion: Params, host: Host, subject: str, measure: Measure) -> None:
    for question, wanted in criterion.contents:
        verb = ("match" if wanted else "matches") if question.is_pattern else ("contain" if wanted else "contains")
        try:
            if host.answer(question) is not wanted:
                measure.fail(f"{subject} {'does not ' if wanted else ''}{verb} {question.text!r}")
        except CouldNotLook as problem:
            measure.unknown(str(problem))
    if criterion.sha256 is not None:
        try:
            digest = host.answer(FileDigest(path=criterion.path))
        except CouldNotLook as problem:
            measure.unknown(str(problem))
        else:
            if digest != criterion.sha256:
                measure.fail(f"{subject} has the SHA-256 {digest}, {criterion.sha256} needed")
