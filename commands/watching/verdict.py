"""`golive verdict`: may the system go live, and if not, why not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from commands.environment import add_env
from commands.main import CommandError
from commands.watching.opened import add_history, opened
from golive.environment.problems import unknown_name
from golive.judge.changes import changes
from golive.judge.verdict import decide
from golive.judge.wording import moment
from golive.model import Decision, Signature, Verdict, Watch, WatchRecord, utc_text
from reports.text import visible

if TYPE_CHECKING:
    from golive.environment.load import Environment
    from golive.history.store import History

SCHEMA = 1
EXIT_CODES = {Decision.GO: 0, Decision.NO_GO: 1, Decision.PENDING: 3}
_STYLES = {Decision.GO: "bold green", Decision.NO_GO: "bold red", Decision.PENDING: "bold yellow"}
_STATES = {"reached": "green", "missed": "red", "open": "yellow"}
_MARGIN = 9
Line = tuple[str, str, str]
"""What stands in the margin, how it looks, and the text."""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("verdict", help="GO, NO-GO or PENDING, with every reason; exit code 0, 1 or 3")
    add_env(parser)
    add_history(parser)
    add_watch(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, for other programs")
    parser.set_defaults(run=run)


def add_watch(parser: argparse.ArgumentParser) -> None:
    """The option that names a watch."""
    parser.add_argument("--watch", metavar="ID", help="another watch than the one that is open")


def run(options: argparse.Namespace) -> int:
    """Tell the verdict; exit code 0 for GO, 1 for NO-GO, 3 for PENDING."""
    with opened(options) as (environment, history):
        from golive.history.watch_record import watch_record

        now = datetime.now(UTC)
        watch = wanted_watch(options.watch, environment, history)
        record = watch_record(history, environment, watch=watch, now=now)
    verdict = decide(record, now=now)
    changed = changes(record, now=now)
    if options.json:
        print(json.dumps(as_data(record, verdict, changed), indent=1, ensure_ascii=False))
    else:
        _print(list(_told(record, verdict, changed, env=options.env)))
    return EXIT_CODES[verdict.decision]


def wanted_watch(name: str | None, environment: Environment, history: History) -> Watch | None:
    """The watch of that name, None where none is named; CommandError if the environment has no such watch."""
    from golive.history.watches import watches

    if name is None:
        return None
    found = {watch.id: watch for watch in watches(history, environment.name)}
    if name not in found:
        raise CommandError(f"{environment.name}: {unknown_name('watch', name, found)}")
    return found[name]


def as_data(record: WatchRecord, verdict: Verdict, changed: Sequence[str]) -> dict[str, Any]:
    """The verdict as JSON-ready data; `schema` counts up when something that was there changes its meaning."""
    override = verdict.override
    return {
        "schema": SCHEMA,
        "environment": record.environment,
        "system": record.system,
        "decision": verdict.decision.value,
        "trial": verdict.trial,
        "at": utc_text(verdict.at),
        "watch": None if record.watch is None else _watch_data(record.watch, verdict.at),
        "reasons": [asdict(reason) for reason in verdict.reasons],
        "milestones": [asdict(milestone) for milestone in verdict.milestones],
        "earliest": None if verdict.earliest is None else utc_text(verdict.earliest),
        "forecast": verdict.forecast,
        "override": None
        if override is None
        else {
            "role": override.role,
            "name": override.name,
            "at": utc_text(override.at),
            "reason": override.reason,
            "expires": None if override.expires is None else utc_text(override.expires),
        },
        "changes": list(changed),
    }


def _watch_data(watch: Watch, now: datetime) -> dict[str, Any]:
    return {
        "id": watch.id,
        "version": watch.deployment.version,
        "starts_at": utc_text(watch.starts_at),
        "ends_at": utc_text(watch.ends_at) if watch.schedule else None,
        "hour": round(watch.offset_s(now) / 3600, 3),
        "time_scale": watch.time_scale,
        "closed_at": None if watch.closed_at is None else utc_text(watch.closed_at),
    }


def told_decision(verdict: Verdict) -> str:
    """The decision in one line, with what it rests on: `GO by override (trial)`."""
    override = " by override" if verdict.override is not None else ""
    return f"{verdict.decision.value}{override}{' (trial)' if verdict.trial else ''}"


def _told(record: WatchRecord, verdict: Verdict, changed: Sequence[str], *, env: str) -> Iterator[Line]:
    decision = verdict.decision
    yield decision.value, _STYLES[decision], _head(record, verdict)
    if verdict.override is not None:
        yield "override", "bold magenta", _override(verdict.override)
    for reason in verdict.reasons:
        yield reason.decision.value, _STYLES[reason.decision], reason.text
    if verdict.milestones:
        yield "", "", ""
        for milestone in verdict.milestones:
            yield milestone.state, _STATES[milestone.state], f"{milestone.name} ({milestone.until}): {milestone.text}"
    yield "", "", ""
    yield "forecast", "bold", verdict.forecast
    if decision is Decision.NO_GO and record.watch is not None and record.watch.closed_at is None:
        yield "next", "bold", _way_out(record, verdict, env)
    for number, line in enumerate(changed):
        yield "" if number else "changed", "bold", line


def _head(record: WatchRecord, verdict: Verdict) -> str:
    """Whom it is about, which watch, and how far that has come."""
    watch, whom = record.watch, f"{record.system} on {record.environment}"
    if watch is None:
        return f"{whom}, no watch, {moment(verdict.at)}"
    version = f" over version {watch.deployment.version}" if watch.deployment.version else ""
    offset_s, whole_s = watch.offset_s(verdict.at), max((s.offset_s for s in watch.schedule), default=0.0)
    total = f"{whole_s / 3600:g}"
    hours = f"all {total} hours over" if offset_s >= whole_s else f"hour {max(0.0, offset_s) / 3600:.1f} of {total}"
    trial = f", TRIAL at {watch.time_scale:g} times the speed, which proves nothing of {total} hours"
    return f"{whom}, watch {watch.id}{version}, {hours}, {moment(verdict.at)}{trial if verdict.trial else ''}"


def _way_out(record: WatchRecord, verdict: Verdict, env: str) -> str:
    """What can be done about a NO-GO. Nobody can accept altered evidence."""
    altered = any(reason.kind == "tampered" for reason in verdict.reasons)
    role = None if altered else record.sign_off.override_role
    accepts = f"; or the {role} accepts it: golive sign --override" if role else ""
    anew = f"golive watch restart --env={env} --reason=…"
    return f"mend the cause, then begin the watch anew: {anew}{accepts}"


def _override(by: Signature) -> str:
    """Who accepts what stands against GO, until when and why."""
    until = "" if by.expires is None else f" until {moment(by.expires)}"
    return f"{by.name} ({by.role}) accepts what follows{until}: {by.reason}"


def _print(lines: Sequence[Line]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table.grid()
    table.add_column(width=_MARGIN)
    table.add_column(overflow="fold")
    for margin, style, text in lines:
        said = visible(" ".join(text.split()))
        table.add_row(Text(margin, style=style), Text(said))
        # Piped output keeps each reason on one line, whatever the width.
        if not console.is_terminal:
            print(f"{margin:<{_MARGIN}}{said}".rstrip())
    if console.is_terminal:
        console.print(table)
