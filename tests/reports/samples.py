"""Outcomes to report on: one of each kind, and as many as one likes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from golive.model import Evidence, Measurement, Outcome, Severity, Status, Waiver
from tests.reports.emulation import STARTED

RUNBOOK = {
    "claim": "The claim of the check.",
    "why": "A host without headroom turns a traffic peak into an outage.",
    "when_it_fails": "Find the process with `top`, e.g. by CPU time. Then compare with the last checkpoint.",
}


def outcome(criterion: str, status: Status | str = Status.PASS, **further: Any) -> Outcome:
    """An outcome with what is not given filled in."""
    said: dict[str, Any] = {
        "severity": Severity.MEDIUM,
        "message": "as it should be",
        "says": f"The sentence of {criterion}",
        "check": "hosts/cpu",
        "runbook": RUNBOOK,
        "started_at": STARTED,
        "duration_s": 0.0123,
    }
    said |= further
    return Outcome(criterion=criterion, status=Status(status), **{**said, "severity": Severity(said["severity"])})


def cpu(value: float, **further: Any) -> Measurement:
    """A CPU measurement with both limits."""
    return Measurement(**{"name": "cpu", "value": value, "unit": "%", "warning": 70, "critical": 80, **further})


def one_of_each() -> list[Outcome]:
    """The seven outcomes, deliberately not in the order in which they are told."""
    return [
        outcome(
            "warungin.health.cpu",
            measurements=(cpu(12.4),),
            message="app: 12.4 %, below 80 % needed",
            says="CPU use stays below 80 %",
            severity=Severity.HIGH,
        ),
        outcome(
            "warungin.people.trained",
            "attested",
            message="Budi Santoso (Operations Lead) on 2026-11-19: rota walked through",
            says="Operators know the rota",
            check="people/attested",
        ),
        outcome(
            "warungin.health.memory",
            "warn",
            measurements=(cpu(74.2, name="memory"),),
            message="memory: 74.2 %, below 70 % wanted",
            says="Memory use stays below 80 %",
        ),
        outcome(
            "warungin.security.store-authorization",
            "fail",
            severity=Severity.CRITICAL,
            check="http/forbidden",
            says="Another store's data is refused with 403",
            message="GET /api/stores/2/orders answered 200 with orders of store 2, 403 needed",
            evidence=(Evidence(title="GET /api/stores/2/orders", text='HTTP/1.1 200 OK\n\n[{"id": 17, "store": 2}]'),),
        ),
        outcome(
            "warungin.database.blocked",
            "unknown",
            severity=Severity.HIGH,
            check="database/blocked",
            says="No transaction waits for another longer than 5 s",
            message="database main at 127.0.0.1:5432: connection refused",
        ),
        outcome(
            "warungin.backup.size",
            "waived",
            check="database/backup_size",
            says="A backup has not shrunk",
            message="waived until 2026-12-01T00:00:00.000Z by Rina (first week): 41 % smaller, below 10 % needed",
            measurements=(Measurement(name="shrunk", value=41.0, unit="%", critical=10),),
            waiver=Waiver(
                criterion="warungin.backup.size",
                reason="Old test stores were purged",
                approver="Rina Wijaya",
                risk="A truncated dump would be noticed a day late",
                expires=STARTED + timedelta(days=10),
            ),
        ),
        outcome(
            "warungin.infra.kubernetes",
            "not_applicable",
            severity=Severity.LOW,
            check="people/not_applicable",
            says="Pods restart less than once an hour",
            message="runs on compose, there are no pods",
        ),
    ]


def many(number: int) -> list[Outcome]:
    """A checkpoint of `number` criteria, most of which pass."""
    return [*one_of_each(), *(_passing(i) for i in range(number - 7))]


def _passing(i: int) -> Outcome:
    severities = list(Severity)
    return outcome(
        f"warungin.http.latency[endpoint-{i}]",
        says="Answers come within 500 ms at the 95th percentile",
        check="http/latency",
        severity=severities[i % 4],
        message=f"endpoint-{i}: 95th percentile {80 + i} ms, below 500 ms needed",
        measurements=tuple(
            Measurement(name=name, value=value + i, unit="ms", warning=300, critical=500, samples=30)
            for name, value in (("p50", 20.0), ("p95", 80.0), ("p99", 120.0), ("total", 140.0))
        ),
        evidence=(Evidence(title="slowest requests", text="\n".join(f"{i} ms  GET /api/{i}" for i in range(20))),),
    )
