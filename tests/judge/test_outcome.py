"""Waivers cover what was accepted and nothing else; no data is never a pass unless the criterion says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from golive.judge.outcome import Finding, conclude
from golive.model import Criterion, Measurement, Place, Severity, Status, Waiver, When

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def criterion(**changes: object) -> Criterion:
    values = {
        "id": "shop.health.disk[/home]", "says": "disk", "severity": Severity.HIGH, "when": (When.CHECKPOINT,),
        "answer": "check", "place": Place(file="x"), "check": "hosts/disk",
    }  # fmt: skip
    return Criterion(**{**values, **changes})  # type: ignore[arg-type]


def waiver(**changes: object) -> Waiver:
    values = {"criterion": "shop.health.disk", "reason": "new disk on Monday", "approver": "Ann", "risk": "low"}
    return Waiver(**{**values, "expires": NOW + timedelta(days=1), **changes})  # type: ignore[arg-type]


FAILED = Finding(
    status=Status.FAIL,
    message="/home: 93 %, below 90 % needed",
    measurements=(Measurement(name="/home", value=93, unit="%", critical=90),),
)


def test_failure_inside_the_range_is_waived_and_says_by_whom() -> None:
    status, message, used = conclude(criterion(), FAILED, [waiver(at_most=95)], now=NOW)
    assert (status, used) == (Status.WAIVED, waiver(at_most=95))
    assert (
        message == "waived until 2026-05-02T00:00:00.000Z by Ann (new disk on Monday): /home: 93 %, below 90 % needed"
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"at_most": 92}, "outside the waiver by Ann (at most 92): 93 %, below 90 % needed"),
        ({"at_least": 94}, "outside the waiver by Ann (at least 94)"),
        ({"expires": NOW}, "the waiver by Ann expired 2026-05-01T00:00:00.000Z"),
        ({"expires": NOW - timedelta(days=1)}, "the waiver by Ann expired"),
    ],
)
def test_failure_outside_the_range_or_after_expiry_stays_a_failure(change: dict[str, object], why: str) -> None:
    status, message, used = conclude(criterion(), FAILED, [waiver(**change)], now=NOW)
    assert (status, used) == (Status.FAIL, None)
    assert why in message


def test_range_without_a_measured_value_covers_nothing() -> None:
    finding = Finding(status=Status.FAIL, message="broken")
    status, message, _ = conclude(criterion(), finding, [waiver(at_most=95)], now=NOW)
    assert status is Status.FAIL
    assert "holds for a range of values, and none was measured" in message


def test_every_failing_value_must_be_inside_the_range() -> None:
    both = (*FAILED.measurements, Measurement(name="/var", value=99, unit="%", critical=90))
    finding = Finding(status=Status.FAIL, message="disks", measurements=both)
    assert conclude(criterion(), finding, [waiver(at_most=95)], now=NOW)[0] is Status.FAIL


def test_waiver_of_another_criterion_does_not_count() -> None:
    assert conclude(criterion(), FAILED, [waiver(criterion="shop.health.cpu")], now=NOW)[0] is Status.FAIL


def test_unknown_cannot_be_waived() -> None:
    finding = Finding(status=Status.UNKNOWN, message="host app: refused")
    assert conclude(criterion(), finding, [waiver()], now=NOW)[0] is Status.UNKNOWN


@pytest.mark.parametrize(
    ("no_data", "expected"), [("unknown", Status.UNKNOWN), ("fail", Status.FAIL), ("pass", Status.PASS)]
)
def test_criterion_says_what_no_data_means(no_data: str, expected: Status) -> None:
    finding = Finding(status=Status.UNKNOWN, message="no series")
    status, message, _ = conclude(criterion(no_data=Status(no_data)), finding, [], now=NOW)
    assert status is expected
    assert "no series" in message


@pytest.mark.parametrize(
    ("check", "expected"), [("people/attested", Status.ATTESTED), ("people/not_applicable", Status.NOT_APPLICABLE)]
)
def test_people_checks_have_outcomes_of_their_own(check: str, expected: Status) -> None:
    finding = Finding(status=Status.PASS, message="said")
    assert conclude(criterion(check=check), finding, [], now=NOW)[0] is expected
