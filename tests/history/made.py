"""Records for the tests of the history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from golive.model import Deployment, Measurement, Outcome, RunRecord, Severity, Slot, Status, Watch, When

AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def measured(value: float, name: str = "cpu", **more: Any) -> Measurement:
    return Measurement(**{"name": name, "value": value, "unit": "%", "critical": 80.0, **more})


def outcome(criterion: str = "shop.a.b", *values: float, at: datetime = AT, **more: Any) -> Outcome:
    given = {
        "status": Status.PASS, "severity": Severity.HIGH, "message": "it holds", "says": "It holds", "started_at": at,
        "measurements": tuple(measured(value) for value in values), **more,
    }  # fmt: skip
    return Outcome(criterion=criterion, **given)


def run(name: str = "r1", at: datetime = AT, **more: Any) -> RunRecord:
    return RunRecord(**{"run": name, "environment": "prod", "system": "shop", "started_at": at, **more})


def watch(name: str = "w1", at: datetime = AT, **more: Any) -> Watch:
    given = {
        "environment": "prod", "system": "shop", "deployment": Deployment(version="1", deployed_at=AT),
        "starts_at": at, "opened_at": at, "tolerance_s": 900.0,
        "schedule": (
            Slot(label="15min", offset_s=900.0, occasions=(When.SMOKE,)),
            Slot(label="24h", offset_s=86400.0, occasions=(When.CHECKPOINT, When.GOLIVE)),
        ), **more,
    }  # fmt: skip
    return Watch(id=name, **given)
