"""The types in which parameters about a host are written: modes, paths, names, patterns, one text or several."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, WithJsonSchema

_MODE = re.compile(r"[0-7]{3,4}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+:$-]*")


def _mode(value: Any) -> int:
    """ValueError unless octal text: YAML reads a bare 0644 as the number 420."""
    if isinstance(value, str) and _MODE.fullmatch(value):
        return int(value, 8)
    raise ValueError(f"a mode is three or four octal digits in quotes, as in '0644'; got {value!r}")


def _texts(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _single_line(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        if not text or any(sign in text for sign in "\n\r\0"):
            raise ValueError(f"what is looked for lies on one line and is not empty; got {text!r}")
    return texts


def _absolute(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise ValueError(f"a path on a host begins with '/'; got {path!r}")
    return path


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"a name is made of letters, digits and . _ @ + : $ -; got {name!r}")
    return name


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return text


Mode = Annotated[
    int,
    BeforeValidator(_mode),
    WithJsonSchema({"type": "string", "pattern": "^[0-7]{3,4}$", "examples": ["0644", "0750"]}),
]
"""Permission bits, written as octal text."""
Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(_texts),
    AfterValidator(_single_line),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One text or a list of them, each within one line."""
AbsolutePath = Annotated[str, AfterValidator(_absolute)]
"""A path on a host."""
Name = Annotated[str, AfterValidator(_name)]
"""The name of a user, group, package or unit."""
Pattern = Annotated[str, Field(min_length=1), AfterValidator(_pattern)]
"""A regular expression as Python writes it."""


def octal(mode: int) -> str:
    """`0644`."""
    return f"{mode:04o}"


def left_over(params: BaseModel, *needed: str) -> str | None:
    """Why a criterion that wants something not to be there is refused: it judges what is not there."""
    others = sorted(params.model_fields_set - set(needed))
    return f"what is not there has no {', no '.join(others)} to judge" if others else None
