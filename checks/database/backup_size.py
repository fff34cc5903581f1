"""The newest backup is not smaller than those before it.

Why: a dump that broke off, or of the wrong database, is first seen by its size.
When it fails: compare the tables in it (pg_restore --list) with those of the one before, and read the backup job's log.
"""

from statistics import median

from pydantic import Field

from fixtures.measure import Measure
from golive.environment.params import BackupRef, CheckParams, Percent, Size
from golive.targets.backups import Backups

_COMPARED = 10


class Params(CheckParams):
    backup: BackupRef
    shrink_to: Percent = Field(50.0, description="least size as a share of the median of the ten before it")
    at_least: Size | None = Field(None, description="least size, also where there is only one backup")


def test_newest_backup_has_not_shrunk(criterion: Params, backup: Backups, measure: Measure) -> None:
    newest = backup.newest
    assert newest, f"there is no backup: no file matches {backup.where}"
    assert newest.size_bytes, f"{newest.name} is empty"
    if criterion.at_least is not None:
        measure(
            newest.size_bytes / 1000,
            unit="kB",
            name="size of the newest backup",
            critical=criterion.at_least / 1000,
            better="higher",
            detail=newest.name,
        )
    before = [f.size_bytes for f in backup.files[1 : _COMPARED + 1] if f.size_bytes]
    if before:
        measure(
            100 * newest.size_bytes / median(before),
            unit="%",
            name="size against the ones before",
            critical=criterion.shrink_to,
            better="higher",
            samples=len(before),
            detail=f"{newest.name}: {newest.size_bytes} B, median of {len(before)} before it {median(before):.0f} B",
        )
    elif criterion.at_least is None:
        measure.unknown(f"{newest.name} is the only backup: there is none before it to compare with, and no 'at_least'")
