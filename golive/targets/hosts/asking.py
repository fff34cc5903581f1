"""Questions on their way: the parts of a visit that ask them, and their answers out of what came back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from golive.model import CouldNotLook
from golive.targets.hosts import probe
from golive.targets.hosts.questions import Question, by_kind
from golive.targets.shell import plain

Answers = dict[Question[Any], Any]
"""The answer to each question, or the CouldNotLook that says why there is none."""


def parts_of(asked: Sequence[Question[Any]], marker: str, *, limit_s: float = math.inf) -> list[probe.Part]:
    """One part a kind of question; none may take longer than `limit_s`."""
    return [
        probe.Part(name=_name(number), text=kind.snippet(questions, _frame(marker)), limit_s=min(kind.limit_s, limit_s))
        for number, (kind, questions) in enumerate(by_kind(asked).items())
    ]


def answers(
    asked: Sequence[Question[Any]], marker: str, said: Mapping[str, tuple[bytes, int]], *, broke_off: bool = False
) -> Answers:
    """The answers in what came back of `parts_of` for the same questions: bytes and exit code by the part's name.

    `broke_off` when what is missing was lost with the connection.
    """
    found: Answers = {}
    for number, (kind, questions) in enumerate(by_kind(asked).items()):
        if broke_off and _name(number) not in said:
            found |= dict.fromkeys(questions, CouldNotLook(probe.BROKE_OFF))
            continue
        text, code = said.get(_name(number), (b"", probe.TIMED_OUT))
        found |= _of_kind(kind, questions, text, code, _frame(marker))
    return found


def _of_kind(
    kind: type[Question[Any]], questions: Sequence[Question[Any]], said: bytes, code: int, frame: str
) -> Answers:
    if code == probe.TIMED_OUT:
        return dict.fromkeys(questions, CouldNotLook(f"{kind.noun()}: no answer within the time that it is given"))
    if code != 0:
        return dict.fromkeys(questions, CouldNotLook(f"{kind.noun()}: looking ended with exit code {code}"))
    try:
        told = kind.parse(questions, said, frame)
    except Exception as error:  # noqa: BLE001 - a host that answers rubbish must not end the run
        why = plain(f"{type(error).__name__}: {error}")
        return dict.fromkeys(questions, CouldNotLook(f"{kind.noun()}: the answer could not be understood ({why})"))
    return {one: told.get(one, CouldNotLook(f"{kind.noun()}: the answer does not hold this one")) for one in questions}


def _name(number: int) -> str:
    return f"question {number}"


def _frame(marker: str) -> str:
    """Never the marker itself, so that a text may print its frame at will."""
    return f"{marker}-part"
