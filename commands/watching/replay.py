"""`golive replay`: stored measurements judged again under other rules, without touching the target."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from commands.environment import add_env
from commands.main import CommandError
from commands.watching.opened import add_history, as_far_as_known, opened
from commands.watching.verdict import wanted_watch
from golive.environment.problems import shown_path, unknown_name
from golive.judge.replay import Difference, Replay, Rule, Rules, replay
from golive.judge.wording import checkpoints, criteria, listed
from golive.model import EXTRA, RunRecord
from reports.text import plural, visible

if TYPE_CHECKING:
    from golive.environment.load import Environment
    from golive.history.store import History

SCHEMA = 1
_STYLES = {"outcome": "bold yellow", "unjudgeable": "bold magenta", "new": "cyan", "gone": "cyan"}


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("replay", help="judge stored measurements under new limits, without the target")
    add_env(parser)
    add_history(parser)
    parser.add_argument(
        "--env-file", metavar="PATH", help="an environment file with the new rules (default: those of --env as it is)"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--run", dest="one", metavar="RUN", help="one run (default: the runs of the open watch, or the last run)"
    )
    which.add_argument("--watch", metavar="ID", help="the runs of another watch than the one that is open")
    parser.add_argument("--json", action="store_true", help="as JSON, for other programs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show which outcomes would differ; exit code 0 when none would, 1 when one would or cannot be judged again."""
    with opened(options) as (environment, history):
        runs = _runs(options, environment, history)
        before = _rules_before(runs, history)
    present = as_far_as_known(options.env_file, {}) if options.env_file else environment
    found = replay(runs, before, _rules(present))
    if options.json:
        print(json.dumps(_data(environment, present, runs, found), indent=1, ensure_ascii=False))
    else:
        _print(list(_told(present, runs, found)))
    return 1 if found.differs else 0


def _runs(options: argparse.Namespace, environment: Environment, history: History) -> list[RunRecord]:
    """The runs that are asked for, at least one."""
    from golive.history.runs import run_record, run_records, runs_of_watch
    from golive.history.watches import current_watch

    name = environment.name
    if options.one is not None:
        record = run_record(history, options.one)
        if record is None or record.environment != name:
            known = [run.run for run in run_records(history, name, outcomes=False)]
            raise CommandError(f"{name}: {unknown_name('run', options.one, known)}")
        return [record]
    watch = wanted_watch(options.watch, environment, history) or current_watch(history, name)
    found = runs_of_watch(history, watch.id) if watch else run_records(history, name)[-1:]
    if not found:
        raise CommandError(f"no run of {watch.id if watch else name} is kept, so there is nothing to judge again")
    return found


def _rules_before(runs: Sequence[RunRecord], history: History) -> dict[str, dict[str, Rule]]:
    """The rules that the runs were judged by, by digest and criterion; those that are not kept are left out."""
    from golive.history.criteria_sets import criteria_data

    digests = dict.fromkeys(run.criteria_digest for run in runs)
    kept = {digest: criteria_data(history, digest) for digest in digests}
    return {digest: {rule["id"]: rule for rule in rules} for digest, rules in kept.items() if rules}


def _rules(environment: Environment) -> Rules:
    from golive.history.criteria_sets import as_data

    return Rules(
        criteria={criterion.id: criterion for criterion in environment.criteria},
        data={rule["id"]: rule for rule in as_data(environment.criteria, environment.secrets)},
        waivers=environment.waivers,
    )


def _data(environment: Environment, present: Environment, runs: Sequence[RunRecord], found: Replay) -> dict[str, Any]:
    """The replay as JSON-ready data; `schema` counts up when something that was there changes its meaning."""
    return {
        "schema": SCHEMA,
        "environment": environment.name,
        "system": environment.system,
        "rules": shown_path(present.file),
        "runs": [run.run for run in runs],
        "judged": found.judged,
        "differs": found.differs,
        "differences": [asdict(difference) for difference in found.differences],
        "followers": list(found.followers),
        "without_rules": list(found.without_rules),
    }


def _told(present: Environment, runs: Sequence[RunRecord], found: Replay) -> Iterator[tuple[str, str]]:
    """Each line with the style of what stands before its colon."""
    amount = plural(found.judged, "outcome", "outcomes")
    yield "", f"{amount} of {plural(len(runs), 'run', 'runs')} under the rules of {shown_path(present.file)}"
    for group in _folded(found.differences):
        first = group[0]
        yield _STYLES.get(first.kind, "bold"), f"{first.criterion}{_places(group)}: {first.text}"
    if found.followers:
        yield "dim", f"these look back on others and may follow: {criteria(found.followers)}"
    if found.without_rules:
        runs_ = plural(len(found.without_rules), "run", "runs")
        yield "bold magenta", f"the rules are not kept that {runs_} had: {listed(found.without_rules, shown=3)}"
    yield "bold", _sum(found)


def _folded(differences: Sequence[Difference]) -> list[list[Difference]]:
    """Those that are the same but for the run."""
    groups: dict[tuple[object, ...], list[Difference]] = {}
    for difference in differences:
        key = (difference.kind, difference.criterion, difference.before, difference.after)
        groups.setdefault(key, []).append(difference)
    return list(groups.values())


def _places(group: Sequence[Difference]) -> str:
    """Where it differs: checkpoints, and how many runs beside them."""
    labels = list(dict.fromkeys(d.checkpoint for d in group if d.checkpoint not in (None, EXTRA)))
    others = len([d for d in group if d.run is not None and d.checkpoint in (None, EXTRA)])
    told = [checkpoints([label for label in labels if label])] if labels else []
    if others:
        told.append(plural(others, "other run", "other runs") if labels else plural(others, "run", "runs"))
    return f" at {listed(told)}" if labels else f" in {listed(told)}" if told else ""


def _sum(found: Replay) -> str:
    kinds = [difference.kind for difference in found.differences]
    parts = [
        (kinds.count("outcome"), "outcome would differ", "outcomes would differ"),
        (kinds.count("unjudgeable"), "outcome cannot be judged again", "outcomes cannot be judged again"),
        (kinds.count("new"), "criterion is new", "criteria are new"),
        (kinds.count("gone"), "criterion is gone", "criteria are gone"),
        (kinds.count("severity"), "severity would differ", "severities would differ"),
        (kinds.count("occasions"), "criterion is judged at other times", "criteria are judged at other times"),
        (len(found.without_rules), "run cannot be judged again", "runs cannot be judged again"),
    ]
    return ", ".join(plural(count, one, many) for count, one, many in parts if count) or "nothing would differ"


def _print(lines: Sequence[tuple[str, str]]) -> None:
    from rich.console import Console
    from rich.text import Text

    # Piped output keeps each difference on one line, whatever the width.
    console = Console()
    for style, line in lines:
        said = visible(" ".join(line.split()))
        if console.is_terminal:
            name, colon, rest = said.partition(": ")
            console.print(Text.assemble((name + colon, style), rest))
        else:
            print(said)
