"""`golive validate`: everything that is wrong with an environment, at once."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from commands.environment import add_env, load
from golive.environment.problems import shown_path


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("validate", help="check an environment and its criteria; every problem at once")
    add_env(parser)
    parser.add_argument("--offline", action="store_true", help="leave ${env:…} and other references unresolved")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Exit code 0 when the environment can be used, 4 with one line a problem when it cannot."""
    environment = load(options, resolved=not options.offline)
    answers = Counter({c.base_id: c.answer for c in environment.criteria}.values())
    told = ", ".join(f"{count} {answer}" for answer, count in sorted(answers.items()))
    print(f"{shown_path(environment.file)}: valid, {answers.total()} criteria ({told})")
    return 0
