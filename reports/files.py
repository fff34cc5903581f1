"""Files that readers see either whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LATEST = "latest"


def write_whole(path: Path, text: str) -> None:
    """Write `text` so that a reader meets the old file or the new one, never a part. OSError as usual."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")
        os.replace(beside, path)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def point_latest(directory: Path) -> Path:
    """Let `latest` beside `directory` lead to it and return that name.

    A relative link, moved in one step; where links are not to be had, `latest.txt`
    holds the folder's name instead.
    """
    link, note = directory.with_name(LATEST), directory.with_name(f"{LATEST}.txt")
    beside = directory.with_name(f".{LATEST}.{os.getpid()}.new")
    try:
        beside.unlink(missing_ok=True)
        beside.symlink_to(directory.name, target_is_directory=True)
        os.replace(beside, link)
    except (OSError, NotImplementedError):
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        write_whole(note, f"{directory.name}\n")
        return note
    note.unlink(missing_ok=True)
    return link


def shown(path: Path) -> str:
    """A path as a person would type it from here."""
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
