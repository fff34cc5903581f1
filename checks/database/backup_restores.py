"""The newest backup can be restored, and holds the rows that the database has.

Why: only a restore proves that there is a way back.
When it fails: restore the backup by hand and read the first error; take a new one and compare.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import BackupRef, CheckParams, Count, DatabaseRef, Duration, Percent
from golive.targets.backups import Backups, Damaged
from golive.targets.postgres import Database
from golive.targets.postgres_errors import DatabaseTrouble
from golive.targets.scratch import EmptyDatabase, Scratch

_ENCODING = "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"
_TABLES = """
SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
ORDER BY c.relpages DESC, 1, 2 LIMIT 200
"""


class Params(CheckParams):
    backup: BackupRef
    database: DatabaseRef = Field(description="the live database to compare with")
    scratch: DatabaseRef = Field(description="a server, and a role that may create databases there")
    tables: tuple[str, ...] = Field((), description="tables to compare, as name or schema.name; all unless given")
    tolerance: Percent = Field(5.0, description="by how much of the live rows a table may differ")
    slack: Count = Field(10, description="by how many rows a table may always differ")
    timeout: Duration = Field(600.0, description="longest that the restore may take")

    def asserts_nothing(self) -> str | None:
        return "a 'tolerance' of 100 allows any difference" if self.tolerance >= 100 else None


def test_newest_backup_restores(
    criterion: Params,
    backup: Backups,
    database: Database,
    scratch: Scratch,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    newest = backup.newest
    assert newest, f"there is no backup: no file matches {backup.where}"
    encoding = database.row(_ENCODING)[0]
    try:
        with scratch.empty_database(encoding) as made:
            backup.restore(newest, made.variables, timeout_s=criterion.timeout)
            restored = _counted(criterion, made)
    except Damaged as damage:
        measure.fail(f"{newest.name} {damage}")
        return
    told = []
    for table, count in restored.items():
        live = _count(database, table, measure)
        told.append(f"{'.'.join(table)}: {count} restored, {live} live")
        if live is not None:
            _compare(criterion, ".".join(table), count, live, newest.name, measure)
    evidence(f"rows in {newest.name} and in {database.name}", "\n".join(told))
    if not restored:
        measure.fail(f"{newest.name}: no table in it")


def _counted(criterion: Params, made: EmptyDatabase) -> dict[tuple[str, str], int | None]:
    """Rows by (schema, table) in the restored database; None for a wanted table that is not there."""
    there = [(row[0], row[1]) for row in made.database.rows(_TABLES)]
    wanted = [_named(name) for name in criterion.tables] or there
    return {table: made.database.row(_counting(table))[0] if table in there else None for table in wanted}


def _count(database: Database, table: tuple[str, str], measure: Measure) -> int | None:
    try:
        found: int = database.row(_counting(table))[0]
        return found
    except DatabaseTrouble as problem:
        measure.unknown(f"{'.'.join(table)}: {problem}")
        return None


def _compare(criterion: Params, table: str, restored: int | None, live: int, name: str, measure: Measure) -> None:
    measure(restored if restored is not None else 0, unit="rows", name=f"{table} restored")
    allowed = max(live * criterion.tolerance / 100, criterion.slack)
    if restored is None:
        measure.fail(f"{name}: the table {table} is not in it")
    elif abs(restored - live) > allowed:
        measure.fail(f"{table}: {restored} rows in {name}, {live} live, which differs by more than {allowed:.0f}")
    elif restored == 0 and live > 0 and criterion.tables:
        measure.fail(f"{table}: empty in {name}, {live} rows live")


def _named(name: str) -> tuple[str, str]:
    schema, dot, table = name.partition(".")
    return (schema, table) if dot else ("public", name)


def _counting(table: tuple[str, str]) -> str:
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in table)
    return f"SELECT count(*) FROM {quoted}"  # noqa: S608 - the names are quoted
