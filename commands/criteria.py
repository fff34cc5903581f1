"""`golive criteria`: every criterion of an environment and how it is answered."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import Any

from commands.environment import add_env, load
from golive.model import Criterion
from reports.text import visible


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("criteria", help="list every criterion and how it is answered")
    add_env(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, for other programs")
    parser.add_argument(
        "--answer",
        choices=("check", "attest", "feature", "not_applicable", "unanswered"),
        help="only the criteria that are answered this way",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List the criteria; references are not resolved, so nothing needs to be up."""
    environment = load(options, resolved=False)
    chosen = [c for c in environment.criteria if options.answer in (None, c.answer)]
    if options.json:
        print(json.dumps(_all_data(chosen), indent=1, ensure_ascii=False))
    else:
        _print_table(chosen)
    return 0


def _all_data(criteria: list[Criterion]) -> list[dict[str, Any]]:
    """One object for each criterion; `items` are the parts that `for_each` expands it to."""
    groups: dict[str, list[Criterion]] = {}
    for criterion in criteria:
        groups.setdefault(criterion.base_id, []).append(criterion)
    return [_data(group) for group in groups.values()]


def _data(group: list[Criterion]) -> dict[str, Any]:
    first = group[0]
    return {
        "id": first.base_id,
        "says": first.says,
        "severity": first.severity.value,
        "when": [w.value for w in first.when],
        "answer": first.answer,
        "by": _by(first),
        "place": str(first.place),
        "items": [{"id": c.id, "says": c.says, "by": _by(c)} for c in group if c.item is not None],
    }


def _by(criterion: Criterion) -> str | None:
    if criterion.answer == "attest":
        return f"the {criterion.params.role}"
    if criterion.answer == "not_applicable":
        return str(criterion.params.reason)
    return criterion.check or criterion.feature


def _row(criterion: Criterion) -> tuple[str, ...]:
    by, says = (visible(" ".join(text.split())) for text in (_by(criterion) or "", criterion.says))
    return criterion.id, criterion.severity.value, criterion.answer, by, says


def _print_table(criteria: list[Criterion]) -> None:
    from rich.console import Console
    from rich.table import Table

    # Piped output keeps each criterion on one line, whatever the width.
    console = Console()
    if not console.is_terminal:
        for criterion in criteria:
            print("\t".join(_row(criterion)))
    else:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in ("criterion", "severity", "answered by", "says"):
            table.add_column(column, overflow="fold")
        for criterion in criteria:
            name, severity, answer, by, says = _row(criterion)
            table.add_row(name, severity, f"{answer}: {by}" if by else answer, says)
        console.print(table, markup=False)
    answers = Counter({c.base_id: c.answer for c in criteria}.values())
    counted = ", ".join(f"{count} {answer}" for answer, count in answers.most_common())
    print(f"{answers.total()} criteria" + (f": {counted}" if counted else ""))
