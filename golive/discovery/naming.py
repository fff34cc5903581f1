"""Names and texts that came from a host, made fit for YAML, or refused.

What a host tells is hostile until it is known not to be: a file may be called `${cmd:…}`, and a container
may carry a line break in its name. Comments are made harmless; a value is either written as it is or left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from golive.environment.written import written_credentials

LONGEST_VALUE = 300
OWN_REFERENCE = re.compile(r"\$\{env:[A-Z][A-Z0-9_]*_PASSWORD\}")
"""The only references that are written: to a variable that the user sets."""
_LONGEST_NAME = 40
_LONGEST_ITEM = 80
_NOT_REPEATED = "(what was told looks like a credential, and is not repeated)"
_URL_PASSWORD = re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^\s/@]*@")


def slug(text: str, otherwise: str = "x") -> str:
    """`text` as a name of small letters, digits and hyphens that begins with a letter."""
    name = re.sub(r"[^a-z0-9]+", "-", _unless_secret(text[:LONGEST_VALUE]).lower()).strip("-")
    name = name[:_LONGEST_NAME].strip("-")
    if not name:
        return otherwise
    return name if name[0].isalpha() else f"{otherwise}-{name}"


def item(text: str) -> str:
    """`text` as an item of `for_each`: no spaces, brackets or `::`, which an id must not hold."""
    name = re.sub(r"[^A-Za-z0-9._/@%+-]+", "-", _unless_secret(text[:LONGEST_VALUE]))[:_LONGEST_ITEM]
    return name or "x"


def distinct(name: str, taken: Iterable[str]) -> str:
    """`name`, or `name-2` and so on where that is taken."""
    names = set(taken)
    if name not in names:
        return name
    return next(numbered for n in range(2, len(names) + 3) if (numbered := f"{name}-{n}") not in names)


def remark(text: str, limit: int = 160) -> str:
    """`text` as a comment: one line, nothing in it that acts or ends a line, and nothing like a credential."""
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in text[: limit * 4]).split())
    line = _unless_secret(_URL_PASSWORD.sub(r"\1…@", line), _NOT_REPEATED).replace("${", "$ {")
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def why_unfit(value: Any) -> str | None:
    """Why a value that came from the host must not be written, or None.

    A text in it that reads as a reference would be resolved, perhaps by running a command on the runner.
    """
    for text in _texts(value):
        if OWN_REFERENCE.fullmatch(text):
            continue
        if "${" in text or "{item}" in text:
            return "reads as a reference"
        if not text.isprintable() or "\ufffd" in text:
            return "holds characters that cannot be printed"
        if len(text) > LONGEST_VALUE:
            return f"is longer than {LONGEST_VALUE} characters"
        if _unless_secret(text) != text:
            return "looks like a credential"
    return None


def why_secret(text: str) -> str | None:
    """What in a piece of YAML looks like a credential, or None; the value itself is not repeated."""
    found = written_credentials("proposal", text)
    return f"looks like a credential ({remark(found[0].what)})" if found else None


def _unless_secret(text: str, otherwise: str = "") -> str:
    """`text`, or `otherwise` where something in it looks like a credential, in a comment too."""
    readable = text.encode("utf-8", "replace").decode()
    return otherwise if written_credentials("name", f"# {readable}") else text


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _texts(key)
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
