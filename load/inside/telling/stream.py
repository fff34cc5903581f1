"""The stream of a load: a line of JSON for everything that happened, appended as it happens."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


class Stream:
    """Appends whole lines, each batch in one write. After `close` nothing is written any more."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """OSError when it cannot be written, for instance on a full disk."""
        left = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
        while left and self._file is not None:
            left = left[os.write(self._file, left) :]

    def close(self) -> None:
        """To be called again does nothing."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
