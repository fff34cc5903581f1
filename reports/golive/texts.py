"""The go-live report as plain text: Markdown for a ticket, and the monitoring log. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from golive.model import Decision, Status, Verdict
from reports.golive.views.day import Day
from reports.golive.views.form import Form, Mark, Result
from reports.golive.views.incidents import Grade, Incident
from reports.golive.views.log import Hour
from reports.golive.views.people import Signatory
from reports.golive.views.records import CheckpointRecord
from reports.golive.views.timeline import STATE_WORDS
from reports.text import one_line, plural

_MOST_REASONS = 12
_MARKS = {Mark.HOLDS: "yes", Mark.FAILS: "**NO**", Mark.MISSING: "**missing**", Mark.OPEN: "so far"}


def clock(moment: datetime | None) -> str:
    """`2026-05-02 09:00 UTC`."""
    return "not recorded" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def markdown(verdict: Verdict, day: Day | None, records: Sequence[CheckpointRecord], form: Form | None) -> str:
    """A short summary for a ticket: verdict, reasons, checkpoints, results, who signed."""
    lines = list(_verdict_lines(verdict))
    if day is not None and form is not None:
        version = _cell(day.watch.deployment.version or "not stated")
        lines += [
            "",
            f"Watch {_code(day.watch.id)} of version {version}, hour 0 at {clock(day.watch.starts_at)}.",
            "",
        ]
        lines += _checkpoint_table(records)
        lines += ["", "| result | | |", "| --- | --- | --- |"]
        lines += [f"| {r.name} | {_MARKS[r.mark]} | {_cell(r.says)}: {_cell(r.detail)} |" for r in form.results]
        lines += ["", *_people(form.people)]
    return "\n".join(lines).rstrip() + "\n"


def _verdict_lines(verdict: Verdict) -> Iterator[str]:
    trial = " (TRIAL: time was compressed, this proves nothing about a whole watch)" if verdict.trial else ""
    yield f"## {verdict.decision}{trial}"
    yield ""
    yield f"Judged at {clock(verdict.at)}. {_cell(verdict.forecast)}".rstrip()
    if verdict.override is not None:
        by = verdict.override
        yield ""
        yield f"Accepted by {_cell(by.name)} ({_cell(by.role)}) until {clock(by.expires)}: {_cell(by.reason)}"
    if verdict.reasons:
        yield ""
    for reason in verdict.reasons[:_MOST_REASONS]:
        yield f"- **{reason.decision}** {_cell(reason.text)}"
    if len(verdict.reasons) > _MOST_REASONS:
        yield f"- and {len(verdict.reasons) - _MOST_REASONS} more"


def _checkpoint_table(records: Sequence[CheckpointRecord]) -> Iterator[str]:
    yield "| checkpoint | held | fail | unknown | warn | waived | pass | services |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |"
    for record in records:
        number = record.counts
        held = STATE_WORDS[record.checkpoint.state]
        if record.checkpoint.begun_at is not None:
            held += f", {clock(record.checkpoint.begun_at)}"
        found = [number[s] for s in (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.WAIVED, Status.PASS)]
        cells = " | ".join(str(count) if record.checkpoint.runs else "" for count in found)
        yield f"| {_cell(record.checkpoint.name)} | {held} | {cells} | {record.services or ''} |"


def _people(people: Sequence[Signatory]) -> Iterator[str]:
    if not people:
        yield "Nobody has to sign in this environment."
    for person in people:
        who = f"{_cell(person.name)}, {clock(person.at)}" if person.name else ""
        key = f", key {_code(person.key)}" if person.key else ""
        note = f" ({_cell(person.note)})" if person.note else ""
        yield f"- {_cell(person.role)}: {person.standing}{f' by {who}' if who else ''}{key}{note}"


def log_text(
    day: Day, hours: Sequence[Hour], form: Form, found: Sequence[Incident], verdict: Verdict, *, name: str
) -> str:
    """The monitoring log: header, an entry for each hour, final assessment, sign-off."""
    title = f"{name.upper()}: {len(hours)}-HOUR MONITORING LOG" + (" (TRIAL)" if verdict.trial else "")
    lines = [
        title,
        "=" * len(title),
        "",
        f"Deployment completed: {clock(form.deployed_at)}",
        f"Monitoring period: {clock(form.begin)} - {clock(day.watch.ends_at)}",
    ]
    for hour in hours:
        lines += [
            "",
            f"HOUR {hour.number} ({hour_range(hour)}{_later(hour, day.watch.starts_at)}):",
            *_hour_lines(hour),
        ]
    lines += ["", "FINAL ASSESSMENT:", *(f"  {what}: {said}" for what, said in assessment(form, found, verdict))]
    lines += ["", "SIGN-OFF:", *(f"  {what}: {said}" for what, said in sign_off(form, verdict))]
    return "\n".join(lines) + "\n"


def hour_range(hour: Hour) -> str:
    """`14:00-15:00`, with seconds where time is compressed."""
    begin, end = hour.begin.astimezone(UTC), hour.end.astimezone(UTC)
    pattern = "%H:%M" if (end - begin).total_seconds() >= 3600 else "%H:%M:%S"
    return f"{begin:{pattern}}-{end:{pattern}}"


def _later(hour: Hour, first: datetime) -> str:
    """Which day it is, if not the first."""
    days = (hour.begin.astimezone(UTC).date() - first.astimezone(UTC).date()).days
    return "" if days == 0 else " next day" if days == 1 else f" {days} days later"


def assessment(form: Form, found: Sequence[Incident], verdict: Verdict) -> list[tuple[str, str]]:
    """The five fields that end the log."""
    told = {result.name: result for result in form.results}
    critical = [incident.subject for incident in found if incident.grade is Grade.CRITICAL]
    overall = "APPROVED FOR GO-LIVE" if form.approved else f"NOT APPROVED ({form.approved_says})"
    if form.approved and verdict.override is not None:
        overall += f" ({form.approved_says})"
    return [
        ("Overall status", one_line(overall)),
        ("Uptime", one_line(_short(told["System uptime"]))),
        ("Critical issues", one_line(f"{len(critical)}: {', '.join(critical)}") if critical else "NONE"),
        ("Security", one_line(_short(told["Security features"]))),
        ("Performance", one_line(_short(told["Performance"]))),
    ]


def sign_off(form: Form, verdict: Verdict) -> list[tuple[str, str]]:
    """Whether everybody approved, when, and whether the system is ready."""
    given = [person for person in form.people if person.counts]
    whole = form.approved_at is not None and len(given) >= form.needed
    missing = ", ".join(person.role for person in form.people if not person.counts)
    if not form.people:
        return [("Leaders", "nobody has to sign in this environment"), ("GO-LIVE READY", _yes(form.approved))]
    if form.needed == len(form.people):
        what = f"All {plural(form.needed, 'leader', 'leaders')} approved"
    else:
        what = f"{form.needed} of {len(form.people)} leaders approved"
    lines = [(what, "YES" if whole else f"NO ({len(given)} of {form.needed}; missing: {one_line(missing)})")]
    when = form.approved_at
    lines += [
        ("Date approved", "-" if when is None else f"{when.astimezone(UTC):%Y-%m-%d}"),
        ("Time approved", "-" if when is None else f"{when.astimezone(UTC):%H:%M} UTC"),
    ]
    ready = _yes(verdict.decision is Decision.GO)
    return [*lines, ("GO-LIVE READY", ready)]


def _hour_lines(hour: Hour) -> list[str]:
    source = f" ({hour.source})" if hour.source == "availability probe" else ""
    notes = [one_line(note) for note in hour.notes] or ["-"]
    return [
        f"  Status: {hour.status}{source}",
        f"  Services: {hour.services}",
        f"  Errors: {hour.errors_told}",
        f"  Notes: {notes[0]}",
        *(f"         {note}" for note in notes[1:]),
    ]


def _short(result: Result) -> str:
    """What it came to, and why if it does not hold."""
    says = result.says.upper()
    if result.mark is Mark.HOLDS:
        return says
    return f"{says} so far" if result.mark is Mark.OPEN else f"{says} ({result.detail})"


def _yes(approved: bool) -> str:
    return "YES" if approved else "NO"


def _cell(text: str) -> str:
    """One line that Markdown and HTML show as it is: no markup, link, mention, reference or cell border."""
    told = re.sub(r"([\\`*_\[\]|~])", r"\\\1", one_line(text, 400))
    return re.sub(r"[&<>@#]", lambda found: f"&#{ord(found[0])};", told)


def _code(text: str) -> str:
    """A word as code, without what could end it or act where code is not known."""
    word = re.sub(r"[`|<>@#&\[\]]", "?", one_line(text, 120))
    return f"`{word}`"
