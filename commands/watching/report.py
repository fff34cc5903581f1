"""`golive report`: the go-live report of a watch, and what else is written from it."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.environment import add_env
from commands.main import CommandError
from commands.watching.opened import add_history, opened, output_folder
from commands.watching.verdict import add_watch, wanted_watch
from golive.judge.verdict import decide
from golive.model import Verdict, WatchRecord
from reports.files import shown, write_whole
from reports.session import GOLIVE_REPORT
from reports.text import plural

if TYPE_CHECKING:
    from golive.environment.load import Environment
    from golive.history.store import History
    from reports.golive.page import Views

_TEXTS = ("markdown", "notification", "log")
_STDOUT = "-"


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("report", help="the go-live report over a watch: HTML, PDF, Markdown, log")
    add_env(parser)
    add_history(parser)
    add_watch(parser)
    parser.add_argument(
        "-o", "--to", metavar="FILE", help="where to write (default: golive.html of the environment; texts to stdout)"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--pdf", action="store_true", help="also as PDF beside the page, if there is a Chromium")
    what.add_argument("--markdown", action="store_true", help="a short summary for a ticket")
    what.add_argument("--notification", action="store_true", help="the announcement; refused unless the verdict is GO")
    what.add_argument("--log", action="store_true", help="the hour-by-hour monitoring log as text")
    what.add_argument("--weekly", action="store_true", help="a page over the runs of the last seven days")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write what was asked for and say where; exit code 1 when there is nothing to write about."""
    now = datetime.now(UTC)
    with opened(options) as (environment, history):
        if options.weekly:
            return _weekly(options, environment, history, now)
        from golive.history.watch_record import watch_record

        watch = wanted_watch(options.watch, environment, history)
        record = watch_record(history, environment, watch=watch, now=now)
        if record.watch is None:
            return _no_watch(environment, history)
        verdict = decide(record, now=now)
        if any(getattr(options, text) for text in _TEXTS):
            return _text(options, environment, record, verdict)
        page = _page(options, environment, history, record, verdict)
    return _pdf(page) if options.pdf else 0


def _page(
    options: argparse.Namespace, environment: Environment, history: History, record: WatchRecord, verdict: Verdict
) -> Path:
    from fixtures.watching import write_report

    path = _target(options, environment, GOLIVE_REPORT)
    try:
        write_report(environment, history, record, verdict, path)
    except OSError as error:
        raise CommandError(f"{path} could not be written: {error.strerror or error}") from error
    against = f", {plural(len(verdict.reasons), 'reason', 'reasons')}" if verdict.reasons else ""
    print(f"{shown(path)}: {verdict.decision}{' (trial)' if verdict.trial else ''}{against}")
    return path


def _pdf(page: Path) -> int:
    from reports.golive.pdf import NotPrinted, print_pdf

    pdf = page.with_suffix(".pdf")
    try:
        print_pdf(page, pdf, environ=os.environ)
    except NotPrinted as error:
        print(error, file=sys.stderr)
        return 1
    print(shown(pdf))
    return 0


def _text(options: argparse.Namespace, environment: Environment, record: WatchRecord, verdict: Verdict) -> int:
    from reports.golive.notification import NotApproved
    from reports.golive.page import views

    seen = views(record, verdict)
    if seen is None:
        raise CommandError(f"the watch of {environment.name} has no checkpoints")
    try:
        text = _written(options, environment, seen, verdict)
    except NotApproved as error:
        print(error, file=sys.stderr)
        return 1
    if options.to in (None, _STDOUT):
        print(text, end="")
    else:
        _write(Path(options.to), text)
    return 0


def _written(options: argparse.Namespace, environment: Environment, seen: Views, verdict: Verdict) -> str:
    from reports.golive import texts
    from reports.golive.notification import notification, system_name

    name = system_name(environment.system, environment.section.says)
    if options.markdown:
        return texts.markdown(verdict, seen.day, seen.records, seen.form)
    if options.log:
        return texts.log_text(seen.day, seen.log, seen.form, seen.incidents, verdict, name=name)
    version, hours = seen.day.watch.deployment.version, seen.day.length_s / 3600
    return notification(seen.form, verdict, name=name, version=version, hours=hours)


def _weekly(options: argparse.Namespace, environment: Environment, history: History, now: datetime) -> int:
    from golive.history.runs import run_record, run_records
    from reports.golive.weekly import bare, begin_of_week, week_of, weekly_page

    known = run_records(history, environment.name, since=begin_of_week(now), outcomes=False)
    # One by one, so that the evidence of hundreds of runs is never held at once.
    found = [bare(record) for one in known if (record := run_record(history, one.run)) is not None]
    page = weekly_page(
        week_of(found, now),
        environment.criteria,
        system=environment.system,
        environment=environment.name,
        says=environment.section.says,
    )
    _write(_target(options, environment, f"weekly-{now:%Y-%m-%d}.html"), page)
    return 0 if found else 1


def _no_watch(environment: Environment, history: History) -> int:
    from golive.history.watches import watches

    closed = watches(history, environment.name)
    hint = f"the last one: --watch={closed[-1].id}" if closed else f"golive watch --env={environment.name} begins one"
    print(f"no watch of {environment.name} is open; {hint}", file=sys.stderr)
    return 1


def _target(options: argparse.Namespace, environment: Environment, name: str) -> Path:
    if options.to == _STDOUT:
        raise CommandError("a page needs a file: -o FILE")
    return Path(options.to) if options.to else output_folder(options) / environment.name / name


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise CommandError(f"{path} could not be written: {error.strerror or error}") from error
    print(shown(path))
