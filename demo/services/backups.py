"""Backups: `warungin-20261121T101500Z.dump`, made by pg_dump in its custom format; their names sort by time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from demo.settings import DatabaseRole, Settings
from demo.state import write_private

PATTERN = "warungin-*.dump"
PARTIAL = ".partial"
KEPT = 5
TAKES_AT_MOST_S = 50


def name_at(moment: datetime) -> str:
    """The file name of a backup made at that moment."""
    return f"warungin-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}.dump"


def newest(folder: Path) -> Path | None:
    """The latest backup by its name, or None."""
    return max(folder.glob(PATTERN), default=None)


def prune(folder: Path) -> None:
    """Remove all but the newest few."""
    for old in sorted(folder.glob(PATTERN))[:-KEPT]:
        old.unlink(missing_ok=True)


def dump(
    settings: Settings,
    target: Path,
    *,
    role: DatabaseRole = "warungin",
    name: str = "warungin",
    options: Sequence[str] = (),
) -> None:
    """Write a dump of a database. Raises OSError, subprocess.SubprocessError."""
    arguments = settings.database(role, name=name)
    # The password travels in a private file, for an environment can be read in more places.
    password_file = settings.directory / "run" / f"{role}.pgpass"
    write_private(password_file, f"*:*:*:{role}:{arguments['password']}\n")
    variables = {
        "PGHOST": str(arguments["host"]),
        "PGPORT": str(arguments["port"]),
        "PGUSER": role,
        "PGDATABASE": name,
        "PGPASSFILE": str(password_file),
    }
    subprocess.run(
        [str(settings.bin / "pg_dump"), "--format=custom", f"--file={target}", *options],
        env={**os.environ, **variables},
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=TAKES_AT_MOST_S,
    )
