"""How far a log file was read, and how the file is known again. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """How far one path was read. `at` is the host's time of that look, `seen` ours."""

    inode: int
    offset: int
    head: str
    head_bytes: int
    at: str
    seen: str = ""

    def is_of(self, head: bytes) -> bool:
        """Whether a file that begins with `head` may be the one that was read; an empty one had only its inode."""
        return len(head) >= self.head_bytes and hash_of(head[: self.head_bytes]) == self.head

    def as_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {name: getattr(self, name) for name in self.__slots__}


def hash_of(head: bytes) -> str:
    """What a file is known by: a hash of its first bytes."""
    return hashlib.sha256(head).hexdigest()[:24]


def marks_of(data: Any) -> dict[str, Mark]:
    """The marks by path out of a cursor; one of another shape (an older version wrote it) counts as none."""
    try:
        marks = {str(path): Mark(**mark) for path, mark in data.items()}
        for mark in marks.values():
            datetime.fromisoformat(mark.at)
    except (KeyError, TypeError, AttributeError, ValueError):
        return {}
    return marks
