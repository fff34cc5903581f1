"""The nouns of the project as frozen records. Imports nothing of ours.

Times are timezone-aware UTC datetimes, durations are seconds (`_s`), and a
criterion is named by its expanded id (`shop.health.disk[/home]`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Self


class Status(StrEnum):
    """What became of one criterion in one run."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    NOT_APPLICABLE = "not_applicable"
    ATTESTED = "attested"

    @property
    def blocks(self) -> bool:
        """A run with such an outcome does not succeed."""
        return self in (Status.FAIL, Status.UNKNOWN)


class Severity(StrEnum):
    """How much a failing criterion weighs, heaviest first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class When(StrEnum):
    """The occasions at which a criterion is judged; each is a pytest marker."""

    CHECKPOINT = "checkpoint"
    SMOKE = "smoke"
    GOLIVE = "golive"
    LOAD = "load"
    READINESS = "readiness"
    MAINTENANCE = "maintenance"


class CouldNotLook(Exception):
    """The target could not be read, so nothing may be concluded: the outcome is `unknown`.

    The message is one line for a person: whom, what happened, and where it helps what to do.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """A value with its unit and limits. `better` says which side of a limit is the good one.

    With `better="lower"` a value must stay below a limit (`inclusive`: may reach it);
    with `better="higher"` it must reach it.
    """

    name: str
    value: float
    unit: str
    warning: float | None = None
    critical: float | None = None
    better: Literal["lower", "higher"] = "lower"
    inclusive: bool = False
    samples: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What a check saw: a title and plain text, redacted and bounded in size."""

    title: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """An accepted failure. Outside `[at_least, at_most]` or after `expires` it does not cover anything."""

    criterion: str
    reason: str
    approver: str
    risk: str
    expires: datetime
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Attestation:
    """A person's affirmation of what no machine can verify."""

    criterion: str
    by: str
    role: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What somebody did or observed during a watch, about one of its checkpoints or criteria, or as a whole."""

    at: datetime
    by: str
    text: str
    checkpoint: str | None = None
    criterion: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where in a file something was written; `line` counts from 1."""

    file: str
    line: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


