"""`golive baseline`: the good run that later ones are compared with."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from commands.environment import add_env
from commands.main import CommandError
from commands.watching.opened import add_history, opened
from fixtures.baselines import HOW
from golive.environment.problems import unknown_name
from golive.judge.limits import number
from golive.judge.trends import Change, compared, typical
from golive.model import EXTRA, Outcome, RunRecord, Status, utc_text
from reports.text import one_line, plural

if TYPE_CHECKING:
    from golive.history.baselines import Baseline
    from golive.history.store import History

_LAST = "last"
_NAMED = 5


def add(subparsers: Any) -> None:
    """Register the command and its actions."""
    parser = subparsers.add_parser("baseline", help="the good run that later ones are compared with")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    setting = actions.add_parser("set", help="keep the values of a run, or the medians of a watch, as baseline")
    setting.add_argument("which", nargs="?", metavar="RUN", help=f"id of a run, or '{_LAST}'")
    setting.add_argument("--from-watch", action="store_true", help="the medians over the checkpoints of the last watch")
    setting.add_argument("--name", help="name of the baseline (default: the deployed version, else the run)")
    setting.add_argument(
        "--passed-only", action="store_true", help="take a run with failures, without the values of what failed in it"
    )
    showing = actions.add_parser("show", help="the values of a baseline")
    comparing = actions.add_parser("compare", help="a run beside the baseline: what is worse, what is better")
    comparing.add_argument("which", nargs="?", default=_LAST, metavar="RUN", help=f"id of a run (default: {_LAST})")
    comparing.add_argument(
        "--worse-than", type=float, metavar="PERCENT", help="exit code 1 if a value is worse by more than this"
    )
    invalidating = actions.add_parser("invalidate", help="compare with a baseline no more")
    invalidating.add_argument("--reason", default="", help="why it is no measure any more")
    listing = actions.add_parser("list", help="every baseline, oldest first")
    for action in (showing, comparing, invalidating):
        action.add_argument("--name", help="another baseline than the one in force")
    for action in (showing, comparing):
        action.add_argument("--json", action="store_true", help="as JSON, for other programs")
    every = ((setting, _set), (showing, _show), (comparing, _compare), (invalidating, _invalidate), (listing, _list))
    for action, run in every:
        add_env(action)
        add_history(action)
        action.set_defaults(run=run)


def _set(options: argparse.Namespace) -> int:
    """Keep a new baseline; it is in force at once."""
    if (options.which is None) is not options.from_watch:
        raise CommandError("baseline set: say which run (`golive baseline set RUN`), or --from-watch")
    with opened(options) as (environment, history):
        from golive.history.baselines import Baseline, BaselineValue, set_baseline

        name = environment.name
        runs = _of_watch(history, name) if options.from_watch else [_run(history, name, options.which)]
        left_out = _refuse_bad(runs, passed_only=options.passed_only)
        values = typical([_for_a_first_one(o) for o in run.outcomes] for run in runs)
        if not values:
            raise CommandError(f"run {runs[-1].run} has measured nothing that could be compared")
        made = Baseline(
            name=options.name or runs[-1].deployment.version or runs[-1].run,
            environment=name,
            version=runs[-1].deployment.version,
            made_at=datetime.now(UTC),
            runs=tuple(run.run for run in runs),
            values={key: BaselineValue(value, samples) for key, (value, samples) in values.items()},
        )
        set_baseline(history, made)
    print(f"baseline {made.name}: {_content(made)}")
    if left_out:
        print(f"left out, since they did not hold: {', '.join(left_out)}")
    return 0


def _show(options: argparse.Namespace) -> int:
    """Tell every value of a baseline."""
    with opened(options) as (environment, history):
        found = _wanted(history, environment.name, options.name)
    if options.json:
        print(json.dumps(_data(found), indent=1, ensure_ascii=False))
        return 0
    print(_head(found))
    rows = [(c, n, _with_unit(v.value, u), str(v.samples or "")) for (c, n, u), v in sorted(found.values.items())]
    _print_table(("criterion", "measurement", "value", "runs"), rows)
    return 0


def _compare(options: argparse.Namespace) -> int:
    """Tell every value of a run beside the baseline's, the worst first.

    Exit code 1 when nothing can be compared, or with `--worse-than` when a value is worse by more than that.
    """
    if options.worse_than is not None and not options.worse_than >= 0:
        raise CommandError(f"--worse-than: a percentage of 0 or more; got {options.worse_than:g}")
    with opened(options) as (environment, history):
        found = _wanted(history, environment.name, options.name)
        run = _run(history, environment.name, options.which)
    changes = compared(run.outcomes, {key: value.value for key, value in found.values.items()})
    limit = options.worse_than
    beyond = [change for change in changes if limit is not None and change.worse_percent > limit]
    if options.json:
        data = {"run": run.run, "baseline": found.name, "changes": [_change_data(change) for change in changes]}
        print(json.dumps(data, indent=1, ensure_ascii=False))
    else:
        print(f"run {run.run} beside {_head(found)}")
        _print_table(
            ("criterion", "measurement", "value", "baseline", "change", ""), [_change_row(change) for change in changes]
        )
        print(_sum(changes, found))
        for change in beyond:
            print(f"worse by more than {limit:g} %: {change.criterion}: {one_line(change.name)}")
    return 1 if beyond or not changes else 0


def _invalidate(options: argparse.Namespace) -> int:
    """Compare with it no more; it stays in the history with the reason."""
    if not options.reason.strip():
        raise CommandError("--reason: say why, for those who ask later")
    with opened(options) as (environment, history):
        from golive.history.baselines import baseline, invalidate

        found = _wanted(history, environment.name, options.name)
        if found.invalid_at is not None:
            raise CommandError(f"baseline {found.name} {_state(found)}")
        invalidate(history, environment.name, found.name, datetime.now(UTC), options.reason.strip())
        left = baseline(history, environment.name)
    print(f"baseline {found.name} is not compared with any more")
    print(f"in force now: {left.name}" if left else "no baseline is in force now: golive baseline set RUN")
    return 0


def _list(options: argparse.Namespace) -> int:
    """One line a baseline, oldest first; exit code 1 when there is none."""
    with opened(options) as (environment, history):
        from golive.history.baselines import baseline, baselines

        every = baselines(history, environment.name)
        current = baseline(history, environment.name)
    if not every:
        print(f"{environment.name} has no baseline yet: golive baseline set RUN")
        return 1
    force = current.name if current else None
    rows = [
        (b.name, b.version, utc_text(b.made_at)[:19] + "Z", _content(b), "in force" if b.name == force else _state(b))
        for b in every
    ]
    _print_table(("baseline", "version", "made", "of", "state"), rows)
    return 0


def _run(history: History, environment: str, which: str) -> RunRecord:
    """The run of that id, or the last one that came to its end; CommandError if there is none."""
    from golive.history.runs import run_record, run_records

    known = [r.run for r in run_records(history, environment, complete=which == _LAST, outcomes=False)]
    if which == _LAST and not known:
        raise CommandError(f"{environment}: no run has come to its end yet")
    chosen = known[-1] if which == _LAST else which
    found = run_record(history, chosen) if chosen in known else None
    if found is None:
        raise CommandError(f"{environment}: {unknown_name('run', which, [*known[-_NAMED:], _LAST])}")
    return found


def _of_watch(history: History, environment: str) -> list[RunRecord]:
    """The checkpoints of the last watch that came to their end; CommandError if there are none."""
    from golive.history.runs import run_records
    from golive.history.watches import watches

    known = watches(history, environment)
    if not known:
        raise CommandError(f"{environment}: there is no watch yet")
    runs = run_records(history, environment, watch=known[-1].id, complete=True)
    chosen = [run for run in runs if run.checkpoint not in (None, EXTRA)]
    if not chosen:
        raise CommandError(f"{environment}: no checkpoint of watch {known[-1].id} has come to its end yet")
    return chosen


def _for_a_first_one(outcome: Outcome) -> Outcome:
    """What only waits for a baseline counts as good in the first one."""
    return replace(outcome, status=Status.PASS) if _waits_for_a_baseline(outcome) else outcome


def _waits_for_a_baseline(outcome: Outcome) -> bool:
    """Whether it is unknown only because there was no baseline: such a run can be the first one."""
    parts = outcome.message.split("; ")
    return outcome.status is Status.UNKNOWN and bool(outcome.measurements) and all(p.endswith(HOW) for p in parts)


def _refuse_bad(runs: Sequence[RunRecord], *, passed_only: bool) -> list[str]:
    """The criteria that did not hold; CommandError for a run that is no example, unless their values are left out."""
    for run in runs:
        if not run.complete:
            why = f"was broken off ({run.aborted})" if run.aborted else "still goes on"
            raise CommandError(f"run {run.run} {why}: a baseline is a run that came to its end")
    # Whether people have signed, and what follows from earlier runs, says nothing about the values of this one.
    seen = [o for run in runs for o in run.outcomes if not (o.check or "").startswith(("people/", "history/"))]
    blocking = list(dict.fromkeys(o.criterion for o in seen if o.status.blocks and not _waits_for_a_baseline(o)))
    if blocking and not passed_only:
        told = ", ".join(blocking[:_NAMED]) + (" …" if len(blocking) > _NAMED else "")
        raise CommandError(
            f"{plural(len(blocking), 'criterion', 'criteria')} did not hold ({told}): a baseline is a good run. "
            "--passed-only leaves their values out"
        )
    waived = (o.criterion for o in seen if o.status is Status.WAIVED)
    return list(dict.fromkeys([*blocking, *waived]))


def _wanted(history: History, environment: str, name: str | None) -> Baseline:
    from golive.history.baselines import baseline, baselines

    found = baseline(history, environment, name)
    if found is None:
        known = [one.name for one in baselines(history, environment)]
        if name is not None:
            raise CommandError(f"{environment}: {unknown_name('baseline', name, known)}")
        hint = f" ({', '.join(known)}: not valid any more)" if known else ""
        raise CommandError(f"{environment}: no baseline is in force{hint}: golive baseline set RUN")
    return found


def _head(one: Baseline) -> str:
    version = f", version {one.version}" if one.version else ""
    return f"baseline {one.name}{version}: {_content(one)}, made {utc_text(one.made_at)[:19]}Z, {_state(one)}"


def _content(one: Baseline) -> str:
    runs = f"run {one.runs[0]}" if len(one.runs) == 1 else f"the medians of {len(one.runs)} checkpoints"
    return f"{plural(len(one.values), 'value', 'values')} of {runs}"


def _state(one: Baseline) -> str:
    if one.invalid_at is None:
        return "valid"
    return f"is not valid since {utc_text(one.invalid_at)[:19]}Z ({one.invalid_because})"


def _sum(changes: Sequence[Change], found: Baseline) -> str:
    counts = [f"{sum(c.word == word for c in changes)} {word}" for word in ("worse", "better", "same")]
    met = {(c.criterion, c.name, c.unit) for c in changes}
    missing = len(found.values.keys() - met)
    left = f"; {plural(missing, 'value', 'values')} of the baseline not measured in this run" if missing else ""
    return ", ".join(counts) + left


def _change_row(change: Change) -> tuple[str, ...]:
    percent = f"{change.percent:+.1f} %" if math.isfinite(change.percent) else "from 0"
    value, base = _with_unit(change.value, change.unit), _with_unit(change.base, change.unit)
    return change.criterion, change.name, value, base, percent, change.word


def _change_data(change: Change) -> dict[str, Any]:
    return {
        "criterion": change.criterion,
        "name": change.name,
        "unit": change.unit,
        "value": change.value,
        "baseline": change.base,
        "percent": change.percent if math.isfinite(change.percent) else None,
        "change": change.word,
    }


def _data(one: Baseline) -> dict[str, Any]:
    return {
        "name": one.name,
        "environment": one.environment,
        "version": one.version,
        "made_at": utc_text(one.made_at),
        "runs": list(one.runs),
        "invalid_at": utc_text(one.invalid_at) if one.invalid_at else None,
        "invalid_because": one.invalid_because,
        "values": [
            {"criterion": c, "name": n, "unit": u, "value": v.value, "runs": v.samples}
            for (c, n, u), v in sorted(one.values.items())
        ],
    }


def _with_unit(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".rstrip()


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Piped output keeps each row on one line, whatever the width.
    console = Console()
    shown = [[one_line(cell) for cell in row] for row in rows]
    if not console.is_terminal:
        for row in shown:
            print("\t".join(row))
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in shown:
        table.add_row(*map(Text, row))
    console.print(table)
