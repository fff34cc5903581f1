"""The nouns of the project as frozen records. Imports nothing of ours.

Times are timezone-aware UTC datetimes, durations are seconds (`_s`), and a
criterion is named by its expanded id (`shop.health.disk[/home]`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
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
class Outcome:
    """What one criterion came to in one run, with everything needed to tell it and to judge it again."""

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
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """What was deployed, and when it was complete."""

    version: str = ""
    deployed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """One session against an environment: identity, times and outcomes."""

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


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _measurement_data(measurement: Measurement) -> dict[str, Any]:
    return {name: getattr(measurement, name) for name in Measurement.__slots__}


def _waiver_data(waiver: Waiver) -> dict[str, Any]:
    data = {name: getattr(waiver, name) for name in Waiver.__slots__}
    data["expires"] = utc_text(waiver.expires)
    return data
