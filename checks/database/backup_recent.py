"""The newest backup is recent enough.

Why: what happened since the last backup is what a disaster takes away.
When it fails: look at the backup job's log and the disk it writes to, then start it by hand.
"""

from datetime import datetime

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import BackupRef, CheckParams, Duration
from golive.model import utc_text
from golive.targets.backups import Backups

_CLOCKS_AGREE_S = 60.0


class Params(CheckParams):
    backup: BackupRef
    limit: Duration | None = Field(None, description="greatest age; twice the interval of the backups unless given")


def test_newest_backup_is_recent(
    criterion: Params, backup: Backups, now: datetime, measure: Measure, evidence: EvidenceSink
) -> None:
    newest = backup.newest
    assert newest, f"there is no backup: no file matches {backup.where}"
    evidence("backups", "\n".join(f"{f.name}: {f.size_bytes} B, {utc_text(f.modified_at)}" for f in backup.files[:20]))
    age_s = (now - newest.modified_at).total_seconds()
    if age_s < -_CLOCKS_AGREE_S:
        measure.unknown(f"{newest.name} is dated {-age_s:.0f} s in the future: the clocks of host and verifier differ")
        return
    limit_s = criterion.limit or 2 * backup.section.every
    detail = f"{newest.name} of {utc_text(newest.modified_at)}"
    measure(max(0.0, age_s) / 60, unit="min", name="age of the newest backup", critical=limit_s / 60, detail=detail)
