"""Groups of a host, from the name service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import framed, number, pieces, told_nothing, words

_SHELL = r"""
groups() { if has getent; then getent group "$@"; [ $? -le 2 ]; else cat /etc/group; fi && piece known; }
"""


@dataclass(frozen=True, kw_only=True)
class GroupFacts:
    """An entry of `group`; users whose primary group it is are not among `members` but in `primary`.

    Whom a directory such as LDAP knows is among those only where it lists all its users.
    """

    gid: int
    members: tuple[str, ...]
    primary: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Group(Question[GroupFacts | None]):
    """A group by name, or None when there is none."""

    name: str

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `getent` for all groups, and one for who has which as primary group."""
        names = words(*(question.name for question in asked))
        primary = "{ if has getent; then getent passwd; else cat /etc/passwd; fi; } | cut -d: -f1,4"
        return framed(frame, _SHELL, f"piece group; groups {names}", f"piece primary; {primary}")

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, GroupFacts | CouldNotLook | None]:
        """What the name service does not name does not exist."""
        told = pieces(said, frame)
        if "known" not in told:
            return {question: told_nothing(f"group {question.name}") for question in asked}
        entries = [line.split(":") for line in told["group"].splitlines()]
        primary = [line.partition(":")[::2] for line in told["primary"].splitlines()]
        return {
            question: next((_facts(e, primary) for e in entries if e[0] == question.name and len(e) >= 4), None)
            for question in asked
        }


def _facts(entry: Sequence[str], primary: Sequence[tuple[str, str]]) -> GroupFacts | CouldNotLook:
    name, _, told, members = entry[:4]
    gid = number(told)
    if gid is None:
        return CouldNotLook(f"group {name}: its entry is broken")
    return GroupFacts(
        gid=gid,
        members=tuple(member for member in members.strip().split(",") if member),
        primary=tuple(user for user, of in primary if number(of) == gid),
    )
