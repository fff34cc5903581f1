"""`golive schema`: the JSON Schema that editors check environments with."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from commands.main import CommandError
from fixtures.options import CATALOGUE, ENVIRONMENTS
from golive.environment.catalogue import CheckUnusable
from golive.environment.json_schema import schema_text
from golive.environment.problems import shown_path

FILE = ENVIRONMENTS / "schema.json"


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("schema", help="write environments/schema.json from the parameters of all checks")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the file is stale")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the schema, or say whether the committed one is current."""
    try:
        text = schema_text(CATALOGUE)
    except CheckUnusable as error:
        raise CommandError(str(error)) from None
    current = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    if not options.check:
        FILE.write_text(text, encoding="utf-8")
        print(f"{shown_path(FILE)}: {'unchanged' if current == text else 'written'}")
        return 0
    if current != text:
        print(f"{shown_path(FILE)} is stale: run 'golive schema'", file=sys.stderr)
        return 1
    return 0
