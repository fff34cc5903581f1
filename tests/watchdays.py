"""Whole watches as records, built without a target, a store or a clock: a clean day, and what can spoil it.

`day()` is the record of 24 clean hours with four signatures; `day(until="6h")` is the same watch after hour 6.
What spoils it is a function from record to record, so that they can be combined:

    record = with_outcome(day(until="6h"), "6h", CPU, Status.FAIL, "91 %, below 80 % needed")
    verdict = decide(record, now=after(record))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from golive.environment.params import CheckParams
from golive.environment.sections import AttestedParams
from golive.model import (
    EXTRA,
    Answer,
    Attempt,
    Attestation,
    Criterion,
    Deployment,
    Measurement,
    Outcome,
    Place,
    ProbePolicy,
    ProbeSpan,
    ProbeState,
    RunRecord,
    Severity,
    Signature,
    SignOff,
    Slot,
    Status,
    Waiver,
    Watch,
    WatchRecord,
    When,
)

HOUR_S = 3600.0
START = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
"""Hour 0 of a day: the deployment."""
DIGEST = "c0ffee" * 10 + "c0ff"
TARGET = {
    "all/api image": "sha256:" + "1a2b" * 16,
    "all/worker image": "sha256:" + "3c4d" * 16,
    "all/api replicas": "2",
    "configuration": "5e6f" * 16,
}
ROLES = ("QA Lead", "Security Lead", "Tech Lead", "Product Manager")
PEOPLE = dict(zip(ROLES, ("Ratna Wijaya", "Budi Santoso", "Sari Hartono", "Dewi Lestari"), strict=True))
SCHEDULE = (
    Slot(label="15min", offset_s=900.0, occasions=(When.SMOKE,)),
    *(
        Slot(label=f"{h}h", offset_s=h * HOUR_S, occasions=(When.CHECKPOINT,))
        for h in (1, 2, 3, 4, 6, 8, 10, 12, 16, 20)
    ),
    Slot(label="24h", offset_s=24 * HOUR_S, occasions=(When.CHECKPOINT, When.GOLIVE)),
)
MILESTONES = {"stable": 4 * HOUR_S, "very stable": 12 * HOUR_S}
POLICY = ProbePolicy(endpoints=("api", "web"))

CPU = "warungin.health.cpu"
MEMORY = "warungin.health.memory"
RESTARTS = "warungin.health.no-restarts"
POSTGRES = "warungin.health.services-running[postgres]"
REDIS = "warungin.health.services-running[redis]"
LOGIN = "warungin.functionality.login"
ERRORS = "warungin.logging.errors"
GROWTH = "warungin.performance.memory-growth"
SMOKE = "warungin.schedule.early-check-15min"
GOAL = "warungin.verdict.goal"
APPROVED = "warungin.verdict.approved"
TILL = "warungin.material.till"
PROOF = "warungin.signoff.results-block"
QA_SIGNS = "warungin.signoff.qa-lead"
AFFIRMED = "warungin.material.rollback-rehearsed"
USERS_TOLD = "warungin.after.users-notified"

_ALWAYS = (When.CHECKPOINT, When.GOLIVE)
WATCHED = (When.SMOKE, *_ALWAYS)


def criterion(
    id: str,  # noqa: A002 - the noun's own word
    check: str | None = "hosts/cpu",
    *,
    when: Sequence[When] = _ALWAYS,
    severity: Severity = Severity.HIGH,
    answer: Answer = "check",
    params: Any = None,
) -> Criterion:
    """One criterion, answered by `check` if nothing else is said."""
    item = id.partition("[")[2].removesuffix("]") or None
    return Criterion(
        id=id,
        says=f"{id} holds",
        severity=severity,
        when=tuple(when),
        answer=answer,
        place=Place(file="environments/criteria/warungin/health.yaml", line=1),
        check=check,
        params=params,
        item=item,
    )


def attested(
    id: str,  # noqa: A002
    role: str,
    *,
    signed: bool = False,
    valid_for_s: float = 7 * 86400.0,
    when: Sequence[When] = (When.GOLIVE,),
) -> Criterion:
    """A criterion that the person with `role` answers."""
    params: CheckParams = AttestedParams.model_construct(role=role, valid_for=valid_for_s, signed=signed)
    return criterion(id, "people/attested", when=when, answer="attest", params=params)


CRITERIA = (
    criterion(CPU),
    criterion(MEMORY, "hosts/memory", severity=Severity.MEDIUM),
    criterion(RESTARTS, "services/no_restarts", severity=Severity.CRITICAL),
    criterion(POSTGRES, "services/running", severity=Severity.CRITICAL),
    criterion(REDIS, "services/running", severity=Severity.CRITICAL),
    criterion(LOGIN, "http/login", when=WATCHED, severity=Severity.CRITICAL),
    criterion(ERRORS, "logs/error_count"),
    criterion(SMOKE, "http/health", when=(When.SMOKE,), severity=Severity.MEDIUM),
    criterion(GROWTH, "history/growth", when=(When.GOLIVE,)),
    criterion(GOAL, "history/passed", when=(When.GOLIVE,), severity=Severity.CRITICAL),
    criterion(APPROVED, "history/approved", when=(When.GOLIVE,), severity=Severity.CRITICAL),
    criterion(TILL, "people/not_applicable", answer="not_applicable", severity=Severity.LOW),
    criterion(PROOF, None, when=(When.GOLIVE,), answer="feature"),
    attested(QA_SIGNS, "QA Lead", signed=True),
    attested(AFFIRMED, "DevOps"),
    attested(USERS_TOLD, "Product Manager", when=(When.MAINTENANCE,)),
)
"""A small Warungin: every way to answer a criterion, every occasion of the watch."""


def many(count: int) -> tuple[Criterion, ...]:
    """`count` criteria that every checkpoint judges."""
    return tuple(criterion(f"warungin.health.part-{number}", when=WATCHED) for number in range(count))


# A day


def day(
    *,
    until: str | None = None,
    starts_at: datetime = START,
    time_scale: float = 1.0,
    schedule: Sequence[Slot] = SCHEDULE,
    tolerance_s: float = 900.0,
    environment: str = "demo",
    criteria: Sequence[Criterion] = CRITERIA,
    signed_by: Iterable[str] | None = None,
    roles: Sequence[str] = ROLES,
    policy: ProbePolicy | None = POLICY,
    waivers: Sequence[Waiver] = (),
    milestones: Mapping[str, float] = MILESTONES,
) -> WatchRecord:
    """A clean watch up to and including the checkpoint `until` (all of it without).

    Each checkpoint has one complete run that began a minute of watch time after it was due, and took two. A whole day
    is signed by `signed_by` (all `roles` if None), 7 minutes after the last checkpoint was due.
    """
    watch = Watch(
        id=f"{environment}-{starts_at:%Y%m%dT%H%M%SZ}-abc123",
        environment=environment,
        system="warungin",
        deployment=Deployment(version="2.4.1", deployed_at=starts_at),
        starts_at=starts_at,
        opened_at=starts_at,
        schedule=tuple(schedule),
        tolerance_s=tolerance_s,
        time_scale=time_scale,
        target=dict(TARGET),
        criteria_digest=DIGEST,
    )
    labels = [slot.label for slot in schedule]
    held = schedule if until is None else schedule[: labels.index(until) + 1]
    record = WatchRecord(
        environment=environment,
        system="warungin",
        watch=watch,
        criteria=tuple(criteria),
        criteria_digest=DIGEST,
        runs=tuple(checkpoint_run(watch, slot, criteria) for slot in held),
        waivers=tuple(waivers),
        attestations=(
            Attestation(criterion=AFFIRMED, by="Agus Pratama", role="DevOps", at=starts_at - timedelta(hours=2)),
        ),
        sign_off=SignOff(roles=tuple(roles), quorum=len(roles), override_role="Product Manager"),
        probe_policy=policy,
        milestones=dict(milestones),
    )
    last = watch.moment(held[-1].offset_s + 420.0) if held else starts_at
    record = probed(record, last)
    if until is not None and signed_by is None:
        return record
    return with_signatures(record, roles if signed_by is None else signed_by)


def probed(record: WatchRecord, until: datetime) -> WatchRecord:
    """Every endpoint was up and probed without a gap from hour 0 until then."""
    endpoints = record.probe_policy.endpoints if record.probe_policy else ()
    return replace(record, probes=tuple(up(endpoint, the_watch(record).starts_at, until) for endpoint in endpoints))


def after(record: WatchRecord, *, minutes: float = 7.0) -> datetime:
    """The real moment that lies `minutes` of watch time after the last checkpoint that was held became due."""
    watch = the_watch(record)
    labels = {run.checkpoint for run in record.runs}
    offsets = [slot.offset_s for slot in watch.schedule if slot.label in labels]
    return watch.moment(max(offsets, default=0.0) + minutes * 60)


def at_hour(record: WatchRecord, hours: float) -> datetime:
    """The real moment of that hour of the watch."""
    return the_watch(record).moment(hours * HOUR_S)


def the_watch(record: WatchRecord) -> Watch:
    """The watch of a record that has one."""
    assert record.watch is not None
    return record.watch


# Its parts


def outcome(of: Criterion, at: datetime, status: Status | None = None, message: str = "", **changes: Any) -> Outcome:
    """What `of` came to; as good as it can if `status` is None."""
    good = {"not_applicable": Status.NOT_APPLICABLE, "attest": Status.ATTESTED}.get(of.answer, Status.PASS)
    if of.check == "history/approved" or getattr(of.params, "signed", False):
        good = Status.UNKNOWN  # nobody has signed while the last checkpoint is going on
    held = Outcome(
        criterion=of.id,
        check=of.check,
        status=good if status is None else status,
        severity=of.severity,
        message=message
        or ("all as it should be" if status in (None, Status.PASS) else f"{of.id} is not as it should be"),
        says=of.says,
        started_at=at,
        duration_s=0.5,
    )
    return replace(held, **changes)


def required(criteria: Iterable[Criterion], slot: Slot) -> list[Criterion]:
    """The criteria that a run at `slot` judges, in the way that pytest would select them."""
    return [c for c in criteria if set(c.when) & set(slot.occasions) and c.answer not in ("feature", "unanswered")]


def checkpoint_run(watch: Watch, slot: Slot, criteria: Sequence[Criterion], *, minutes: float = 1.0) -> RunRecord:
    """A clean run of `slot` that begins `minutes` of watch time after it is due."""
    began = watch.moment(slot.offset_s + minutes * 60)
    judged = required(criteria, slot)
    return RunRecord(
        run=f"{began:%Y%m%dT%H%M%SZ}-{slot.label}",
        environment=watch.environment,
        system=watch.system,
        started_at=began,
        finished_at=watch.moment(slot.offset_s + (minutes + 2) * 60),
        deployment=watch.deployment,
        selection=" or ".join(slot.occasions),
        outcomes=tuple(outcome(c, began) for c in judged),
        watch=watch.id,
        checkpoint=slot.label,
        selected=tuple(c.id for c in judged),
        target=dict(TARGET),
        criteria_digest=DIGEST,
    )


def extra_run(record: WatchRecord, hours: float, *outcomes: Outcome) -> RunRecord:
    """A complete run at that hour which belongs to no checkpoint."""
    watch = the_watch(record)
    began = at_hour(record, hours)
    slot = Slot(label=EXTRA, offset_s=hours * HOUR_S, occasions=(When.CHECKPOINT,))
    run = checkpoint_run(watch, slot, record.criteria, minutes=0)
    return replace(run, started_at=began, outcomes=outcomes or run.outcomes)


def up(endpoint: str, begin: datetime, end: datetime, *, every_s: float = 5.0) -> ProbeSpan:
    """Probes without a gap that all found the endpoint up."""
    samples = int((end - begin).total_seconds() // every_s) + 1
    return ProbeSpan(endpoint=endpoint, state=ProbeState.UP, first_at=begin, last_at=end, samples=samples)


def down(endpoint: str, begin: datetime, end: datetime, message: str = "503") -> ProbeSpan:
    """Probes that all found the endpoint down."""
    return replace(up(endpoint, begin, end), state=ProbeState.DOWN, message=message)


def signature(record: WatchRecord, role: str, **changes: Any) -> Signature:
    """A valid signature of that role under all runs there are, 7 minutes after the last checkpoint was due."""
    made = Signature(
        role=role,
        name=PEOPLE.get(role, f"the {role}"),
        at=after(record, minutes=5.0),
        digest="d1" * 32,
        covers=tuple(run.run for run in record.runs),
        key=f"SHA256:{role.replace(' ', '')}",
    )
    return replace(made, **changes)


# What spoils it


def with_signatures(record: WatchRecord, roles: Iterable[str]) -> WatchRecord:
    """Signed by these roles as well, under the runs that there are now."""
    return replace(record, signatures=(*record.signatures, *(signature(record, role) for role in roles)))


def with_override(record: WatchRecord, **changes: Any) -> WatchRecord:
    """The Product Manager accepts what there is, for a day."""
    expires = after(record, minutes=5.0) + timedelta(days=1)
    told = {"override": True, "reason": "the old system is worse", "expires": expires, **changes}
    override = replace(signature(record, "Product Manager"), **told)
    return replace(record, signatures=(*record.signatures, override))


def with_watch(record: WatchRecord, **changes: Any) -> WatchRecord:
    """With fields of the watch replaced."""
    return replace(record, watch=replace(the_watch(record), **changes))


def with_run(record: WatchRecord, *runs: RunRecord) -> WatchRecord:
    """With further runs."""
    return replace(record, runs=(*record.runs, *runs))


def without_run(record: WatchRecord, *labels: str) -> WatchRecord:
    """Without the runs of these checkpoints."""
    return replace(record, runs=tuple(run for run in record.runs if run.checkpoint not in labels))


def edited_run(record: WatchRecord, label: str, **changes: Any) -> WatchRecord:
    """With fields of the runs of that checkpoint replaced."""
    return _each_run(record, label, lambda run: replace(run, **changes))


def aborted(
    record: WatchRecord, label: str, *, because: str = "interrupted by Ctrl-C", after_outcomes: int = 2
) -> WatchRecord:
    """The run of that checkpoint was broken off after some outcomes."""
    return _each_run(
        record,
        label,
        lambda run: replace(run, aborted=because, finished_at=None, outcomes=tuple(run.outcomes)[:after_outcomes]),
    )


def repeated(record: WatchRecord, label: str, *, minutes: float = 10.0, **changes: Any) -> WatchRecord:
    """A further clean run of that checkpoint, begun so long after it was due."""
    watch = the_watch(record)
    slot = slot_named(record, label)
    return with_run(record, replace(checkpoint_run(watch, slot, record.criteria, minutes=minutes), **changes))


def with_outcome(
    record: WatchRecord, label: str, criterion: str, status: Status, message: str = "", **changes: Any
) -> WatchRecord:
    """The criterion came to this in the runs of that checkpoint."""
    of = next(c for c in record.criteria if c.id == criterion)

    def changed(run: RunRecord) -> RunRecord:
        new = outcome(of, run.started_at, status, message, **changes)
        return replace(run, outcomes=tuple(new if o.criterion == criterion else o for o in run.outcomes))

    return _each_run(record, label, changed)


def without_outcome(record: WatchRecord, label: str, *criteria: str) -> WatchRecord:
    """The runs of that checkpoint did not judge these criteria."""
    return _each_run(
        record,
        label,
        lambda run: replace(run, outcomes=tuple(o for o in run.outcomes if o.criterion not in criteria)),
    )


def on_second_try(record: WatchRecord, label: str, criterion: str, message: str = "HTTP 500") -> WatchRecord:
    """The criterion held at that checkpoint only when it was tried again."""
    began = next(run.started_at for run in record.runs if run.checkpoint == label)
    first = Attempt(status=Status.FAIL, message=message, at=began)
    return with_outcome(record, label, criterion, Status.PASS, "200", earlier=(first,))


def accepted(record: WatchRecord, label: str, criterion: str, *, expires: datetime) -> WatchRecord:
    """A failure of that checkpoint that Ann accepted until `expires`, in the environment as well."""
    waiver = Waiver(criterion=criterion, reason="new disk on Monday", approver="Ann", risk="low", expires=expires)
    spoilt = with_outcome(record, label, criterion, Status.WAIVED, "waived: 91 %, below 80 % needed", waiver=waiver)
    return replace(spoilt, waivers=(*record.waivers, waiver))


def slot_named(record: WatchRecord, label: str) -> Slot:
    """The slot of the schedule with that label."""
    return next(slot for slot in the_watch(record).schedule if slot.label == label)


def cpu_percent(value: float, *, critical: float | None = 80.0, warning: float | None = None) -> Measurement:
    """A measured CPU use with its limits."""
    return Measurement(name="cpu", value=value, unit="%", warning=warning, critical=critical)


def _each_run(record: WatchRecord, label: str, change: Callable[[RunRecord], RunRecord]) -> WatchRecord:
    assert any(run.checkpoint == label for run in record.runs), f"no run of {label}"
    return replace(record, runs=tuple(change(run) if run.checkpoint == label else run for run in record.runs))
