"""How much lies below a directory, counted within a bounded time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import (
    NEEDS_SUDO,
    framed,
    is_absent,
    is_denied,
    number,
    pieces,
    told_nothing,
    words,
)
from golive.targets.shell import one_line

_TIMED_OUT = ("124", "137", "143")
# GNU find prints sizes itself; elsewhere `stat` does, for as many files at once as fit in its arguments.
# What vanished while it was counted is not counted, and no trouble. The slash leads `find` through a symbolic link.
_SHELL = r"""
if find / -prune -printf '' >/dev/null 2>&1; then sized="-printf %s\n"; else sized="-exec stat -c %s {} +"; fi
complaints() { awk '/^= [0-9]+$/ { code = $2; next } /: No such file or directory$/ { next }
  { if (!n++ || /: Permission denied$/) first = substr($0, 1, 500) } END { print code, n + 0; print first }'; }
size() {
  piece "$1"
  if [ ! -d "$3" ]; then
    if [ -e "$3" ]; then echo file; else find "$3" -prune 2>&1 >/dev/null; fi
    return
  fi
  { e=$({ { within "$2" find "$3/" -xdev -type f $sized; echo "= $?" >&2; } |
    awk '{ n++; b += $1 } END { printf "%d %.0f\n", n, b }' >&3; } 2>&1 | complaints); } 3>&1
  printf '%s\n' "$e"
}
"""


@dataclass(frozen=True, kw_only=True)
class Below:
    """Regular files below a directory on its own file system, and the sum of their sizes."""

    files: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class DirectorySize(Question[Below | None]):
    """What lies below the directory `path`, or None when it is not there; counting may take `within_s`."""

    path: str
    within_s: float = 5.0
    limit_s: ClassVar[float] = 30.0

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `find` a directory, one after the other: they would only wait for the same disk."""
        lines = [f"size {n} {question.within_s:g} {words(question.path)}" for n, question in enumerate(asked)]
        return framed(frame, _SHELL, *lines)

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, Below | CouldNotLook | None]:
        """Three lines each: files and bytes; exit code and number of complaints; the first complaint."""
        told = pieces(said, frame)
        return {question: _answer(question, told[str(place)]) for place, question in enumerate(asked)}


def _answer(question: DirectorySize, text: str) -> Below | CouldNotLook | None:
    path, lines = question.path, text.splitlines()
    if lines and is_absent(lines[0]):
        return None
    if lines == ["file"]:
        return CouldNotLook(f"{path} is no directory")
    counts = [line.split() for line in lines[:2]]
    if (
        len(counts) < 2
        or any(len(pair) != 2 for pair in counts)
        or not all(map(_is_number, [*counts[0], counts[1][1]]))
    ):
        denied = any(is_denied(line) for line in lines)
        return CouldNotLook(f"{path}: {NEEDS_SUDO}") if denied else told_nothing(path)
    code, complaints = counts[1]
    if code in _TIMED_OUT:
        return CouldNotLook(f"{path} was not counted within {question.within_s:g} s")
    if int(complaints):
        first = " ".join(lines[2:])
        why = NEEDS_SUDO if is_denied(first) else one_line(first)
        return CouldNotLook(f"{path}: {complaints} of its folders could not be read ({why})")
    return Below(files=int(counts[0][0]), size_bytes=int(counts[0][1]))


def _is_number(text: str) -> bool:
    return number(text) is not None
