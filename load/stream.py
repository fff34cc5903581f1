"""The stream of a load: a line of JSON for everything that happened, written while it runs and read as it grows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Line = dict[str, Any]
UNREADABLE = "unreadable"
"""The kind of what stands for a line that is none; nothing that a load process writes is called so."""
_SHOWN = 80


class Tail:
    """Reads what a file got since the last look. The file need not be there yet, and its last line not be whole."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._at = 0
        self._cut = b""

    def read(self) -> list[Line]:
        """The whole lines that are new."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._at)
                new = file.read()
        except FileNotFoundError:
            return []
        self._at += len(new)
        *whole, self._cut = (self._cut + new).split(b"\n")
        return [parsed(line) for line in whole if line.strip()]


def lines_of(file: Path, *, ahead_s: Mapping[str, int] | None = None) -> Iterator[Line]:
    """Every line of the file, as `parsed`; none when there is no file.

    `ahead_s` says by how many seconds the clock of a worker (by its name) is ahead of ours: its times are put right.
    """
    if not file.exists():
        return
    with file.open("rb") as opened:
        for raw in opened:
            if raw.strip():
                yield put_right(parsed(raw), ahead_s or {})


def parsed(raw: bytes) -> Line:
    """One line; what is no JSON object with a `kind` gives one of kind UNREADABLE with a `text` about it."""
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        line = None
    if isinstance(line, dict) and isinstance(line.get("kind"), str):
        return line
    shown = raw[:_SHOWN].decode("utf-8", "replace").strip()
    return {"kind": UNREADABLE, "text": f"a line of the stream cannot be read: {shown!r}"}


def put_right(line: Line, ahead_s: Mapping[str, int]) -> Line:
    """The line with its time as our clock would have told it."""
    ahead = ahead_s.get(str(line.get("worker", "")), 0)
    if not ahead or line["kind"] not in ("second", "state") or not isinstance(line.get("at"), int | float):
        return line
    return {**line, "at": line["at"] - ahead}
