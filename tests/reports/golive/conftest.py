"""Views of a watch as the tests of the go-live report ask for them."""

from __future__ import annotations

from datetime import datetime

from golive.judge.verdict import decide
from golive.model import Verdict, WatchRecord
from reports.golive.page import Views, views
from reports.golive.views.day import Day, day_of
from tests.watchdays import after


def seen(record: WatchRecord, now: datetime | None = None) -> tuple[Verdict, Views]:
    """The verdict over a watch and everything that is told of it, 7 minutes after its last checkpoint by default."""
    verdict = decide(record, now=now or after(record))
    found = views(record, verdict)
    assert found is not None
    return verdict, found


def looked_at(record: WatchRecord, now: datetime | None = None) -> Day:
    """The watch in the order of its schedule."""
    found = day_of(record, now or after(record))
    assert found is not None
    return found
