"""The go-live report as one HTML page that needs nothing else: no script to be read, no request, safe to be mailed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from golive.judge.changes import changes
from golive.judge.identity import shortened
from golive.model import Decision, Reason, Status, Verdict, WatchRecord
from reports.golive import texts
from reports.golive.notification import system_name
from reports.golive.rendering import moment, template
from reports.golive.views.availability import Availability, availability
from reports.golive.views.day import HOUR_S, Day, State, day_of
from reports.golive.views.form import Form, form
from reports.golive.views.incidents import Incident, flapping, incidents, waived
from reports.golive.views.log import Hour, monitoring_log
from reports.golive.views.people import affirmations
from reports.golive.views.records import CheckpointRecord, checkpoint_records
from reports.golive.views.selection import plotted
from reports.golive.views.series import Key, traces
from reports.golive.views.timeline import letters, timeline

MOST_INCIDENTS = 200
Contact = tuple[str, str, str, str]
"""Role, name, phone and e-mail of a person to be reached."""

_TONES = {Decision.GO: Status.PASS, Decision.NO_GO: Status.FAIL, Decision.PENDING: Status.UNKNOWN}


@dataclass(frozen=True, kw_only=True)
class Around:
    """What the report tells besides the record: how the environment calls itself, whom to reach, what is usual."""

    says: str = ""
    contacts: Sequence[Contact] = ()
    baseline: Mapping[Key, float] = field(default_factory=dict)
    baseline_name: str = ""
    made_with: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Views:
    """Everything that is told of a watch, computed once."""

    day: Day
    available: Availability | None
    incidents: Sequence[Incident]
    form: Form
    records: Sequence[CheckpointRecord]
    log: Sequence[Hour]


def views(record: WatchRecord, verdict: Verdict) -> Views | None:
    """The views of a watch at the moment of the verdict; None where there is no watch to look at."""
    day = day_of(record, verdict.at)
    if day is None:
        return None
    available = availability(day)
    found = incidents(day, available.outages if available else ())
    return Views(
        day=day,
        available=available,
        incidents=found,
        form=form(day, verdict, available, found),
        records=checkpoint_records(day, found),
        log=monitoring_log(day, available),
    )


def page(record: WatchRecord, verdict: Verdict, around: Around) -> str:
    """The whole report as HTML."""
    seen = views(record, verdict)
    told: dict[str, Any] = {} if seen is None else _told(seen, verdict, around)
    text: str = template("page.jinja2").render(
        record=record,
        verdict=verdict,
        around=around,
        name=system_name(record.system, around.says),
        tone=_TONES[verdict.decision],
        reasons=reasons_by_decision(verdict),
        seen=seen,
        **told,
    )
    return text


def reasons_by_decision(verdict: Verdict) -> list[tuple[Decision, list[Reason]]]:
    """What cannot be mended first, then what can; kinds without a reason left out."""
    grouped = [
        (kind, [r for r in verdict.reasons if r.decision is kind]) for kind in (Decision.NO_GO, Decision.PENDING)
    ]
    return [(kind, found) for kind, found in grouped if found]


def _told(seen: Views, verdict: Verdict, around: Around) -> dict[str, Any]:
    """What the template asks for besides the views."""
    day = seen.day
    return {
        "timeline": timeline(day.columns, day.areas),
        "plotted": plotted(traces(day, around.baseline), day.length_s / HOUR_S),
        "letters": letters(day.columns, day.criteria),
        "most_incidents": MOST_INCIDENTS,
        "flapping": flapping(day),
        "waived": waived(day),
        "affirmed": affirmations(day),
        "notes": sorted(day.record.notes, key=lambda note: note.at),
        "changes": changes(day.record, now=verdict.at),
        "assessment": texts.assessment(seen.form, seen.incidents, verdict),
        "leaders": texts.sign_off(seen.form, verdict),
        "answers": {c.id: c.answer for c in day.record.criteria},
        "says_of": {c.id: c.says for c in day.record.criteria},
        "facts": _facts(seen, verdict),
        "strip_hours": [f"{day.length_s / HOUR_S * part / 6:.4g}" + (" h" if part == 6 else "") for part in range(7)],
    }


def _facts(seen: Views, verdict: Verdict) -> list[tuple[str, str]]:
    """Names and values of the watch, in the order they are shown."""
    day, watch = seen.day, seen.day.watch
    held = sum(c.state is State.DONE for c in day.checkpoints)
    deployed = watch.deployment.deployed_at
    speed = f"{watch.time_scale:g} times as fast as the clock" if watch.trial else "as the clock goes"
    facts = [
        ("Environment", f"{day.record.environment} ({day.record.system})"),
        ("Version", watch.deployment.version or "not stated"),
        ("Deployed", "not stated" if deployed is None else moment(deployed)),
        ("Hour 0", moment(watch.starts_at)),
        ("Last checkpoint due", moment(watch.ends_at)),
        ("Judged", f"{moment(verdict.at)}, hour {max(0.0, day.hours(verdict.at)):.1f} of the watch"),
        ("Checkpoints", f"{held} of {len(day.checkpoints)} held in time and whole"),
        ("Runs", f"{len(day.runs)} of this watch"),
        ("Time passed", speed),
        ("Watch", watch.id),
        (
            "Rules",
            f"{len(day.record.criteria)} criteria, digest {shortened(day.record.criteria_digest) or 'not recorded'}",
        ),
    ]
    if watch.replaces:
        facts.append(("Begun anew", watch.reason or f"after {watch.replaces}"))
    if watch.closed_at is not None:
        facts.append(("Closed", f"{moment(watch.closed_at)}: {watch.closed_because}"))
    return facts
