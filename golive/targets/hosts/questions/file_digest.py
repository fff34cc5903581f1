"""The SHA-256 of a file, computed on the host."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import NEEDS_SUDO, framed, pieces, told_nothing, words

DIGESTED_MB = 1024
_SHELL = r"""
large() { find -L "$@" -prune -size +%d 2>/dev/null; }
digest() {
  if [ ! -f "$2" ]; then piece "$1" none
  elif [ ! -r "$2" ]; then piece "$1" denied
  elif [ -n "$(large "$2")" ]; then piece "$1" large
  else
    piece "$1" digest
    if has sha256sum; then sha256sum; elif has openssl; then openssl dgst -sha256 -r; else shasum -a 256; fi < "$2"
  fi
}
"""
_WHY = {
    "none": "is no regular file, or not to be seen",
    "denied": NEEDS_SUDO,
    "large": f"is larger than {DIGESTED_MB} MiB and is not digested",
    "digest": "no digest was told (it needs `sha256sum` or `openssl` there)",
}


@dataclass(frozen=True, kw_only=True)
class FileDigest(Question[str]):
    """The SHA-256 of the regular file at `path`, in lower-case hexadecimal."""

    path: str

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `sha256sum` (or `openssl`) a file, fed from it, since its name may hold anything."""
        lines = [f"digest {number} {words(question.path)}" for number, question in enumerate(asked)]
        return framed(frame, _SHELL % (DIGESTED_MB * 2048), *lines)

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, str | CouldNotLook]:
        """The first word, where it is a digest."""
        told = {head.partition(" ")[0]: (head.partition(" ")[2], text) for head, text in pieces(said, frame).items()}
        found: dict[Self, str | CouldNotLook] = {}
        for number, question in enumerate(asked):
            state, text = told.get(str(number), ("", ""))
            digest = re.match(r"\\?([0-9a-f]{64})\b", text) if state == "digest" else None
            why = _WHY.get(state)
            untold = CouldNotLook(f"{question.path}: {why}") if why else told_nothing(question.path)
            found[question] = digest[1] if digest else untold
        return found
