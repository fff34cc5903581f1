"""What a host is asked beyond its standard facts, all within its one visit.

A kind of question is one file here: a frozen, hashable subclass of `Question`. All
questions of a kind are answered by one piece of shell text, so that a hundred files cost
one `stat` and not a hundred. A criterion's `Params.asks()` names its questions when the
run begins, and its check takes the answer from `host.answer(question)`; a question that
nobody announced costs a command of its own.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

from golive.model import CouldNotLook

A_co = TypeVar("A_co", covariant=True)


class Question(ABC, Generic[A_co]):
    """Something that a host can be asked; equal questions are asked once.

    `limit_s` is the longest that answering all questions of the kind may take on the host.
    """

    limit_s: ClassVar[float] = 10.0

    @classmethod
    def noun(cls) -> str:
        """What is asked for, as messages name it: the name of the class in words."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__).lower()

    @classmethod
    @abstractmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """POSIX `sh` text (also busybox) that prints what `parse` needs for all of `asked`; it changes nothing.

        `frame` is a word drawn at random for this visit: what the host holds cannot contain it.
        The text must quote every value of a question (`shlex.quote`). It runs by itself in a shell of its own,
        beside others, with nothing on its standard input and LC_ALL=C. What it prints on standard error is dropped
        unless it says `2>&1` itself. An exit code other than 0 leaves all questions of the kind unanswered, so a text
        whose last command may well fail ends with `:`.
        """

    @classmethod
    @abstractmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, A_co | CouldNotLook]:
        """The answer to each question, or why there is none, from what the snippet printed (bytes, perhaps cut).

        Pure. Never raises on rubbish: a question whose answer is not understood gets a CouldNotLook that says so
        (without the host's name, which is put before it).
        """


def by_kind(questions: Sequence[Question[Any]]) -> dict[type[Question[Any]], tuple[Question[Any], ...]]:
    """The questions of each kind, each once, in the order in which they came."""
    kinds: dict[type[Question[Any]], dict[Question[Any], None]] = {}
    for question in questions:
        kinds.setdefault(type(question), {})[question] = None
    return {kind: tuple(asked) for kind, asked in kinds.items()}
