"""The file systems that are mounted on a host."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import framed, pieces

_ESCAPED = re.compile(r"\\([0-3][0-7]{2})")


@dataclass(frozen=True, kw_only=True)
class MountFacts:
    """One line of `/proc/self/mounts`; `options` are those of the mount and of its file system together."""

    source: str
    path: str
    type: str
    options: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Mount(Question[MountFacts | None]):
    """What is mounted at `path`, the last one where several are; None when nothing is."""

    path: str

    @property
    def at(self) -> str:
        """The path as the kernel writes it: without a slash behind it."""
        return self.path.rstrip("/") or "/"

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `grep` in the kernel's list, which never waits for a file system that is dead."""
        paths = " ".join(f"-e {shlex.quote(f' {_escaped(question.at)} ')}" for question in asked)
        return framed(frame, f"piece mounts; grep -aF {paths} /proc/self/mounts; [ $? -le 1 ] && piece done")

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, MountFacts | CouldNotLook | None]:
        """Spaces and the like in names are written as octal numbers there."""
        told = pieces(said, frame)
        if "done" not in told:
            return dict.fromkeys(asked, CouldNotLook("/proc/self/mounts cannot be read"))
        rows = [row for row in (line.split(" ") for line in told["mounts"].splitlines()) if len(row) >= 4]
        mounted = {
            _unescaped(row[1]): MountFacts(
                source=_unescaped(row[0]), path=_unescaped(row[1]), type=row[2], options=tuple(row[3].split(","))
            )
            for row in rows
        }
        return {question: mounted.get(question.at) for question in asked}


def _escaped(text: str) -> str:
    return "".join(f"\\{ord(sign):03o}" if sign in " \t\n\\" else sign for sign in text)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)
