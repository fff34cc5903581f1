"""Kernel parameters, as `sysctl` shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import NEEDS_SUDO, framed, is_denied, pieces, told_nothing, words
from golive.targets.shell import one_line

_ROOT = "/proc/sys/"


@dataclass(frozen=True, kw_only=True)
class KernelParameter(Question[str | None]):
    """The value of a parameter (`net.ipv4.ip_forward`), runs of blanks as one space; None when there is no such one."""

    name: str

    @property
    def file(self) -> str:
        """Below `/proc/sys`; a name that holds `/` has its dots within the parts, as for `sysctl`."""
        return _ROOT + (self.name if "/" in self.name else self.name.replace(".", "/"))

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `grep` for all, which names the file of each line; and its complaints."""
        files = words(*(question.file for question in asked))
        look = f"{{ e=$(grep -aH '' {files} 2>&1 >&3); }} 3>&1"
        return framed(frame, f"piece values; {look}", "piece errors; printf '%s\\n' \"$e\"")

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, str | CouldNotLook | None]:
        """A line without a value is empty text; a parameter that is not there is complained of."""
        told = pieces(said, frame)
        if "errors" not in told:
            return dict.fromkeys(asked, CouldNotLook("/proc/sys was not told in full"))
        values: dict[str, list[str]] = {}
        for line in told["values"].splitlines():
            file, _, value = line.partition(":")
            values.setdefault(file, []).extend(value.split())
        errors = told["errors"].splitlines()
        return {q: _value(q, values.get(q.file), [e for e in errors if f": {q.file}: " in e]) for q in asked}


def _value(question: KernelParameter, value: list[str] | None, errors: Sequence[str]) -> str | CouldNotLook | None:
    if value is not None:
        return " ".join(value)
    if errors and errors[0].endswith("No such file or directory"):
        return None
    if errors:
        why = NEEDS_SUDO if is_denied(errors[0]) else one_line(errors[0])
        return CouldNotLook(f"{question.name}: {why}")
    return told_nothing(question.name)
