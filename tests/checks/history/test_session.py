"""The criteria about the watch in real pytest sessions, alone and spread over processes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.model import utc_text
from tests.sessions import Data, Shop

JUDGED: dict[str, Data] = {
    "verdict.approved": {"check": "history/approved", "when": ["golive"]},
    "record.ready": {"check": "history/ready", "when": ["checkpoint"]},
    "verdict.stable": {"check": "history/clean", "until": "1 h", "when": ["checkpoint"]},
    "schedule.all": {"check": "history/scheduled", "when": ["checkpoint"]},
    "schedule.day": {"check": "history/scheduled", "complete": True, "when": ["golive"]},
    "record.begin": {"check": "history/recorded", "of": "beginning", "when": ["checkpoint"]},
    "files.there": {"check": "hosts/file", "path": "/etc/passwd"},
}
CRITERIA = [{"id": f"shop.{name}", "says": "It holds", "severity": "low", **keys} for name, keys in JUDGED.items()]
BOTH = ("-m", "checkpoint or golive")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    deployed = utc_text(datetime.now(UTC) - timedelta(minutes=5))
    watch = {"schedule": ["1 h", "2 h golive"]}
    made.write(CRITERIA, deployment={"version": "1", "deployed_at": deployed}, watch=watch)
    return made


@pytest.mark.parametrize("spread", [(), ("-n", "2")])
def test_a_young_watch_is_open_and_nothing_of_it_has_failed(shop: Shop, spread: tuple[str, ...]) -> None:
    ran = shop.run(*BOTH, *spread)
    assert ran.statuses == {
        "shop.files.there": "pass",
        "shop.record.begin": "pass",
        "shop.record.ready": "unknown",
        "shop.schedule.all": "not_applicable",
        "shop.schedule.day": "unknown",
        "shop.verdict.stable": "not_applicable",
        "shop.verdict.approved": "unknown",
    }
    assert ran.message("shop.record.ready") == "one criterion is unknown: shop.schedule.day"
    assert ran.message("shop.schedule.day").startswith("1h is due at ")
    assert "checkpoint 1h is due at " in ran.message("shop.verdict.approved")
    assert "PENDING" in ran.out
    assert ran.code == 1


def test_the_verdict_is_judged_after_everything_else(shop: Shop) -> None:
    judged = [outcome["criterion"] for outcome in shop.run(*BOTH).journal]
    assert judged[-3:] == ["shop.verdict.stable", "shop.record.ready", "shop.verdict.approved"]


def test_a_watch_that_nobody_kept_fails_by_name(shop: Shop) -> None:
    deployed = utc_text(datetime.now(UTC) - timedelta(hours=5))
    shop.write(CRITERIA, deployment={"deployed_at": deployed}, watch={"schedule": ["1 h", "2 h golive"]})
    ran = shop.run(*BOTH)
    assert ran.statuses["shop.schedule.all"] == "fail"
    assert ran.message("shop.schedule.all").startswith("1h was missed: no run began from ")
    assert ran.statuses["shop.verdict.approved"] == "fail"
    assert "checkpoints 1h and 2h were missed" in ran.message("shop.verdict.approved")
    assert "NO-GO" in ran.out
