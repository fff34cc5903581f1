"""The output of a command that the criterion's author wrote: the only text of a user's that runs on a host."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import Pieces, framed, number, pieces, told_nothing

MAX_OUTPUT_BYTES = 100_000
_ERROR_BYTES = 2_000
_TIMED_OUT = "124"
# Standard output goes to descriptor 3, cut; standard error is kept beside it, cut but read to its end, since a
# program that writes much there must not be ended by that.
# The text may hold what came out of a reference, so it is not an argument, which any user there could see.
_SHELL = r"""
run() (T=$2; export T; within "$1" sh -c 't=$T; unset T; eval "$t"')
answer() {
  piece "$1 out"
  { e=$({ { run "$2" "$3" </dev/null 3>&-; printf '\n%s %s code %s' "$F" "$1" "$?"; } |
    head -c MOST >&3; } 2>&1 | { head -c SOME; cat >/dev/null; }); } 3>&1
  piece "$1 errors"; printf '%s' "$e"
}
"""


@dataclass(frozen=True, kw_only=True)
class CommandOutput:
    """What the command came to."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, kw_only=True)
class Command(Question[CommandOutput]):
    """`text` run by `sh` with nothing on its standard input, ended after `within_s`."""

    text: str
    within_s: float = 5.0
    limit_s: ClassVar[float] = 60.0

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One after the other, each with a time-out of its own."""
        shell = _SHELL.replace("MOST", str(MAX_OUTPUT_BYTES)).replace("SOME", str(_ERROR_BYTES))
        lines = [f"answer {n} {question.within_s:g} {shlex.quote(question.text)}" for n, question in enumerate(asked)]
        return framed(frame, shell, *lines)

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, CommandOutput | CouldNotLook]:
        """The exit code comes right behind the output; where it is missing, the output was cut."""
        told = pieces(said, frame)
        codes = dict(head.split(" code ") for head in told if " code " in head)
        return {q: _answer(q, str(n), told, codes.get(str(n), "")) for n, q in enumerate(asked)}


def _answer(question: Command, place: str, told: Pieces, code: str) -> CommandOutput | CouldNotLook:
    subject = f"command {question.text!r}"
    if f"{place} errors" not in told:
        return told_nothing(subject)
    if code == _TIMED_OUT:
        return CouldNotLook(f"{subject} did not end within {question.within_s:g} s")
    exit_code = number(code)
    if exit_code is None:
        return CouldNotLook(f"{subject} printed more than {MAX_OUTPUT_BYTES // 1000} kB")
    return CommandOutput(exit_code=exit_code, stdout=told[f"{place} out"], stderr=told[f"{place} errors"])
