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
    """An entry of `group`; users whose primary group it is are not among `members`."""

    gid: int
    members: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Group(Question[GroupFacts | None]):
    """A group by name, or None when there is none."""

    name: str

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `getent` for all groups."""
        return framed(frame, _SHELL, f"piece group; groups {words(*(question.name for question in asked))}")

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, GroupFacts | CouldNotLook | None]:
        """What the name service does not name does not exist."""
        told = pieces(said, frame)
        if "known" not in told:
            return {question: told_nothing(f"group {question.name}") for question in asked}
        entries = [line.split(":") for line in told["group"].splitlines()]
        return {
            question: next((_facts(e) for e in entries if e[0] == question.name and len(e) >= 4), None)
            for question in asked
        }


def _facts(entry: Sequence[str]) -> GroupFacts | CouldNotLook:
    name, _, told, members = entry[:4]
    gid = number(told)
    if gid is None:
        return CouldNotLook(f"group {name}: its entry is broken")
    return GroupFacts(gid=gid, members=tuple(member for member in members.strip().split(",") if member))
