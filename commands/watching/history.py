"""`golive history`: the runs that are kept, the course of a criterion, and removing what is old."""

from __future__ import annotations

import argparse
import math
import re
import shutil
import statistics
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from commands.environment import add_env
from commands.main import CommandError
from commands.watching.opened import add_history, opened
from commands.watching.plot import Dot, far_limits, marks, plot
from golive.environment.params import seconds
from golive.environment.problems import unknown_name
from golive.model import EXTRA, RunRecord, utc_text
from reports.text import duration, one_line, plural

if TYPE_CHECKING:
    from golive.environment.load import Environment
    from golive.history.prune import Pruned
    from golive.history.series import Point, Series
    from golive.history.store import History

_WIDEST = 100
_ORDER = ("pass", "attested", "waived", "not_applicable", "warn", "unknown", "fail")


def add(subparsers: Any) -> None:
    """Register the command and its actions."""
    parser = subparsers.add_parser("history", help="the runs that are kept, the course of a criterion, retention")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="every run: when, which checkpoint, how it ended, what it found")
    showing = actions.add_parser("show", help="plot what a criterion measured")
    showing.add_argument("criterion", help="a criterion, with its item or without")
    showing.add_argument("--name", help="only the measurements of this name")
    pruning = actions.add_parser("prune", help="remove old runs; spares what a decision rests on")
    for action, run in ((listing, _list), (showing, _show), (pruning, _prune)):
        add_env(action)
        add_history(action)
        action.set_defaults(run=run)
    for action in (listing, showing):
        action.add_argument("--since", metavar="WHEN", help="from then on: an age (24h, 7d) or a UTC time (2026-05-01)")
    pruning.add_argument("--older-than", metavar="AGE", required=True, help="runs that began longer ago, as in 90d")
    pruning.add_argument("--dry-run", action="store_true", help="only tell what would go")


def _list(options: argparse.Namespace) -> int:
    """One line a run, oldest first; exit code 1 when there is none."""
    since = _since(options.since)
    with opened(options) as (environment, history):
        from golive.history.runs import counts, run_records

        records = run_records(history, environment.name, since=since, outcomes=False)
        found = counts(history, environment.name)
    if not records:
        print(f"no run of {environment.name} is kept" + (f" since {utc_text(since)}" if since else ""))
        return 1
    _print_runs([_row(record, found.get(record.run, Counter())) for record in records])
    print(plural(len(records), "run", "runs"))
    return 0


def _row(record: RunRecord, found: Counter[str]) -> tuple[str, ...]:
    told = ", ".join(f"{found[word]} {word.replace('_', ' ')}" for word in _ORDER if found[word])
    place = {None: "-", EXTRA: "extra run"}.get(record.checkpoint, record.checkpoint or "-")
    return record.run, utc_text(record.started_at)[:19] + "Z", place, _state(record), told or "nothing judged"


def _state(record: RunRecord) -> str:
    if record.aborted is not None:
        return one_line(f"aborted: {record.aborted}")
    if record.finished_at is None:
        return "going on"
    return f"complete in {duration((record.finished_at - record.started_at).total_seconds())}"


