"""The newest backup is readable to its end, and is of the right database.

Why: a backup that was never read is a hope; many are found to be cut off, damaged or empty when they are needed.
When it fails: take a new backup now, read it with pg_restore --list, and look for what damaged this one.
"""

from pydantic import Field

from fixtures.measure import Measure
from golive.environment.params import BackupRef, CheckParams, Duration
from golive.targets.backups import Backups, Contents, Damaged


class Params(CheckParams):
    backup: BackupRef
    expected_database: str | None = Field(None, description="name of the database that it must have been taken from")
    tables: tuple[str, ...] = Field((), description="tables whose data must be in it, as name or schema.name")
    timeout: Duration = Field(300.0, description="longest that reading the whole file may take")


def test_newest_backup_is_readable(criterion: Params, backup: Backups, measure: Measure) -> None:
    newest = backup.newest
    assert newest, f"there is no backup: no file matches {backup.where}"
    try:
        contents = backup.contents(newest, timeout_s=criterion.timeout)
        backup.read_to_the_end(newest, timeout_s=criterion.timeout)
    except Damaged as damage:
        measure.fail(f"{newest.name} {damage}")
        return
    measure(newest.size_bytes, unit="B", name="bytes read", subject=newest.name)
    measure(len(contents.tables), unit="tables", name="tables in the backup")
    _judge_origin(criterion, newest.name, contents, measure)
    missing = [table for table in criterion.tables if table not in contents.tables | _bare(contents.tables)]
    if missing:
        measure.fail(f"{newest.name}: no data of {', '.join(missing)} in it")


def _judge_origin(criterion: Params, name: str, contents: Contents, measure: Measure) -> None:
    wanted, found = criterion.expected_database, contents.database
    if wanted and found is None and not criterion.tables:
        measure.unknown(f"{name}: {contents.format} that does not say which database it was taken from")
    elif wanted and found is not None and found != wanted:
        measure.fail(f"{name}: taken from the database {found}, not from {wanted}")
    else:
        measure.note(f"{name}: {contents.format} of database {found or '(not said)'}, read to its end")


def _bare(tables: frozenset[str]) -> frozenset[str]:
    return frozenset(table.partition(".")[2] for table in tables)
