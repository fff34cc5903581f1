"""The sign-off form, every field of it computed: nothing is ticked in advance. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from golive.judge.course import is_judged_by_runs, is_watched
from golive.judge.wording import span
from golive.model import Criterion, Decision, Outcome, Severity, Status, Verdict
from reports.golive.views import readings
from reports.golive.views.availability import LEVELS, Availability, Shown, percent_text
from reports.golive.views.day import Day, area_of
from reports.golive.views.incidents import Grade, Incident
from reports.golive.views.people import Signatory, approved_at, needed, signatories
from reports.text import clipped, plural

_NAMED = 3
_LONG = 240


class Mark(StrEnum):
    """How a line of the form stands."""

    HOLDS = "holds"
    FAILS = "fails"
    MISSING = "missing"
    OPEN = "open"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One of the results that the form asks for: in a few words, and what that rests on."""

    name: str
    says: str
    mark: Mark
    detail: str


@dataclass(frozen=True, kw_only=True)
class Issues:
    """What was found over the watch, as the form classes it. Counts of incidents by grade."""

    critical: int
    open: int
    resolved: int

    @property
    def none(self) -> bool:
        """Nothing failed and nothing was left unseen."""
        return not (self.critical or self.open or self.resolved)


@dataclass(frozen=True, kw_only=True)
class Form:
    """The final sign-off form. `approved` follows the verdict alone."""

    deployed_at: datetime | None
    begin: datetime
    end: datetime
    ended: bool
    results: tuple[Result, ...]
    issues: Issues
    people: tuple[Signatory, ...]
    needed: int
    approved_at: datetime | None
    approved: bool
    approved_says: str


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """One result: whose criteria make it up, and the words for good and bad."""

    name: str
    good: str
    bad: str
    areas: frozenset[str]
    checks: tuple[str, ...]


_SERVICES = _Subject(
    name="All services", good="Operational", bad="NOT OPERATIONAL", areas=frozenset(), checks=("services/",)
)
_SUBJECTS = (
    _Subject(name="Security features", good="Verified", bad="NOT VERIFIED", areas=frozenset({"security"}), checks=()),
    _Subject(
        name="Functionality",
        good="All tests passed",
        bad="NOT ALL TESTS PASSED",
        areas=frozenset({"functionality", "functional"}),
        checks=("http/journey", "http/login"),
    ),
    _Subject(
        name="Performance",
        good="Acceptable",
        bad="NOT ACCEPTABLE",
        areas=frozenset({"performance"}),
        checks=("http/latency", "http/page_load", "database/query_time", "load/"),
    ),
    _Subject(name="Database", good="Healthy", bad="NOT HEALTHY", areas=frozenset({"database"}), checks=("database/",)),
    _Subject(
        name="Logging", good="All clean", bad="NOT CLEAN", areas=frozenset({"logging", "logs"}), checks=("logs/",)
    ),
)


def form(day: Day, verdict: Verdict, available: Availability | None, found: Sequence[Incident]) -> Form:
    """The form as the records fill it in; `found` are the incidents of the watch."""
    people = tuple(signatories(day))
    wanted = needed(day)
    over = day.course.is_over
    last = day.checkpoints[-1].ended_at if day.checkpoints else None
    return Form(
        deployed_at=day.watch.deployment.deployed_at,
        begin=day.watch.starts_at,
        end=max(day.watch.ends_at, last) if over and last is not None else day.watch.ends_at,
        ended=over,
        results=tuple(results(day, available)),
        issues=issues(found),
        people=people,
        needed=wanted,
        approved_at=approved_at(people, wanted),
        approved=verdict.decision is Decision.GO,
        approved_says=_approved(verdict),
    )


def results(day: Day, available: Availability | None) -> list[Result]:
    """The eight results, in the order of the form."""
    return [
        _critical_errors(day),
        _uptime(available, over=day.course.is_over),
        _services(day),
        *(_result(subject, day) for subject in _SUBJECTS),
    ]


def issues(found: Iterable[Incident]) -> Issues:
    """How many incidents there are of each grade."""
    grades = [incident.grade for incident in found]
    return Issues(
        critical=grades.count(Grade.CRITICAL), open=grades.count(Grade.OPEN), resolved=grades.count(Grade.RESOLVED)
    )


def _approved(verdict: Verdict) -> str:
    if verdict.decision is not Decision.GO:
        return f"{verdict.decision}: {plural(len(verdict.reasons), 'reason stands', 'reasons stand')} against it"
    if verdict.override is not None:
        return f"by override of {verdict.override.name} ({verdict.override.role}), against the reasons above"
    return "every criterion held and everybody who has to sign has signed"


def _critical_errors(day: Day) -> Result:
    """Critical log lines: since the deployment as the last count has it, or those of all checkpoints together."""
    name = "Critical errors"
    past = [c for c in day.checkpoints if not c.state.is_to_come]
    counts = [readings.critical_lines(day, column.outcomes) for column in day.columns]
    so_far = [readings.critical_lines_so_far(day, column.outcomes) for column in day.columns]
    known = [count for count in counts if count is not None]
    total = max([sum(known), *(count for count in so_far if count is not None)])
    if not known and not any(count is not None for count in so_far):
        return Result(name=name, says="not counted", mark=Mark.MISSING, detail="no checkpoint has counted log lines")
    if total:
        where = [c.name for c, count in zip(day.columns, counts, strict=True) if count]
        detail = f"counted at {_listed(where)}" if where else "counted since the deployment"
        return Result(name=name, says=str(total), mark=Mark.FAILS, detail=detail)
    whole = bool(past) and readings.critical_lines_so_far(day, past[-1].outcomes) is not None
    looked = sum(readings.critical_lines(day, column.outcomes) is not None for column in past)
    told = (
        "counted over all the time since the deployment" if whole else f"counted at {looked} of {len(past)} checkpoints"
    )
    if whole or looked == len(past):
        return Result(name=name, says="0", mark=_so_far(day), detail=told)
    return Result(name=name, says="0 where it was counted", mark=Mark.MISSING, detail=told)


