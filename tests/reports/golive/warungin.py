"""A day of Warungin as it might have gone: measured values at every checkpoint, and what went wrong in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from golive.model import (
    Attestation,
    Criterion,
    Evidence,
    Measurement,
    Note,
    Outcome,
    RunRecord,
    Severity,
    Status,
    Waiver,
    WatchRecord,
    When,
)
from tests import watchdays as days

ALWAYS = (When.CHECKPOINT, When.GOLIVE)
EVERYWHERE = (When.SMOKE, *ALWAYS)
FINAL = (When.GOLIVE,)
CONTACTS = (
    ("QA Lead", "Ratna Wijaya", "+62 21 555 0101", "qa@warungin.example"),
    ("Security Lead", "Budi Santoso", "+62 21 555 0102", "security@warungin.example"),
    ("Tech Lead", "Sari Hartono", "+62 21 555 0103", "tech@warungin.example"),
    ("Product Manager", "Dewi Lestari", "+62 21 555 0104", "product@warungin.example"),
)
RECORDED = (
    "health.cpu",
    "health.memory",
    "health.disk",
    "performance.response-time",
    "performance.page-load",
    "performance.db-query-time",
    "performance.api-latency",
)
"""What the record of a checkpoint asks for."""
SLOW = "daily totals: 812 ms, below 500 ms needed"
EXITED = "running: 7 of 8 services, at least 8 needed: worker is exited (137)"
FATAL = "critical: 2 lines, at most 0 needed (the last: [worker] FATAL out of memory)"
Curve = Callable[[float], float]
Described = tuple[Criterion, tuple["Gauge", ...]]


@dataclass(frozen=True)
class Gauge:
    """What a criterion measures: a curve over the hours, with its limits."""

    name: str
    unit: str
    curve: Curve
    warning: float | None = None
    critical: float | None = None
    better: Literal["lower", "higher"] = "lower"
    inclusive: bool = False
    samples: int | None = None

    def at(self, hour: float) -> Measurement:
        """The measurement at an hour of the watch."""
        return Measurement(
            name=self.name,
            value=round(self.curve(hour), 4),
            unit=self.unit,
            warning=self.warning,
            critical=self.critical,
            better=self.better,
            inclusive=self.inclusive,
            samples=self.samples,
        )


def wave(base: float, swing: float, *, turn: float = 0.0) -> Curve:
    """Daily ups and downs with a little unrest."""
    return lambda h: base + swing * (math.sin((h + turn) / 24 * 2 * math.pi) + 0.35 * math.sin(h * 2.3 + turn))


def flat(value: float) -> Curve:
    """The same at every hour."""
    return lambda h: value


def line(start: float, per_hour: float) -> Curve:
    """A steady rise with a little unrest."""
    return lambda h: start + per_hour * h + 0.4 * math.sin(3 * h)


def none(name: str, unit: str = "lines") -> Gauge:
    """A count of faults, of which there are none."""
    return Gauge(name, unit, flat(0), critical=0, inclusive=True)


def _c(name: str, says: str, check: str, severity: str, *gauges: Gauge, **said: Any) -> Described:
    made = days.criterion(f"warungin.{name}", check, when=said.pop("when", ALWAYS), severity=Severity(severity), **said)
    return replace(made, says=says), gauges


TABLE = (
    _c("health.services-running", "All 8 services are running", "services/running", "critical",
       Gauge("running", "of 8 services", flat(8), critical=8, better="higher"),
       when=EVERYWHERE, params={"services": "all"}),
    _c("health.cpu", "CPU use stays below 80 %", "hosts/cpu", "high",
       Gauge("cpu", "%", wave(38, 17, turn=-4), warning=70, critical=80)),
    _c("health.memory", "Memory use stays below 80 %", "hosts/memory", "high",
       Gauge("memory", "%", line(41, 1.35), warning=70, critical=80)),
    _c("health.disk[space]", "Disk use of / and /home stays below 90 %", "hosts/disk", "high",
       Gauge("disk /", "%", line(61, 0.21), critical=90), Gauge("disk /home", "%", line(38, 0.05), critical=90)),
    _c("health.no-restarts", "No service has restarted since the deployment", "services/no_restarts", "critical",
       none("restarted", "of 8 services")),
    _c("health.network-stable[connections]", "Every connection opens", "hosts/network", "high",
       none("failed to api", "of 30 connections"),
       Gauge("jitter to api", "ms", wave(3.1, 1.9), critical=50, samples=30)),
    _c("health.service-uptime", "Every service has been up for the whole 24 hours", "services/uptime", "critical",
       when=FINAL),
    _c("database.responding[postgres]", "PostgreSQL answers queries", "database/answers", "critical",
       Gauge("answer", "ms", wave(7.4, 3.1), critical=1000), when=EVERYWHERE),
    _c("database.responding[redis]", "Redis answers", "cache/answers", "critical",
       Gauge("answer", "ms", wave(0.21, 0.08), critical=100), when=EVERYWHERE),
    _c("database.no-locks", "No session waits for a lock, and there was no deadlock", "database/locks", "high",
       none("deadlocks", "deadlocks"), Gauge("longest wait for a lock", "s", wave(0.4, 0.3), critical=5)),
    _c("database.connection-pool[used]", "Connections are not used up", "database/connections", "high",
       Gauge("connections in use", "%", wave(34, 16, turn=-5), critical=80)),
    _c("database.backup-running[recent]", "The newest backup is recent", "database/backup_recent", "high",
       Gauge("age of the newest backup", "h", lambda h: (h + 2.5) % 6, critical=7)),
    _c("database.backup-running[size]", "The newest backup is not shrunken", "database/backup_size", "high",
       Gauge("shrunk", "%", flat(4), critical=10)),
    _c("security.2fa-enforced", "A login without the second factor is refused", "http/second_factor", "critical",
       when=EVERYWHERE),
    _c("security.store-authorization", "Another store's data is refused with 403", "http/forbidden", "critical",
       when=EVERYWHERE),
    _c("security.session-timeout[idle]", "An idle session ends", "http/session_expiry", "critical"),
    _c("security.token-validation[forged]", "Tokens that are invalid are refused", "http/token_validation", "critical",
       when=EVERYWHERE),
    _c("security.no-unauthorized-attempts", "Nobody but our own probes was refused access", "logs/refused_access",
       "high", none("foreign refusals", "refusals")),
    _c("security.active-sessions", "The number of active sessions is recorded", "cache/sessions", "medium",
       Gauge("active sessions", "sessions", wave(146, 38, turn=-4), critical=1, better="higher")),
    _c("functionality.api-health", "The API reports itself and its parts healthy", "http/health", "critical",
       Gauge("answered in", "ms", wave(6, 2)), when=EVERYWHERE),
    _c("functionality.frontend-loads", "The front end loads with everything that it refers to", "http/page", "critical",
       when=EVERYWHERE),
    _c("functionality.login", "A user can log in", "http/login", "critical",
       Gauge("login", "ms", wave(88, 31)), when=EVERYWHERE),
    _c("functionality.reports", "A sales report is made, and its total is right", "http/report_total", "high"),
    _c("functionality.user-facing-features", "A cashier can sell, print a receipt and see the sale", "http/journey",
       "critical", Gauge("journey", "ms", wave(420, 140)), when=EVERYWHERE),
    _c("performance.response-time", "95 % of business requests are answered within 1000 ms", "http/latency", "high",
       Gauge("p95 of total", "ms", wave(520, 290, turn=-4), critical=1000, samples=40),
       Gauge("total p50", "ms", wave(180, 60), samples=40), Gauge("total p99", "ms", wave(760, 260), samples=40)),
    _c("performance.page-load", "The front page loads within 3000 ms", "http/page_load", "high",
       Gauge("page load", "ms", wave(1240, 380), critical=3000, samples=3)),
    _c("performance.db-query-time", "Queries take less than 500 ms in the database", "database/query_time", "high",
       Gauge("daily totals", "ms", wave(210, 90, turn=-4), critical=500, samples=3),
       Gauge("latest orders", "ms", wave(14, 5), critical=500, samples=3)),
    _c("performance.api-latency", "The API's first byte comes within 200 ms", "http/latency", "high",
       Gauge("p95 of first byte", "ms", wave(112, 44, turn=-4), critical=200, samples=40)),
    _c("logging.no-critical", "No critical or fatal line was logged since the last look", "logs/no_critical",
       "critical", none("critical lines"), params={"since": "last_look"}),
    _c("logging.no-critical-24h[lines]", "No critical or fatal line was logged since the deployment",
       "logs/no_critical", "critical", none("critical lines"), params={"since": "deployment"}),
    _c("logging.warning-count", "The number of warnings is normal", "logs/warning_rate", "medium",
       Gauge("warnings", "per min", wave(2.2, 1.6), critical=10)),
    _c("logging.loki", "The log collector takes in what is written", "logs/aggregated", "high",
       Gauge("delay", "s", wave(1.1, 0.6), critical=60)),
    _c("schedule.early-check-15min", "A first look happens 15 minutes after the deployment", "http/health", "medium",
       when=(When.SMOKE,)),
    _c("checkpoint.measured-values", "CPU, memory, disk and the four times are measured", "history/measured", "medium",
       params={"criteria": [f"warungin.{name}" for name in RECORDED]}),
    _c("verdict.approved", "Go-live is approved only when every verdict holds", "history/approved", "critical",
       when=FINAL),
    _c("infra.kubernetes", "Pods restart less than once an hour", "people/not_applicable", "low",
       answer="not_applicable"),
)  # fmt: skip
GAUGES = {criterion.id: gauges for criterion, gauges in TABLE}
CRITERIA = (
    *(criterion for criterion, _ in TABLE),
    days.criterion("warungin.signoff.results-block", None, when=FINAL, answer="feature"),
    days.attested("warungin.signoff.qa-lead", "QA Lead", signed=True),
    replace(days.attested("warungin.material.rollback-rehearsed", "DevOps"), says="The rollback was rehearsed"),
)


def clean(until: str | None = None, **said: Any) -> WatchRecord:
    """A day on which everything was measured and all was well."""
    record = days.day(until=until, criteria=CRITERIA, environment="prod", **said)
    watch = days.the_watch(record)
    return replace(
        record,
        runs=tuple(measured(run, watch.offset_s(run.started_at) / days.HOUR_S) for run in record.runs),
        attestations=(
            Attestation(
                criterion="warungin.material.rollback-rehearsed",
                by="Agus Pratama",
                role="DevOps",
                at=days.START - timedelta(hours=2),
                note="in staging, took 11 minutes",
            ),
        ),
    )


def troubled() -> WatchRecord:
    """A day that ends in NO-GO, with a bit of everything."""
    record = clean(signed_by=())
    record = failing(record, "6h", "performance.db-query-time", "daily totals", 812.0, SLOW)
    record = failing(record, "16h", "health.services-running", "running", 7.0, EXITED)
    record = failing(record, "16h", "logging.no-critical", "critical lines", 2.0, FATAL)
    record = unseen(record, "20h", "logging.loki", "collector at 10.0.3.7:3100: connection refused")
    record = days.on_second_try(record, "3h", "warungin.functionality.login", "POST /api/auth/login answered 502")
    record = changed(
        record, "24h", "health.memory", status=Status.WARN, message="memory of host app: 73.9 %, below 70 % wanted"
    )
    record = days.aborted(record, "10h", because="SIGTERM was received", after_outcomes=9)
    again = days.checkpoint_run(days.the_watch(record), days.slot_named(record, "10h"), record.criteria, minutes=9)
    record = days.with_run(record, measured(again, 10.15))
    record = waived(days.without_run(record, "8h"))
    record = probed(record)
    record = days.with_signatures(record, ("QA Lead", "Tech Lead"))
    return replace(
        record,
        notes=(
            Note(
                at=days.at_hour(record, 6.4),
                by="Sari Hartono",
                text="Added the missing index on orders(store_id, created_at), then looked again: 180 ms.",
                checkpoint="6h",
                criterion="warungin.performance.db-query-time",
            ),
            Note(
                at=days.at_hour(record, 16.3),
                by="Agus Pratama",
                text="Worker was killed for want of memory; restarted it with 1 GB. Its cause is not found yet.",
                checkpoint="16h",
            ),
        ),
    )


def measured(run: RunRecord, hour: float) -> RunRecord:
    """The run with everything measured as it is at that hour."""
    return replace(run, outcomes=tuple(_filled(outcome, hour) for outcome in run.outcomes))


def changed(record: WatchRecord, label: str, criterion: str, **changes: Any) -> WatchRecord:
    """With other fields of one criterion's outcome at one checkpoint; `criterion` without the system."""
    name = f"warungin.{criterion}"

    def altered(run: RunRecord) -> RunRecord:
        return replace(run, outcomes=tuple(replace(o, **changes) if o.criterion == name else o for o in run.outcomes))

    return replace(record, runs=tuple(altered(run) if run.checkpoint == label else run for run in record.runs))


