"""What a name means on a host: asked as its programs ask, through the name service."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import Pieces, framed, number, pieces, told_nothing, words

WITHIN_S = 3
_TIMED_OUT = (124, 137, 143)
_NO_SERVER = re.compile(
    r"SERVFAIL|REFUSED|timed out|no servers|[Tt]ry again|[Tt]emporary failure|[Nn]o response|[Cc]onnection refused"
)
# Once a server does not answer, the names after it would each wait for it again. For `getent` a name that is not there
# and a server that fails are the same; so `nslookup` is asked too where it is there.
_SHELL = r"""
dead=0
resolved() {
  if [ "$dead" -ge 2 ]; then piece "$1 skipped"; return; fi
  piece "$1 told"
  if has getent; then within SECONDS getent ahosts "$2"; c=$?
    if [ "$c" = 2 ] && has nslookup; then piece "$1 why"; within SECONDS nslookup "$2" 2>&1; fi
  elif has nslookup; then within SECONDS nslookup "$2" 2>&1; c=$?
  else c=tool; fi
  [ "$c" != 124 ] || dead=$((dead + 1))
  piece "$1 = $c"
}
"""


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """The addresses of a name, sorted; without any, `trouble` says why."""

    addresses: tuple[str, ...]
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class ResolvedName(Question[Resolution]):
    """The addresses that programs on the host get for `name`."""

    name: str
    limit_s: ClassVar[float] = 15.0

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `getent` a name (`nslookup` where there is none), until two of them got no answer in time."""
        lines = [f"resolved {number} {words(question.name)}" for number, question in enumerate(asked)]
        return framed(frame, _SHELL.replace("SECONDS", str(WITHIN_S)), *lines)

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, Resolution | CouldNotLook]:
        """The addresses that `getent ahosts` begins its lines with, or that `nslookup` tells after the name."""
        told = pieces(said, frame)
        codes = dict(head.split(" = ", 1) for head in told if " = " in head)
        return {q: _answer(q.name, told, str(n), codes.get(str(n), "")) for n, q in enumerate(asked)}


def _answer(name: str, told: Pieces, place: str, code: str) -> Resolution | CouldNotLook:
    if f"{place} skipped" in told:
        return CouldNotLook(f"{name}: not asked for, since names before it got no answer")
    if code == "tool":
        return CouldNotLook(f"{name}: the host has neither `getent` nor `nslookup`")
    exit_code = number(code)
    if exit_code is None:
        return told_nothing(name)
    if exit_code in _TIMED_OUT:
        return Resolution(addresses=(), trouble=f"no answer within {WITHIN_S} s")
    if exit_code in (126, 127):
        return CouldNotLook(f"{name}: looking it up ended with exit code {code}")
    text = told[f"{place} told"]
    # nslookup tells first which server it asked.
    _, is_nslookup, behind = text.partition("\nName:")
    words_of = re.findall(r"^Address[ \d]*: *(\S+)", behind, re.MULTILINE) if is_nslookup else _first_words(text)
    found = sorted({address for address in map(_address, words_of) if address})
    if found:
        return Resolution(addresses=tuple(found))
    failed = _NO_SERVER.search(told[f"{place} why"] or text)
    return Resolution(addresses=(), trouble="no name server answers" if failed else "no such name")


def _first_words(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines() if line.split()]


def _address(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
