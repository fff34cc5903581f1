"""How the output of a snippet is cut into pieces, so that nothing a host holds can pass for another answer."""

from __future__ import annotations

import shlex

from golive.model import CouldNotLook

NEEDS_SUDO = "permission denied: the host needs `sudo: true`"
_ABSENT = ("No such file or directory", "Not a directory")
_DENIED = ("Permission denied", "Operation not permitted")

_VISIT_S = 60.0

_HEAD = r"""
piece() { printf '\n%s %s\n' "$F" "$*"; }
has() { command -v "$1" >/dev/null 2>&1; }
if has limit; then within() { limit "$@"; }
elif has timeout; then within() { timeout "$@"; }
else within() { shift; "$@"; }; fi
"""


def framed(frame: str, *lines: str) -> str:
    """Shell text in which `piece NAME` begins a piece, `has TOOL` asks for a program, and `within SECONDS PROGRAM …`
    runs one that is ended at that time with all that it started (by `limit` of the visit).

    It ends with an empty piece, by which an answer that broke off is told from a whole one.
    """
    return "\n".join([f"F={shlex.quote(frame)}", _HEAD, *lines, "piece end", ":"])


class Pieces(dict[str, str]):
    """The text of each piece by its name; a piece that was not told is empty, and not `in` it."""

    def __missing__(self, name: str) -> str:
        return ""


def pieces(said: bytes, frame: str) -> Pieces:
    """What was told, piece by piece; nothing at all when the end is missing."""
    return Pieces(in_order(said, frame))


def in_order(said: bytes, frame: str) -> list[tuple[str, str]]:
    """Name and text of each piece; nothing when the end is missing."""
    parts = f"\n{said.decode('utf-8', 'replace')}".split(f"\n{frame} ")[1:]
    told = [(head, text) for head, _, text in (part.partition("\n") for part in parts)]
    return told[:-1] if told and told[-1][0] == "end" else []


def number(text: str) -> int | None:
    """A number of 0 or above, in plain digits and not too many of them."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def age(seconds: float) -> float:
    """Seconds since a time that the host told: what happened during the visit itself has no age yet.

    Below 0 only where the time lies in the future, so that nothing can be said of an age.
    """
    return seconds if seconds < -_VISIT_S else max(0.0, seconds)


def words(*values: str) -> str:
    """The values as words of a shell command; a path that looks like an option is told from one."""
    return " ".join(shlex.quote(f"./{value}" if value.startswith("-") else value) for value in values)


def is_absent(error: str) -> bool:
    """Whether a program complained that the file is not there."""
    return error.rstrip().endswith(_ABSENT)


def is_denied(error: str) -> bool:
    """Whether a program complained that it may not look."""
    return any(told in error for told in _DENIED)


def told_nothing(of: str) -> CouldNotLook:
    """The snippet was cut off, or ended before it came to this question."""
    return CouldNotLook(f"{of}: the host told nothing of it")
