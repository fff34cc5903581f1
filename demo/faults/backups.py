"""Backups that would be of no use on the day they are needed.

While one of these is active the scheduler makes no backup (its name starts with `backup-`), and the sound ones wait in
a folder of their own.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.faults._model import Demo, Fault, wait_for
from demo.services import backups
from demo.services.scheduler import BACKUP_EVERY_S
from demo.state import DemoError, active_faults

_STALE_BY = timedelta(hours=3)
_OTHER = "training"
_NEW_BACKUP_WITHIN_S = 10.0
_BROKEN_LIST = "broken.json"


def _backup_fault(*, name: str, says: str, incident: str, spoil: Callable[[Demo, Path], None]) -> Fault:
    """A fault of the backups; `spoil` gets the newest one."""

    def bring_about(demo: Demo) -> None:
        wait_for(lambda: not (demo.settings.backups / backups.PARTIAL).exists(), "the backup under way")
        newest = backups.newest(demo.settings.backups)
        if newest is None:
            raise DemoError("there is no backup yet that could be spoilt")
        _keep_copies(demo, name)
        spoil(demo, newest)
        _note_broken(demo, name)

    def heal(demo: Demo) -> None:
        _remove_broken(demo, name)
        for file in demo.keep(name).glob(backups.PATTERN):
            file.replace(demo.settings.backups / file.name)
        if any(other.startswith("backup-") for other in active_faults(demo.directory)):
            return
        # The scheduler makes a new one at once, unless all was over before it noticed; then the old one is young.
        wait_for(lambda: _age_of_newest_s(demo) < BACKUP_EVERY_S, "a new backup", timeout_s=_NEW_BACKUP_WITHIN_S)

    return Fault(
        name=name,
        says=says,
        incident=incident,
        break_=bring_about,
        heal=heal,
    )


def _keep_copies(demo: Demo, fault: str) -> None:
    for file in demo.settings.backups.glob(backups.PATTERN):
        shutil.copy2(file, demo.keep(fault) / file.name)


def _note_broken(demo: Demo, fault: str) -> None:
    files = {file.name: file.stat().st_ino for file in demo.settings.backups.glob(backups.PATTERN)}
    (demo.keep(fault) / _BROKEN_LIST).write_text(json.dumps(files), encoding="utf-8")


def _remove_broken(demo: Demo, fault: str) -> None:
    """Remove what was there under the fault, but not the backup that the scheduler may have made since."""
    noted = demo.keep(fault) / _BROKEN_LIST
    if not noted.exists():
        return
    broken = json.loads(noted.read_text(encoding="utf-8"))
    noted.unlink()
    for file in demo.settings.backups.glob(backups.PATTERN):
        if broken.get(file.name) == file.stat().st_ino:
            file.unlink()


def _age_of_newest_s(demo: Demo) -> float:
    newest = backups.newest(demo.settings.backups)
    return time.time() - newest.stat().st_mtime if newest else float("inf")


def _moment(file: Path) -> datetime:
    found = re.search(r"\d{8}T\d{6}", file.name)
    return datetime.strptime(f"{found[0] if found else ''}+0000", "%Y%m%dT%H%M%S%z")


def _next_path(newest: Path) -> Path:
    """The name of a backup made now, and in any case later than the newest."""
    return newest.with_name(backups.name_at(max(datetime.now(UTC), _moment(newest) + timedelta(seconds=1))))


def _remove_all(demo: Demo, _: Path) -> None:
    for file in demo.settings.backups.glob(backups.PATTERN):
        file.unlink()


def _age_all(demo: Demo, _: Path) -> None:
    for file in sorted(demo.settings.backups.glob(backups.PATTERN)):
        older = file.rename(file.with_name(backups.name_at(_moment(file) - _STALE_BY)))
        mtime = older.stat().st_mtime - _STALE_BY.total_seconds()
        os.utime(older, (mtime, mtime))


def _empty(_: Demo, newest: Path) -> None:
    os.truncate(newest, 0)


def _cut(_: Demo, newest: Path) -> None:
    os.truncate(newest, newest.stat().st_size * 7 // 10)


def _garble(_: Demo, newest: Path) -> None:
    """Overwrite a fifth in the middle: the table of contents in front still reads well."""
    data = bytearray(newest.read_bytes())
    start, end = len(data) * 2 // 5, len(data) * 3 // 5
    data[start:end] = secrets.token_bytes(end - start)
    newest.write_bytes(data)


def _shrink(demo: Demo, newest: Path) -> None:
    backups.dump(demo.settings, _next_path(newest), options=["--table=stores", "--table=users"])


def _dump_other(demo: Demo, newest: Path) -> None:
    """A sound dump, about as large, of a database that is not ours."""
    rows = newest.stat().st_size // 24
    with demo.database() as server:
        server.execute(f"DROP DATABASE IF EXISTS {_OTHER}".encode())
        server.execute(f"CREATE DATABASE {_OTHER}".encode())
        try:
            with demo.database(name=_OTHER) as other:
                other.execute("CREATE TABLE pupils (id integer PRIMARY KEY, name text NOT NULL)")
                other.execute("INSERT INTO pupils SELECT n, md5(n::text) FROM generate_series(1, %s) AS n", [rows])
            backups.dump(demo.settings, _next_path(newest), role="postgres", name=_OTHER)
        finally:
            server.execute(f"DROP DATABASE {_OTHER} WITH (FORCE)".encode())


MISSING = _backup_fault(
    name="backup-missing",
    says="the folder of backups is empty",
    incident="a clean-up script took the wrong folder",
    spoil=_remove_all,
)

STALE = _backup_fault(
    name="backup-stale",
    says="the newest backup is three hours old",
    incident="the job has been failing since a password was changed",
    spoil=_age_all,
)

EMPTY = _backup_fault(
    name="backup-empty",
    says="the newest backup has no content",
    incident="the disk was full while it was written",
    spoil=_empty,
)

CORRUPT = _backup_fault(
    name="backup-corrupt",
    says="the newest backup is garbled in the middle, though its table of contents reads well",
    incident="a failing disk",
    spoil=_garble,
)

TRUNCATED = _backup_fault(
    name="backup-truncated",
    says="the last third of the newest backup is missing",
    incident="the copy to the backup host was cut off",
    spoil=_cut,
)

SHRUNKEN = _backup_fault(
    name="backup-shrunken",
    says="the newest backup is much smaller than the one before, as it lacks most tables",
    incident="a filter for one table, meant for a test, stayed in the job",
    spoil=_shrink,
)

WRONG_DATABASE = _backup_fault(
    name="backup-of-wrong-database",
    says="the newest backup is sound, but of another database",
    incident="the job was copied from another system and its connection was not changed",
    spoil=_dump_other,
)
