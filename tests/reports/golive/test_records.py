"""The record of each checkpoint: times, counts, measured values, issues, and whether the next may come."""

from __future__ import annotations

from datetime import timedelta

import pytest

from golive.model import Status, WatchRecord
from reports.golive.views import readings
from reports.golive.views.records import CheckpointRecord
from tests import watchdays as days
from tests.reports.golive import warungin
from tests.reports.golive.conftest import looked_at, seen
from tests.watchdays import CPU, LOGIN


def records(record: WatchRecord) -> dict[str, CheckpointRecord]:
    return {told.checkpoint.label: told for told in seen(record)[1].records}


def test_a_record_has_its_number_its_times_and_its_counts() -> None:
    told = records(warungin.clean())["4h"]
    assert (told.checkpoint.number, told.of) == (5, 12)
    due = days.START + timedelta(hours=4)
    assert (told.checkpoint.due_at, told.checkpoint.begun_at) == (due, due + timedelta(minutes=1))
    assert told.checkpoint.ended_at == due + timedelta(minutes=3)
    assert (told.counts[Status.PASS], told.counts[Status.NOT_APPLICABLE]) == (32, 1)
    assert (told.ready, told.issue_class) == (True, "none")


def test_the_values_that_the_environment_asks_for_are_filled_in() -> None:
    told = records(warungin.clean())["4h"]
    assert [value.label for value in told.values] == [
        "CPU",
        "memory",
        "disk (space)",
        "response time",
        "page load",
        "DB query time",
        "API latency",
    ]
    assert all(value.measurement is not None for value in told.values)
    by_label = {value.label: value.measurement for value in told.values}
    disk, query = by_label["disk (space)"], by_label["DB query time"]
    assert disk is not None
    assert query is not None
    assert (disk.name, query.name) == ("disk /", "daily totals")  # the one nearest to its limit


def test_a_value_that_was_not_measured_is_left_blank_and_never_invented() -> None:
    told = records(warungin.unseen(warungin.clean(), "4h", "health.cpu", "ssh: connection refused"))["4h"]
    cpu = next(value for value in told.values if value.label == "CPU")
    assert (cpu.measurement, cpu.status) == (None, Status.UNKNOWN)


def test_a_checkpoint_shows_only_the_values_that_were_due_there() -> None:
    assert records(warungin.clean())["15min"].values == ()


def test_without_a_list_the_usual_values_are_shown() -> None:
    criteria = [c for c in warungin.CRITERIA if c.check != "history/measured"]
    assert readings.recorded(criteria) == [
        "warungin.health.cpu",
        "warungin.health.memory",
        "warungin.health.disk[space]",
        "warungin.performance.api-latency",
        "warungin.performance.response-time",
        "warungin.performance.page-load",
        "warungin.performance.db-query-time",
    ]


@pytest.mark.parametrize(
    ("record", "issues", "why"),
    [
        (days.with_outcome(days.day(), "6h", LOGIN, Status.FAIL), "critical", ("1 criterion failed",)),
        (days.with_outcome(days.day(), "6h", LOGIN, Status.UNKNOWN), "critical", ("1 criterion is unknown",)),
        (days.with_outcome(days.day(), "6h", CPU, Status.FAIL), "minor", ("1 criterion failed",)),
        (days.with_outcome(days.day(), "6h", CPU, Status.WARN), "none", ()),
        (days.without_run(days.day(), "6h"), "not known", ("the checkpoint is missed",)),
        (days.without_outcome(days.day(), "6h", CPU), "not known", ("the checkpoint is partial",)),
    ],
    ids=["critical", "unknown", "minor", "warn", "missed", "partial"],
)
def test_whether_the_next_may_come(record: WatchRecord, issues: str, why: tuple[str, ...]) -> None:
    told = records(record)["6h"]
    assert told.issue_class == issues
    assert told.why_not_ready == why
    assert told.ready is (not why)


def test_a_checkpoint_to_come_is_neither_ready_nor_not() -> None:
    assert records(days.day(until="6h"))["8h"].ready is None


def test_that_an_issue_healed_is_taken_from_the_records() -> None:
    told = records(days.with_outcome(days.day(), "6h", CPU, Status.FAIL))["6h"]
    assert told.followed_up == (f"{CPU} held again at 8 h",)
    open_still = records(days.with_outcome(days.day(), "24h", CPU, Status.FAIL))["24h"]
    assert open_still.followed_up == ()


def test_services_of_several_sets_are_added_and_the_worst_look_at_each_counts() -> None:
    day = looked_at(warungin.clean())
    outcomes = day.checkpoints[3].outcomes
    assert str(readings.services(day, outcomes)) == "8/8 UP"
    assert readings.services(looked_at(days.day()), looked_at(days.day()).checkpoints[3].outcomes) is None


@pytest.mark.parametrize(
    ("criterion", "label"),
    [
        ("warungin.health.cpu", "CPU"),
        ("warungin.performance.api-latency", "API latency"),
        ("shop.disk_use[/home]", "disk use (/home)"),
        ("alone", "alone"),
    ],
)
def test_labels_are_short_and_for_people(criterion: str, label: str) -> None:
    assert readings.label_of(criterion) == label