def _uptime(available: Availability | None, *, over: bool) -> Result:
    name = "System uptime"
    worst = None if available is None else available.worst
    if available is None or worst is None or worst.uptime.percent is None:
        return Result(name=name, says="not measured", mark=Mark.MISSING, detail="no availability probe tells of it")
    levels = "; ".join(f"{percent_text(level)} {said}" for level, said in worst.levels if level in LEVELS)
    detail = f"{levels}; {worst.name} was up least"
    if worst.uptime.unknown_s >= 1:
        detail += f", {span(worst.uptime.unknown_s)} of it unseen"
    said = dict(worst.levels)[worst.gates]
    mark = (
        Mark.FAILS if said is Shown.MISSED else Mark.MISSING if not worst.holds else Mark.HOLDS if over else Mark.OPEN
    )
    return Result(name=name, says=worst.percent, mark=mark, detail=detail)


def _services(day: Day) -> Result:
    found = _result(_SERVICES, day)
    counts = [(c.name, n) for c in day.columns if (n := readings.services(day, c.outcomes)) is not None]
    short = [f"{number} at {name}" for name, number in counts if not number.whole]
    if short:
        return Result(name=found.name, says=_SERVICES.bad, mark=Mark.FAILS, detail=_listed(short))
    if found.mark in (Mark.HOLDS, Mark.OPEN) and counts:
        return Result(
            name=found.name,
            says=found.says,
            mark=found.mark,
            detail=f"{counts[-1][1]} at {plural(len(counts), 'look', 'looks')}; {found.detail}",
        )
    return found


def _result(subject: _Subject, day: Day) -> Result:
    ids = _ids(subject, day)
    if not ids:
        return Result(
            name=subject.name,
            says="NOT JUDGED",
            mark=Mark.MISSING,
            detail="no criterion of this environment is about it",
        )
    bad = _blocking(ids, day)
    if bad:
        detail = "; ".join(bad[:_NAMED]) + (f"; {len(bad) - _NAMED} more" if len(bad) > _NAMED else "")
        return Result(name=subject.name, says=subject.bad, mark=Mark.FAILS, detail=clipped(detail, _LONG))
    missing = [
        f"{column.name} ({len(absent)} not judged)"
        for column in day.checkpoints
        if not column.state.is_to_come and (absent := (column.expected & ids) - column.outcomes.keys())
    ]
    if missing:
        return Result(name=subject.name, says="INCOMPLETE", mark=Mark.MISSING, detail=f"missing at {_listed(missing)}")
    held = sum(bool(ids & column.outcomes.keys()) for column in day.checkpoints)
    if not held:
        return Result(name=subject.name, says="not judged yet", mark=_open(day), detail="no checkpoint has looked yet")
    accepted = {o.criterion for c in day.columns for o in c.of(Status.WAIVED) if o.criterion in ids}
    told = f"{plural(len(ids), 'criterion', 'criteria')} at {plural(held, 'checkpoint', 'checkpoints')}"
    told += f", {len(accepted)} waived" if accepted else ""
    return Result(name=subject.name, says=subject.good, mark=_so_far(day), detail=told)


def _ids(subject: _Subject, day: Day) -> frozenset[str]:
    """The criteria that make up a result: by area, or where there is no such area by what checks them."""
    judged = {c.id: c for c in day.record.criteria if is_judged_by_runs(c) and is_watched(c)}
    known: Mapping[str, Criterion | Outcome] = {
        **{name: o for column in day.columns for name, o in column.outcomes.items()},
        **judged,
    }
    by_area = frozenset(name for name in known if area_of(name) in subject.areas)
    return by_area or frozenset(
        name for name, one in known.items() if subject.checks and (one.check or "").startswith(subject.checks)
    )


def _blocking(ids: frozenset[str], day: Day) -> list[str]:
    """What failed or is unknown of these criteria, the gravest first, each with its checkpoints."""
    found: dict[tuple[str, Status, Severity], list[str]] = {}
    for column in day.columns:
        for outcome in column.of(Status.FAIL, Status.UNKNOWN):
            if outcome.criterion in ids:
                key = (outcome.criterion, outcome.status, outcome.severity)
                found.setdefault(key, []).append(column.name if column.number else "another run")
    order = sorted(found, key=lambda key: (key[1] is not Status.FAIL, list(Severity).index(key[2]), key[0]))
    word = {Status.FAIL: "failed", Status.UNKNOWN: "unknown"}
    return [f"{key[0]} {word[key[1]]} at {_listed(found[key])}" for key in order]


def _so_far(day: Day) -> Mark:
    return Mark.HOLDS if day.course.is_over else Mark.OPEN


def _open(day: Day) -> Mark:
    return Mark.MISSING if day.course.is_over else Mark.OPEN


def _listed(names: Sequence[str]) -> str:
    shown = names if len(names) <= 2 * _NAMED else [*names[: 2 * _NAMED], f"{len(names) - 2 * _NAMED} more"]
    return ", ".join(shown[:-1]) + f" and {shown[-1]}" if len(shown) > 1 else "".join(shown)
