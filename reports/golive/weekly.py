"""The weekly report over a system that is live: runs, worst outcomes and trends of seven days. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from golive.judge.course import BY_PERSON, THE_VERDICT
from golive.model import Criterion, Outcome, RunRecord, Status
from reports.golive.notification import system_name
from reports.golive.rendering import moment, template
from reports.golive.views.day import HOUR_S, Checkpoint, State, area_of, standing
from reports.golive.views.incidents import Incident, tracked
from reports.golive.views.selection import plotted
from reports.golive.views.series import traces_of
from reports.golive.views.timeline import letters, timeline
from reports.text import plural

DAYS = 7
_MOST_INCIDENTS = 100


@dataclass(frozen=True)
class Week:
    """Seven times 24 hours up to `now`, a column for each."""

    now: datetime
    runs: tuple[RunRecord, ...]
    columns: tuple[Checkpoint, ...]

    @property
    def since(self) -> datetime:
        """The begin of the seven days."""
        return begin_of_week(self.now)

    @property
    def incidents(self) -> list[Incident]:
        """Every criterion that blocked in any run, the gravest first."""
        return tracked((_named(run.started_at), filter(_counts, run.outcomes)) for run in self.runs)


def begin_of_week(now: datetime) -> datetime:
    """Seven days ago."""
    return now - timedelta(days=DAYS)


def bare(run: RunRecord) -> RunRecord:
    """The run without what a weekly report does not tell, so that hundreds of runs fit into memory."""
    return replace(run, outcomes=tuple(replace(o, evidence=(), runbook={}) for o in run.outcomes))


def week_of(runs: Iterable[RunRecord], now: datetime) -> Week:
    """The runs of the last seven days by day, those before left out."""
    since = begin_of_week(now)
    found = tuple(sorted((run for run in runs if since <= run.started_at <= now), key=lambda run: run.started_at))
    return Week(now, found, tuple(_column(found, since + timedelta(days=n), n + 1) for n in range(DAYS)))


def weekly_page(week: Week, criteria: Sequence[Criterion], *, system: str, environment: str, says: str) -> str:
    """The report as HTML."""
    areas = sorted({area_of(name) for column in week.columns for name in column.outcomes})
    incidents = week.incidents
    text: str = template("weekly.jinja2").render(
        name=system_name(system, says),
        environment=environment,
        says=says,
        week=week,
        since=week.since,
        headline=_headline(week, incidents),
        tone=_tone(week, incidents),
        facts=_facts(week),
        timeline=timeline(week.columns, areas),
        letters=letters(week.columns, ()),
        says_of={criterion.id: criterion.says for criterion in criteria},
        incidents=incidents[:_MOST_INCIDENTS],
        incidents_left=max(0, len(incidents) - _MOST_INCIDENTS),
        plotted=plotted(
            traces_of(week.runs, lambda at: (at - week.since).total_seconds() / HOUR_S, blanks={}, baseline={}),
            DAYS * 24.0,
        ),
        around=None,
    )
    return text


def _counts(outcome: Outcome) -> bool:
    """The verdict on a watch that is over, and what people affirm, tell nothing of these days."""
    return outcome.check not in (THE_VERDICT, BY_PERSON)


def _column(runs: Sequence[RunRecord], begin: datetime, number: int) -> Checkpoint:
    end = begin + timedelta(days=1)
    theirs = tuple(run for run in runs if begin <= run.started_at < end or (number == DAYS and run.started_at == end))
    whole = any(run.complete for run in theirs)
    state = State.DONE if whole else State.ABORTED if theirs else State.MISSED
    return Checkpoint(label=_named(begin), number=number, state=state, runs=theirs, outcomes=standing(theirs, _counts))


def _named(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%a %m-%d}"


def _headline(week: Week, incidents: Sequence[Incident]) -> str:
    if not week.runs:
        return "Nothing was looked at"
    if not incidents:
        return "Nothing failed"
    still = sum(incident.healed_at is None for incident in incidents)
    told = plural(len(incidents), "criterion", "criteria") + " failed or could not be looked at"
    return told + (f", {still} to this day" if still else ", all healed")


def _tone(week: Week, incidents: Sequence[Incident]) -> Status:
    if not week.runs or any(column.state is not State.DONE for column in week.columns):
        return Status.UNKNOWN if not incidents else Status.FAIL
    return Status.FAIL if any(i.healed_at is None for i in incidents) else Status.WARN if incidents else Status.PASS


def _facts(week: Week) -> list[tuple[str, str]]:
    empty = sum(not column.runs for column in week.columns)
    versions = dict.fromkeys(run.deployment.version for run in week.runs if run.deployment.version)
    return [
        ("Covered", f"{moment(week.since)} to {moment(week.now)}"),
        ("Runs", f"{len(week.runs)}, {sum(run.aborted is not None for run in week.runs)} of them broken off"),
        ("Days without a run", str(empty)),
        ("Versions", ", ".join(versions) or "not stated"),
    ]
