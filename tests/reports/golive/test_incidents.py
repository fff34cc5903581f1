"""Incidents, flapping and waivers over a watch."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from golive.model import Status, WatchRecord
from reports.golive.views.incidents import Grade, Incident, flapping, incidents, waived
from tests import watchdays as days
from tests.reports.golive.conftest import looked_at
from tests.watchdays import CPU, LOGIN, MEMORY


def only(record: WatchRecord) -> Incident:
    (found,) = incidents(looked_at(record))
    return found


def test_a_clean_day_has_none() -> None:
    assert incidents(looked_at(days.day())) == []


def test_an_incident_tells_when_it_was_seen_and_when_it_healed() -> None:
    record = days.with_outcome(days.day(), "6h", CPU, Status.FAIL, "91 %")
    record = days.with_outcome(record, "8h", CPU, Status.FAIL, "95 %")
    found = only(record)
    assert (found.subject, found.message, found.times) == (CPU, "95 %", 2)
    assert found.checkpoints == ("6 h", "8 h")
    assert found.first_at == days.at_hour(record, 6) + timedelta(minutes=1)
    assert found.last_at == days.at_hour(record, 8) + timedelta(minutes=1)
    assert (found.healed_at, found.healed_in) == (days.at_hour(record, 10) + timedelta(minutes=1), "10 h")


@pytest.mark.parametrize(
    ("criterion", "label", "status", "grade"),
    [
        (LOGIN, "6h", Status.FAIL, Grade.CRITICAL),
        (LOGIN, "24h", Status.UNKNOWN, Grade.CRITICAL),
        (LOGIN, "6h", Status.UNKNOWN, Grade.RESOLVED),
        (CPU, "6h", Status.FAIL, Grade.RESOLVED),
        (CPU, "24h", Status.FAIL, Grade.OPEN),
        (CPU, "24h", Status.UNKNOWN, Grade.OPEN),
    ],
)
def test_it_is_classed_by_severity_and_by_whether_it_healed(
    criterion: str, label: str, status: Status, grade: Grade
) -> None:
    assert only(days.with_outcome(days.day(), label, criterion, status)).grade is grade


def test_a_failure_weighs_more_than_a_later_unknown() -> None:
    record = days.with_outcome(days.day(), "6h", CPU, Status.FAIL, "91 %")
    found = only(days.with_outcome(record, "8h", CPU, Status.UNKNOWN, "no route"))
    assert (found.status, found.message, found.checkpoints) == (Status.FAIL, "91 %", ("6 h", "8 h"))


def test_it_can_come_back() -> None:
    record = days.with_outcome(days.day(), "6h", CPU, Status.FAIL)
    found = only(days.with_outcome(record, "24h", CPU, Status.FAIL))
    assert found.healed_at is None


def test_other_runs_count_as_well() -> None:
    record = days.day(until="2h")
    failed = days.outcome(record.criteria[0], days.at_hour(record, 1.5), Status.FAIL)
    extra = replace(days.extra_run(record, 1.5, failed), checkpoint="extra")
    assert only(days.with_run(record, extra)).checkpoints == ("another run",)


def test_the_gravest_comes_first() -> None:
    record = days.with_outcome(days.day(), "2h", CPU, Status.FAIL)
    record = days.with_outcome(record, "24h", MEMORY, Status.FAIL)
    record = days.with_outcome(record, "10h", LOGIN, Status.FAIL)
    assert [i.subject for i in incidents(looked_at(record))] == [LOGIN, MEMORY, CPU]


def test_what_only_looks_back_comes_after_its_causes() -> None:
    record = days.with_outcome(days.day(), "24h", days.GOAL, Status.FAIL)
    record = days.with_outcome(record, "24h", LOGIN, Status.FAIL)
    assert [i.subject for i in incidents(looked_at(record))] == [LOGIN, days.GOAL]


def test_what_waits_for_a_person_is_no_incident() -> None:
    assert any(o.status is Status.UNKNOWN for o in days.day().runs[-1].outcomes)  # signatures, while the run goes on
    assert incidents(looked_at(days.day())) == []


def test_a_pass_on_retry_is_told() -> None:
    (found,) = flapping(looked_at(days.on_second_try(days.day(), "3h", LOGIN, "HTTP 502")))
    assert (found.criterion, found.checkpoint, found.earlier[0].message) == (LOGIN, "3 h", "HTTP 502")


def test_waivers_are_listed_with_where_they_were_used() -> None:
    expires = days.at_hour(days.day(), 30)
    record = days.accepted(days.accepted(days.day(), "6h", CPU, expires=expires), "8h", CPU, expires=expires)
    (found,) = waived(looked_at(record))
    assert (found.waiver.approver, found.checkpoints, found.expired) == ("Ann", ("6 h", "8 h"), False)
    gone = replace(record, waivers=())
    (found,) = waived(looked_at(gone, days.at_hour(record, 31)))
    assert found.expired
