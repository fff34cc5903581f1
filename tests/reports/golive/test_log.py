"""The hour-by-hour log: what each hour says when it had a checkpoint, when it had none, and when nobody looked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from golive.model import ProbePolicy, Status, WatchRecord
from reports.golive.texts import log_text
from reports.golive.views.log import MEANINGS, Hour, HourStatus
from tests import watchdays as days
from tests.reports.golive import warungin
from tests.reports.golive.conftest import seen
from tests.watchdays import CPU, LOGIN


def hours(record: WatchRecord) -> dict[int, Hour]:
    return {hour.number: hour for hour in seen(record)[1].log}


def test_an_hour_with_a_clean_checkpoint_is_excellent() -> None:
    found = hours(warungin.clean())
    first = found[1]
    assert (first.status, first.services, first.errors) == (HourStatus.EXCELLENT, "8/8 UP", 0)
    assert first.source == "checkpoint 15 min and 1 h"
    assert first.notes == ("34 criteria in order",)
    assert found[24].status is HourStatus.EXCELLENT


def test_an_hour_without_a_checkpoint_is_filled_from_the_probe_and_says_so() -> None:
    fifth = hours(warungin.clean())[5]
    assert (fifth.status, fifth.source) == (HourStatus.NORMAL, "availability probe")
    assert fifth.services == "not counted; 2/2 endpoints UP"
    assert (fifth.errors, fifth.errors_told) == (0, "0 critical (read at 6 h)")
    assert fifth.notes == ("no checkpoint in this hour",)


def test_an_hour_of_which_nothing_is_known_says_no_data() -> None:
    bare = replace(warungin.clean(policy=None))
    fifth = hours(bare)[5]
    assert (fifth.status, fifth.services, fifth.source) == (HourStatus.NO_DATA, "not looked at", "")
    ahead = hours(warungin.clean(until="6h"))[20]
    assert (ahead.status, ahead.notes, ahead.errors_told) == (HourStatus.NO_DATA, ("yet to come",), "not counted")


@pytest.mark.parametrize(
    ("record", "status", "note"),
    [
        (
            days.with_outcome(days.day(), "6h", LOGIN, Status.FAIL, "500"),
            HourStatus.CRITICAL,
            "warungin.functionality.login failed: 500",
        ),
        (
            days.with_outcome(days.day(), "6h", CPU, Status.FAIL, "91 %"),
            HourStatus.WARNING,
            "warungin.health.cpu failed: 91 %",
        ),
        (
            days.with_outcome(days.day(), "6h", LOGIN, Status.UNKNOWN, "refused"),
            HourStatus.WARNING,
            "warungin.functionality.login unknown: refused",
        ),
        (
            days.with_outcome(days.day(), "6h", CPU, Status.WARN, "71 %"),
            HourStatus.WARNING,
            "warungin.health.cpu warned: 71 %",
        ),
        (
            days.on_second_try(days.day(), "6h", LOGIN),
            HourStatus.WARNING,
            "warungin.functionality.login held only when tried again",
        ),
        (days.without_run(days.day(), "6h"), HourStatus.WARNING, "checkpoint 6 h missed"),
        (days.aborted(days.day(), "6h"), HourStatus.WARNING, "checkpoint 6 h aborted"),
        (
            days.accepted(days.day(), "6h", CPU, expires=days.START + timedelta(days=9)),
            HourStatus.NORMAL,
            "1 waived",
        ),
    ],
    ids=["critical", "high", "unknown", "warn", "flapping", "missed", "aborted", "waived"],
)
def test_what_an_hour_is_called(record: WatchRecord, status: HourStatus, note: str) -> None:
    sixth = hours(record)[6]
    assert sixth.status is status
    assert note in sixth.notes


def test_a_missing_service_and_a_critical_line_make_it_critical() -> None:
    found = hours(warungin.troubled())
    assert (found[16].status, found[16].services, found[16].errors) == (HourStatus.CRITICAL, "7/8 UP", 2)


def test_lines_that_a_later_checkpoint_counted_cast_doubt_on_the_hours_before() -> None:
    found = hours(warungin.troubled())
    assert found[15].errors is None
    assert found[15].errors_told == "2 critical by hour 16 (read at 16 h)"
    assert found[15].status is HourStatus.WARNING
    assert found[17].errors == 0


def test_an_outage_between_checkpoints_makes_its_hour_critical() -> None:
    found = hours(warungin.troubled())
    assert found[14].status is HourStatus.CRITICAL
    assert found[14].services == "not counted; 1/2 endpoints UP"
    assert "web was down for 3 min 15 s (GET /index.html answered 502)" in found[14].notes


def test_time_that_was_not_seen_is_a_warning() -> None:
    eighth = hours(warungin.troubled())[8]
    assert eighth.status is HourStatus.WARNING
    assert "api was unseen for 56 s" in eighth.notes


def test_a_late_first_probe_is_forgiven_as_the_policy_says() -> None:
    record = days.day(policy=ProbePolicy(endpoints=("api",)))
    late = replace(record, probes=(days.up("api", days.START + timedelta(minutes=4), days.at_hour(record, 24.2)),))
    assert hours(late)[1].status is HourStatus.EXCELLENT


def test_a_compressed_watch_has_its_hours_too() -> None:
    record = warungin.clean(time_scale=240.0)
    found = hours(record)
    assert len(found) == 24
    assert (found[4].end - found[4].begin).total_seconds() == 15
    verdict, views = seen(record)
    text = log_text(views.day, views.log, views.form, views.incidents, verdict, name="Warungin POS")
    assert text.startswith("WARUNGIN POS: 24-HOUR MONITORING LOG (TRIAL)\n")
    assert "HOUR 2 (09:00:15-09:00:30):" in text


def test_a_shorter_watch_has_fewer_hours() -> None:
    assert len(hours(days.day(schedule=days.SCHEDULE[:5], milestones={}))) == 4


def test_the_next_day_is_named() -> None:
    verdict, views = seen(warungin.clean())
    text = log_text(views.day, views.log, views.form, views.incidents, verdict, name="Warungin POS")
    assert "HOUR 15 (23:00-00:00):" in text
    assert "HOUR 16 (00:00-01:00 next day):" in text


def test_every_status_is_explained() -> None:
    assert MEANINGS.keys() == set(HourStatus)
