"""The certificates in a file of a host; never a private key, even where one lies in the same file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import (
    NEEDS_SUDO,
    Pieces,
    framed,
    is_absent,
    is_denied,
    pieces,
    told_nothing,
    words,
)
from golive.targets.shell import one_line

_BEGIN = "-----BEGIN CERTIFICATE-----"
_MOST = 200_000
# What begins before a certificate has ended is no part of it: it may be the key behind one that is cut off.
_SHELL = r"""
only() { awk '/-----BEGIN /{ on = 0 } /-----BEGIN CERTIFICATE-----/{ on = 1 } on { print } /-----END /{ on = 0 }'; }
certificates() {
  if [ -e "$2" ] && [ ! -f "$2" ]; then piece "$1 other"; return; fi
  piece "$1 pem"
  [ ! -r "$2" ] || only <"$2" | head -c MOST
  piece "$1 errors"; [ -r "$2" ] || sed -n 1q "$2" 2>&1
}
"""


@dataclass(frozen=True, kw_only=True)
class CertificateFile(Question[str | None]):
    """The certificates in the file at `path` as PEM (empty when it holds none), or None when it is not there."""

    path: str

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `awk` a file, which prints certificates alone."""
        lines = [f"certificates {number} {words(question.path)}" for number, question in enumerate(asked)]
        return framed(frame, _SHELL.replace("MOST", str(_MOST)), *lines)

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, str | CouldNotLook | None]:
        """What lies between the marks, or why it could not be read."""
        told = pieces(said, frame)
        return {question: _answer(question.path, str(number), told) for number, question in enumerate(asked)}


def _answer(path: str, number: str, told: Pieces) -> str | CouldNotLook | None:
    if f"{number} other" in told:
        return CouldNotLook(f"{path} is no regular file")
    if f"{number} errors" not in told:
        return told_nothing(path)
    pem, complaint = told[f"{number} pem"], told[f"{number} errors"].strip()
    if _BEGIN in pem:
        return pem if len(pem) < _MOST else CouldNotLook(f"{path} holds more than {_MOST // 1000} kB of certificates")
    if is_absent(complaint):
        return None
    if complaint:
        return CouldNotLook(f"{path}: {NEEDS_SUDO if is_denied(complaint) else one_line(complaint)}")
    return ""