Answer = Literal["check", "attest", "feature", "not_applicable", "unanswered"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Criterion:
    """One go-live rule and how it is answered.

    `check` is the id of the check that runs for it (an attestation and a criterion
    that does not apply have built-in ones), `params` that check's validated parameters.
    `baseline_percent` is how much worse than the baseline a measured value may be, None if it is not compared.
    `references` are the texts in it that came out of a reference, each with that reference (`${env:NAME}`).
    """

    id: str
    says: str
    severity: Severity
    when: tuple[When, ...]
    answer: Answer
    place: Place
    check: str | None = None
    params: Any = None
    feature: str | None = None
    no_data: Status = Status.UNKNOWN
    item: str | None = None
    retries: int = 0
    baseline_percent: float | None = None
    references: tuple[tuple[str, str], ...] = ()

    @property
    def base_id(self) -> str:
        """The id without the item of `for_each`."""
        return self.id.partition("[")[0]

    @property
    def area(self) -> str:
        """The second part of the id (`health` in `shop.health.cpu`), a marker of its own."""
        parts = self.base_id.split(".")
        return parts[1] if len(parts) > 1 else parts[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """An earlier try at a criterion in the same run, kept when it was tried again."""

    status: Status
    message: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What one criterion came to in one run, with everything needed to tell it and to judge it again.

    `earlier` are the attempts before the one that stands, first one first.
    """

    criterion: str
    status: Status
    severity: Severity
    message: str
    says: str = ""
    check: str | None = None
    measurements: tuple[Measurement, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    runbook: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime
    duration_s: float = 0.0
    waiver: Waiver | None = None
    earlier: tuple[Attempt, ...] = ()

    @property
    def flapping(self) -> bool:
        """Held only when it was tried again."""
        return not self.status.blocks and any(attempt.status.blocks for attempt in self.earlier)

    def as_data(self) -> dict[str, Any]:
        """The record as plain JSON-ready data (see `from_data`)."""
        return {
            "criterion": self.criterion,
            "check": self.check,
            "outcome": self.status.value,
            "severity": self.severity.value,
            "message": self.message,
            "says": self.says,
            "measurements": [_measurement_data(m) for m in self.measurements],
            "evidence": [{"title": e.title, "text": e.text} for e in self.evidence],
            "runbook": dict(self.runbook),
            "started_at": utc_text(self.started_at),
            "duration_s": round(self.duration_s, 6),
            "waiver": None if self.waiver is None else _waiver_data(self.waiver),
            "earlier": [{"outcome": a.status.value, "message": a.message, "at": utc_text(a.at)} for a in self.earlier],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a record from `as_data`; KeyError or ValueError on data of another shape."""
        waiver = data.get("waiver")
        return cls(
            criterion=data["criterion"],
            check=data.get("check"),
            status=Status(data["outcome"]),
            severity=Severity(data["severity"]),
            message=data["message"],
            says=data.get("says", ""),
            measurements=tuple(Measurement(**m) for m in data.get("measurements", ())),
            evidence=tuple(Evidence(**e) for e in data.get("evidence", ())),
            runbook=dict(data.get("runbook", {})),
            started_at=datetime.fromisoformat(data["started_at"]),
            duration_s=float(data.get("duration_s", 0.0)),
            waiver=None
            if waiver is None
            else Waiver(**{**waiver, "expires": datetime.fromisoformat(waiver["expires"])}),
            earlier=tuple(
                Attempt(status=Status(a["outcome"]), message=a["message"], at=datetime.fromisoformat(a["at"]))
                for a in data.get("earlier", ())
            ),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """What was deployed, and when it was complete."""

    version: str = ""
    deployed_at: datetime | None = None


EXTRA = "extra"
"""The checkpoint of a run that belongs to a watch but to none of its scheduled checkpoints."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """One session against an environment: identity, times and outcomes.

    `checkpoint` is the label of a slot of the watch, or EXTRA; both are None outside a watch.
    `selected` are the criteria that were going to be judged, `target` what was found deployed
    (name of a part to its digest or count), `criteria_digest` names the rules that it was judged by.
    A run without `finished_at` and `aborted` is still going on.
    """

    run: str
    environment: str
    system: str
    started_at: datetime
    finished_at: datetime | None = None
    deployment: Deployment = Deployment()
    selection: str = ""
    aborted: str | None = None
    unanswered: tuple[str, ...] = ()
    outcomes: Sequence[Outcome] = ()
    watch: str | None = None
    checkpoint: str | None = None
    selected: tuple[str, ...] = ()
    target: Mapping[str, str] = field(default_factory=dict)
    criteria_digest: str = ""

    @property
    def complete(self) -> bool:
        """Came to its end in order."""
        return self.finished_at is not None and self.aborted is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One scheduled checkpoint: its label (`4h`), seconds of watch time after hour 0, and what is judged at it."""

    label: str
    offset_s: float
    occasions: tuple[When, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """The supervision of one deployment. All moments are real ones; `time_scale` makes watch time pass faster.

    Hour 0 is `starts_at`: the deployment, or in a trial (`time_scale` above 1) the start of the watch.
    `target` is what was found deployed at the start; any later difference voids the watch. `policy` is what the
    environment asked of the watch as a whole at its start; {} where that was not kept.
    A watch that was replaced has `closed_at` and `closed_because`; its successor names it in `replaces`.
    """

    id: str
    environment: str
    system: str
    deployment: Deployment
    starts_at: datetime
    opened_at: datetime
    schedule: tuple[Slot, ...]
    tolerance_s: float
    time_scale: float = 1.0
    target: Mapping[str, str] = field(default_factory=dict)
    criteria_digest: str = ""
    policy: Mapping[str, Any] = field(default_factory=dict)
    replaces: str | None = None
    reason: str = ""
    closed_at: datetime | None = None
    closed_because: str = ""

    @property
    def trial(self) -> bool:
        """Whether time was compressed, so that it shows how a watch goes and proves nothing about 24 hours."""
        return self.time_scale != 1.0

    @property
    def ends_at(self) -> datetime:
        """When the last checkpoint is due."""
        return self.due_at(self.schedule[-1])

    def moment(self, offset_s: float) -> datetime:
        """The real moment that lies `offset_s` seconds of watch time after hour 0."""
        return self.starts_at + timedelta(seconds=offset_s / self.time_scale)

    def offset_s(self, moment: datetime) -> float:
        """Seconds of watch time from hour 0 to `moment`."""
        return (moment - self.starts_at).total_seconds() * self.time_scale

    def due_at(self, slot: Slot) -> datetime:
        """When the checkpoint is to begin."""
        return self.moment(slot.offset_s)

    def deadline(self, slot: Slot) -> datetime:
        """Until when it may begin without being late."""
        return self.moment(slot.offset_s + self.tolerance_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """A part of a load: `kind` (ramp, hold, spike, steps, soak), `name` (`hold 1`), seconds after the load began.

    `level` is what it ends at: users, or requests per second in the open model.
    """

    kind: str
    name: str
    start_s: float
    end_s: float
    level: float


class ProbeState(StrEnum):
    """What one availability probe found. Time between samples that lie too far apart is unknown as well."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeSpan:
    """Successive availability probes of one endpoint that found the same, none missing between them."""

    endpoint: str
    state: ProbeState
    first_at: datetime
    last_at: datetime
    samples: int
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A person's signature under the manifest of a watch; `problem` says why it does not count, if it does not.

    With `override` it accepts a NO-GO, which takes `reason` and `expires`. `manifest` is the signed text,
    `digest` its SHA-256 (hex), `covers` the runs that the manifest lists.
    """

    role: str
    name: str
    at: datetime
    digest: str
    covers: tuple[str, ...] = ()
    key: str = ""
    override: bool = False
    reason: str = ""
    expires: datetime | None = None
    problem: str = ""
    manifest: str = ""
    signature: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignOff:
    """Who must sign: `quorum` of `roles`; `override_role` may accept a NO-GO."""

    roles: tuple[str, ...] = ()
    quorum: int = 0
    override_role: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbePolicy:
    """What availability must be shown: which endpoints, how dense, and how much may stay unknown.

    Seconds are real ones. Time before the first sample is left out of account up to `begin_within_s`.
    """

    endpoints: tuple[str, ...] = ()
    every_s: float = 5.0
    begin_within_s: float = 300.0
    unknown_at_most_s: float = 8.64
    at_least_percent: float = 100.0


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchRecord:
    """Everything that the verdict over a watch rests on. The order within its sequences carries no meaning.

    `watch` is None when none was begun. `deployment` is what the environment says is deployed now, None where that
    is not known. `runs` are all runs that the history holds under the watch, whatever their state.
    `flapping_blocks`: a pass on retry spoils the watch. `tampered` are sentences about stored evidence that no longer
    matches what was signed.
    """

    environment: str
    system: str
    watch: Watch | None
    criteria: tuple[Criterion, ...]
    criteria_digest: str
    deployment: Deployment | None = None
    runs: Sequence[RunRecord] = ()
    waivers: Sequence[Waiver] = ()
    attestations: Sequence[Attestation] = ()
    signatures: Sequence[Signature] = ()
    sign_off: SignOff = SignOff()
    probes: Sequence[ProbeSpan] = ()
    probe_policy: ProbePolicy | None = None
    milestones: Mapping[str, float] = field(default_factory=dict)
    flapping_blocks: bool = True
    tampered: tuple[str, ...] = ()
    notes: Sequence[Note] = ()


class Decision(StrEnum):
    """May the system go live?"""

    GO = "GO"
    NO_GO = "NO-GO"
    PENDING = "PENDING"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One sentence that stands against GO, and what it makes of the decision (NO-GO or PENDING).

    `kind` is a stable word for programs: checkpoint-missing, criterion-failed, …
    """

    kind: str
    decision: Decision
    text: str
    criterion: str | None = None
    checkpoint: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Milestone:
    """Whether every checkpoint up to some hour was clean: `reached`, `open` or `missed`, with the reason."""

    name: str
    until: str
    state: Literal["reached", "open", "missed"]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """GO, NO-GO or PENDING, and why. `earliest` is when GO could be reached at the soonest, None if never.

    `override` is the signature that accepts a NO-GO; the reasons it accepts stay in `reasons`.
    """

    decision: Decision
    reasons: tuple[Reason, ...]
    at: datetime
    watch: str | None = None
    trial: bool = False
    milestones: tuple[Milestone, ...] = ()
    earliest: datetime | None = None
    forecast: str = ""
    override: Signature | None = None


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _measurement_data(measurement: Measurement) -> dict[str, Any]:
    return {name: getattr(measurement, name) for name in Measurement.__slots__}


def _waiver_data(waiver: Waiver) -> dict[str, Any]:
    data = {name: getattr(waiver, name) for name in Waiver.__slots__}
    data["expires"] = utc_text(waiver.expires)
    return data