def failing(record: WatchRecord, label: str, criterion: str, name: str, value: float, message: str) -> WatchRecord:
    """With one measurement beyond its limit at one checkpoint."""
    run = next(run for run in record.runs if run.checkpoint == label)
    outcome = next(o for o in run.outcomes if o.criterion == f"warungin.{criterion}")
    values = tuple(replace(m, value=value) if m.name == name else m for m in outcome.measurements)
    assert values != outcome.measurements, f"{criterion} measures no {name}"
    return changed(record, label, criterion, status=Status.FAIL, message=message, measurements=values)


def unseen(record: WatchRecord, label: str, criterion: str, message: str) -> WatchRecord:
    """With one criterion that could not be looked at, at one checkpoint."""
    return changed(record, label, criterion, status=Status.UNKNOWN, message=message, measurements=())


def waived(record: WatchRecord) -> WatchRecord:
    """The backup has shrunk, and that was accepted."""
    waiver = Waiver(
        criterion="warungin.database.backup-running[size]",
        reason="Old test stores were purged before the release",
        approver="Rina Wijaya",
        risk="A truncated dump would be noticed a day late",
        expires=days.START + timedelta(days=5),
        at_most=20.0,
    )
    shrunk = (Gauge("shrunk", "%", flat(14), critical=10).at(0),)
    told = "waived: shrunk 14 %, below 10 % needed"
    for label in {run.checkpoint or "" for run in record.runs}:
        record = changed(
            record, label, "database.backup-running[size]",
            status=Status.WAIVED, waiver=waiver, message=told, measurements=shrunk,
        )  # fmt: skip
    return replace(record, waivers=(waiver,))


def probed(record: WatchRecord) -> WatchRecord:
    """The front end was down for three minutes in hour 14, and the API was not seen for a minute in hour 8."""
    begin, end = record.probes[0].first_at, record.probes[0].last_at

    def at(hours: float, seconds: float = 0.0) -> datetime:
        return days.at_hour(record, hours) + timedelta(seconds=seconds)

    return replace(
        record,
        probes=(
            days.up("api", begin, at(7.2)),
            days.up("api", at(7.2, 66), end),
            days.up("web", begin, at(13.42, -5)),
            days.down("web", at(13.42), at(13.42, 190), "GET /index.html answered 502"),
            days.up("web", at(13.42, 195), end),
        ),
    )


def _filled(outcome: Outcome, hour: float) -> Outcome:
    gauges = GAUGES.get(outcome.criterion, ())
    measurements = tuple(gauge.at(hour) for gauge in gauges)
    if not measurements:
        return outcome
    first = measurements[0]
    return replace(
        outcome,
        measurements=measurements,
        message=f"{first.name}: {first.value:g} {first.unit}",
        evidence=(Evidence(title="as read", text=f"{first.name} {first.value} {first.unit}"),),
    )
