"""Whether a file holds some text: searched on the host, so that nothing of it travels."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import NEEDS_SUDO, framed, is_denied, number, pieces, told_nothing, words
from golive.targets.shell import one_line

SEARCHED_MB = 64
_BLOCKS = SEARCHED_MB * 2**20 // 512
_SHELL = r"""
NL='
'
large() { find -L "$@" -prune -size +%d 2>/dev/null; }
look() {
  case "$NL$large$NL" in *"$NL$4$NL"*) piece "$1" large; return;; esac
  if [ ! -f "$4" ]; then piece "$1" none; return; fi
  e=$(grep -aq "$2" -e "$3" "$4" 2>&1); c=$?
  piece "$1" "$c"; printf '%%s\n' "$e"
}
"""


@dataclass(frozen=True, kw_only=True)
class FileContent(Question[bool]):
    """Whether a line of the regular file at `path` holds `text`, or an extended regular expression if `is_pattern`."""

    path: str
    text: str
    is_pattern: bool = False

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `grep` a question, and one `find` that keeps it from files that are too large to search."""
        paths = dict.fromkeys(question.path for question in asked)
        lines = [_SHELL % _BLOCKS, f"large=$(large {words(*paths)})"]
        for place, question in enumerate(asked):
            how = "-E" if question.is_pattern else "-F"
            lines += [f"look {place} {how} {shlex.quote(question.text)} {words(question.path)}"]
        return framed(frame, *lines)

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, bool | CouldNotLook]:
        """What `grep` came to: 0 found, 1 not found, anything else is its complaint."""
        told = dict(_numbered(pieces(said, frame)))
        return {question: _answer(question, *told.get(n, ("", ""))) for n, question in enumerate(asked)}


def _numbered(found: Mapping[str, str]) -> list[tuple[int, tuple[str, str]]]:
    heads = [(head.split(), text) for head, text in found.items()]
    return [(number(head[0]) or 0, (head[1], text)) for head, text in heads if len(head) == 2]


def _answer(question: FileContent, state: str, complaint: str) -> bool | CouldNotLook:
    if state in ("0", "1"):
        return state == "0"
    if state == "large":
        return CouldNotLook(f"{question.path} is larger than {SEARCHED_MB} MiB and is not searched")
    if state == "none":
        return CouldNotLook(f"{question.path} is no regular file, or not to be seen")
    if not state:
        return told_nothing(question.path)
    return CouldNotLook(f"{question.path}: {NEEDS_SUDO if is_denied(complaint) else one_line(complaint)}")
