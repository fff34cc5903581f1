"""The verdict over a watch as an in-toto statement of type test-result."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from golive.history.intoto import statement
from golive.judge.verdict import decide
from golive.model import Status, WatchRecord
from tests import watchdays
from tests.watchdays import CPU, LOGIN, QA_SIGNS, after, at_hour, day, with_outcome

DIGEST = "ab" * 32


def told(record: WatchRecord, now: datetime | None = None) -> dict[str, Any]:
    verdict = decide(record, now=now or after(record))
    made = statement(record, verdict, manifest_digest=DIGEST)
    return dict(json.loads(json.dumps(made)))


def test_a_clean_signed_day_passed() -> None:
    made = told(day())
    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    predicate = made["predicate"]
    assert predicate["result"] == "PASSED"
    assert predicate["failedTests"] == predicate["warnedTests"] == []
    assert {CPU, LOGIN, QA_SIGNS, watchdays.AFFIRMED, watchdays.PROOF, watchdays.TILL} <= set(predicate["passedTests"])
    assert watchdays.APPROVED not in predicate["passedTests"], "the verdict itself is the result"
    assert watchdays.USERS_TOLD not in predicate["passedTests"], "what comes after go-live is not judged"


def test_subjects_are_the_digests_that_were_found_deployed() -> None:
    assert told(day())["subject"] == [
        {"name": "all/api image", "digest": {"sha256": "1a2b" * 16}},
        {"name": "all/worker image", "digest": {"sha256": "3c4d" * 16}},
        {"name": "configuration", "digest": {"sha256": "5e6f" * 16}},
    ]
    other = watchdays.with_watch(day(), target={"all/api image": "sha512:" + "1a" * 64, "count": "2", "odd": "a" * 65})
    assert told(other)["subject"] == [{"name": "all/api image", "digest": {"sha512": "1a" * 64}}]


def test_without_any_digest_the_manifest_is_the_subject() -> None:
    unread = watchdays.with_watch(day(), target={"all/api replicas": "2"})
    assert told(unread)["subject"] == [{"name": "manifest.json", "digest": {"sha256": DIGEST}}]


def test_configuration_names_criteria_and_watch_by_digest() -> None:
    criteria, watch = told(day())["predicate"]["configuration"]
    assert criteria == {"name": "criteria of warungin", "digest": {"sha256": watchdays.DIGEST}}
    assert watch["annotations"] == {
        "environment": "demo", "version": "2.4.1", "verdict": "GO", "trial": False, "overridden": False,
    }  # fmt: skip
    assert len(watch["digest"]["sha256"]) == 64


def test_one_failure_at_any_checkpoint_fails_its_criterion() -> None:
    predicate = told(with_outcome(day(), "6h", CPU, Status.FAIL, "91 %"))["predicate"]
    assert (predicate["result"], predicate["failedTests"]) == ("FAILED", [CPU])


def test_waived_and_warning_criteria_are_warned() -> None:
    record = watchdays.accepted(day(), "6h", CPU, expires=at_hour(day(), 48))
    record = with_outcome(record, "8h", LOGIN, Status.WARN, "slow")
    predicate = told(record)["predicate"]
    assert (predicate["result"], predicate["warnedTests"]) == ("WARNED", [LOGIN, CPU])


def test_what_waits_for_a_person_failed() -> None:
    predicate = told(day(signed_by=()))["predicate"]
    assert (predicate["result"], predicate["failedTests"]) == ("FAILED", [QA_SIGNS])
    expired = told(day(), now=at_hour(day(), 24 * 7))["predicate"]
    assert watchdays.AFFIRMED in expired["failedTests"]


def test_an_override_stays_failed() -> None:
    record = watchdays.with_override(with_outcome(day(), "6h", CPU, Status.FAIL, "91 %"))
    predicate = told(record)["predicate"]
    assert predicate["configuration"][1]["annotations"]["verdict"] == "GO"
    assert predicate["configuration"][1]["annotations"]["overridden"] is True
    assert (predicate["result"], predicate["failedTests"]) == ("FAILED", [CPU])


def test_a_trial_never_passes_without_a_warning() -> None:
    record = day(time_scale=240.0)
    predicate = told(record, now=after(record) + timedelta(seconds=1))["predicate"]
    assert predicate["configuration"][1]["annotations"]["trial"] is True
    assert predicate["result"] == "WARNED"


def test_a_criterion_that_nobody_judged_failed() -> None:
    record = replace(day(), criteria=(*watchdays.CRITERIA, watchdays.criterion("warungin.health.never")))
    assert "warungin.health.never" in told(record)["predicate"]["failedTests"]


def test_without_a_watch_there_is_no_statement() -> None:
    record = replace(day(), watch=None)
    with pytest.raises(ValueError, match="there is no watch"):
        statement(record, decide(record, now=watchdays.START), manifest_digest=DIGEST)
