"""The file system that a path lies on, with its space and its inodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.machine import FileSystem
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import framed, pieces, words
from golive.targets.hosts.reading import Garbled, file_systems
from golive.targets.shell import one_line

# An old BusyBox knows no -B.
_SHELL = r"""
room() { piece "$1 sizes"; within 4 df -P -B1 "$2" 2>/dev/null || within 4 df -P -k "$2" 2>&1
  piece "$1 inodes"; within 4 df -P -i "$2"; }
"""


@dataclass(frozen=True, kw_only=True)
class FileSystemOf(Question[FileSystem]):
    """The file system on which `path` lies. For mount points the standard facts of a host tell as much."""

    path: str

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """Two `df` a path, since one for all of them would leave out what it cannot find."""
        return framed(frame, _SHELL, *(f"room {place} {words(q.path)}" for place, q in enumerate(asked)))

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, FileSystem | CouldNotLook]:
        """As `df` tells it, or what it complained of."""
        told = pieces(said, frame)
        return {q: _answer(q.path, told[f"{n} sizes"], told[f"{n} inodes"]) for n, q in enumerate(asked)}


def _answer(path: str, sizes: str, inodes: str) -> FileSystem | CouldNotLook:
    try:
        return file_systems(sizes, inodes)[0]
    except (Garbled, ValueError):
        return CouldNotLook(f"{path}: {one_line(sizes) or 'df told nothing'}")