def _print_runs(rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    # Piped output keeps each run on one line, whatever the width.
    console = Console()
    if not console.is_terminal:
        for row in rows:
            print("\t".join(row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("run", "began", "checkpoint", "state", "outcomes"):
        table.add_column(column, overflow="fold", no_wrap=column in ("run", "began"))
    for row in rows:
        table.add_row(*row)
    console.print(table, markup=False)


def _show(options: argparse.Namespace) -> int:
    """Plot every series of a criterion; exit code 1 when it has no point."""
    since = _since(options.since)
    with opened(options) as (environment, history):
        from golive.history.series import series

        wanted = _wanted(options.criterion, environment, history)
        every = [s for c in wanted for s in series(history, environment.name, c)]
        found = (
            every if since is None else [s for c in wanted for s in series(history, environment.name, c, since=since)]
        )
    names = {s.name for s in every}
    if options.name is not None and every and options.name not in names:
        raise CommandError(f"{options.criterion}: {unknown_name('measurement', options.name, names)}")
    chosen = [s for s in found if options.name in (None, s.name)]
    if not chosen:
        print(f"{options.criterion}: {_nothing(every, since)}")
        return 1
    for number, one in enumerate(chosen):
        print(*([""] if number else []), *_told(one), sep="\n")
    return 0


def _wanted(criterion: str, environment: Environment, history: History) -> list[str]:
    """The full ids that are meant: the criterion itself, or all its items."""
    from golive.history.series import measured

    known = {*measured(history, environment.name), *(c.id for c in environment.criteria)}
    meant = sorted(i for i in known if criterion in (i, i.partition("[")[0]))
    if not meant:
        raise CommandError(unknown_name("criterion", criterion, known | {i.partition("[")[0] for i in known}))
    return meant


def _nothing(every: Sequence[Series], since: datetime | None) -> str:
    if not every or since is None:
        return "nothing was measured yet"
    last = max(point.at for one in every for point in one.points)
    return f"nothing was measured since {utc_text(since)}, the last time was {utc_text(last)}"


def _told(one: Series) -> Iterator[str]:
    points = one.points
    unit = f" ({one_line(one.unit)})" if one.unit else ""
    yield f"{one.criterion}: {one_line(one.name)}{unit}, {plural(len(points), 'value', 'values')}"
    dots = [Dot(p.at, p.value, p.warning, p.critical) for p in points]
    width, unicode = min(_WIDEST, shutil.get_terminal_size().columns), _shows_braille()
    yield from plot(dots, width=width, unicode=unicode)
    yield "  ".join(_figures(points, marks(unicode=unicode)))
    if far := far_limits(dots):
        yield f"too far off to be drawn: {', '.join(far)}"


def _figures(points: Sequence[Point], mark: Mapping[str, str]) -> Iterator[str]:
    finite = [p.value for p in points if math.isfinite(p.value)]
    if finite:
        middle = statistics.median(finite)
        yield f"min {min(finite):.6g}  median {middle:.6g}  max {max(finite):.6g}  last {points[-1].value:.6g}"
    if len(finite) < len(points):
        yield f"not finite {len(points) - len(finite)}"
    last = points[-1]
    for name, limit in (("warning", last.warning), ("critical", last.critical)):
        if limit is not None:
            rule = "at least" if last.better == "higher" else "at most" if last.inclusive else "below"
            yield f"{mark[name]} {name}: {rule} {limit:.6g}"


def _shows_braille() -> bool:
    if not sys.stdout.isatty():
        return False
    try:
        "⣿┄━└│".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _prune(options: argparse.Namespace) -> int:
    """Remove what is old, and tell what went and what stayed."""
    age_s = _age(options.older_than, "--older-than")
    with opened(options) as (environment, history):
        from golive.history.prune import prune

        pruned = prune(
            history,
            older_than_s=age_s,
            now=datetime.now(UTC),
            environment=environment.name,
            dry_run=options.dry_run,
        )
    for line in _pruned(pruned, dry_run=options.dry_run):
        print(line)
    return 0


def _pruned(pruned: Pruned, *, dry_run: bool) -> Iterator[str]:
    gone = (
        (pruned.runs, "run", "runs"),
        (pruned.outcomes, "outcome", "outcomes"),
        (pruned.measurements, "measurement", "measurements"),
        (pruned.watches, "closed watch", "closed watches"),
        (pruned.probe_spans, "availability span", "availability spans"),
        (pruned.signatures, "signature", "signatures"),
        (pruned.notes, "note", "notes"),
        (pruned.criteria_sets, "set of rules", "sets of rules"),
    )
    told = ", ".join(plural(count, one, many) for count, one, many in gone if count) or "nothing"
    yield f"{'would remove' if dry_run else 'removed'}: {told}"
    spared = (
        (pruned.spared_open, "of an open watch"),
        (pruned.spared_signed, "of the last watch that was signed"),
        (pruned.spared_baseline, "of a baseline in force"),
    )
    for count, why in spared:
        if count:
            yield f"spared: {plural(count, 'run', 'runs')} {why}"


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}.*", text):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise CommandError(f"--since: {text!r} is no time ({error})") from None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return datetime.now(UTC) - timedelta(seconds=_age(text, "--since"))


def _age(text: str, option: str) -> float:
    try:
        age_s = seconds(text)
        datetime.now(UTC) - timedelta(seconds=age_s)
    except ValueError as error:
        raise CommandError(f"{option}: {error}") from None
    except OverflowError:
        raise CommandError(f"{option}: {text} is longer than there have been times") from None
    return age_s
