"""The public part of a private key, computed on the host by `openssl`: a private key never travels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import NEEDS_SUDO, Pieces, framed, is_absent, pieces, told_nothing, words
from golive.targets.shell import one_line

_PUBLIC = re.compile(r"-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n")
_SHELL = r"""
public() {
  if [ ! -r "$2" ]; then piece "$1 state"; if [ -e "$2" ]; then echo denied; else sed -n 1q "$2" 2>&1; fi
  elif [ ! -f "$2" ]; then piece "$1 state"; echo other
  elif ! has openssl; then piece "$1 state"; echo openssl
  elif grep -aq ENCRYPTED "$2"; then piece "$1 state"; echo encrypted
  else piece "$1 key"; within 5 openssl pkey -in "$2" -pubout -passin pass: 2>/dev/null; piece "$1 state"; echo read; fi
}
"""
_WHY = {
    "denied": NEEDS_SUDO,
    "other": "is no regular file",
    "openssl": "its public part cannot be computed without `openssl` there",
    "encrypted": "it is encrypted, and its passphrase is not ours",
}


@dataclass(frozen=True, kw_only=True)
class PublicKey(Question[str | None]):
    """The public key (PEM) of the private key in the file at `path`.

    None when the file is not there, empty text when it holds no private key that `openssl` can read.
    """

    path: str

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `openssl` a key; it prints the public part or nothing."""
        lines = [f"public {number} {words(question.path)}" for number, question in enumerate(asked)]
        return framed(frame, _SHELL, *lines)

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, str | CouldNotLook | None]:
        """Only what is a public key, whatever else was printed."""
        told = pieces(said, frame)
        return {question: _answer(question.path, str(number), told) for number, question in enumerate(asked)}


def _answer(path: str, number: str, told: Pieces) -> str | CouldNotLook | None:
    state = told[f"{number} state"].strip()
    if state == "read":
        found = _PUBLIC.search(told[f"{number} key"] + "\n")
        return found[0] if found else ""
    if is_absent(state):
        return None
    return CouldNotLook(f"{path}: {_WHY.get(state) or one_line(state)}") if state else told_nothing(path)
