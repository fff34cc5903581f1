"""What discovery asks a host to find what is there, one file a kind of thing; all of it in the host's one visit.

What could hold a secret never leaves the host: command lines, environments of containers and contents of logs
are looked at there, and only names, paths, states and numbers are printed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, Self, TypeVar

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.shell import plain

F = TypeVar("F")
_TAB = "\t"


class Survey(Question[F], Generic[F]):
    """A question whose answer is made of rows: the frame, a tab, fields with tabs between them.

    A row begins with the frame, which nobody there knows, so that line ends in the last field do no harm.
    The row `none` with a reason says that the host has no such thing.
    """

    @abstractmethod
    def text(self, frame: str) -> str:
        """POSIX `sh` text that prints the rows."""

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """The text of the one that is asked: of a kind there is one in a visit."""
        return asked[0].text(frame)

    @classmethod
    @abstractmethod
    def found(cls, rows: Sequence[Sequence[str]]) -> F:
        """What the rows tell; rows that are not understood are passed over."""

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, F | CouldNotLook]:
        """One answer for all who ask."""
        whole = rows(said, frame)
        answer: F | CouldNotLook = cls.found([row for row in whole if row[0] != "none"])
        absent = [row for row in whole if row[0] == "none"]
        if absent and len(absent) == len(whole):
            answer = CouldNotLook(plain(absent[0][-1]))
        elif not whole:
            answer = CouldNotLook(plain(said[:300].decode("utf-8", "replace")) or "nothing was told")
        return dict.fromkeys(asked, answer)


def rows(said: bytes, frame: str) -> list[list[str]]:
    """The rows of an answer, each with at least one field; what stands before the first one is passed over."""
    text = "\n" + said.decode("utf-8", "replace")
    pieces = text.split(f"\n{frame}{_TAB}")[1:]
    return [piece.rstrip("\n").split(_TAB) for piece in pieces]
