"""`golive checks`: the catalogue, or one check with its parameters and runbook."""

from __future__ import annotations

import argparse
from typing import Any

from commands.main import CommandError
from fixtures.options import CATALOGUE
from golive.environment.catalogue import CheckUnusable
from golive.environment.parameters import Parameter, parameters_of
from golive.environment.problems import unknown_name


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("checks", help="list the checks, or show one with its parameters and runbook")
    parser.add_argument("id", nargs="?", help="a check, as in hosts/cpu")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List all checks, or tell everything about one."""
    try:
        if options.id is None:
            width = max(map(len, CATALOGUE.ids))
            for check in CATALOGUE.ids:
                print(f"{check:{width}}  {CATALOGUE.runbook(check).claim}")
        else:
            _show(options.id)
    except CheckUnusable as error:
        raise CommandError(str(error)) from None
    return 0


def _show(check: str) -> None:
    if check not in CATALOGUE.ids:
        raise CommandError(unknown_name("check", check, CATALOGUE.ids))
    runbook = CATALOGUE.runbook(check)
    print(f"{check}: {runbook.claim}\n\nWhy: {runbook.why}\nWhen it fails: {runbook.when_it_fails}\n\nParameters:")
    for parameter in parameters_of(CATALOGUE.params(check)):
        print(_line(parameter))


def _line(parameter: Parameter) -> str:
    meaning = f": {parameter.description}" if parameter.description else ""
    return f"  {parameter.name} ({parameter.kind}, {parameter.default}){meaning}"
