"""What an exported schedule needs where it runs, and what it must not hold."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from commands.main import CommandError
from golive.environment.load import Environment


def references(environment: Environment) -> list[tuple[str, str]]:
    """Kind and name of every reference that is resolved where a run takes place, sorted."""
    from golive.environment.load import read_files

    return sorted({found for source in read_files(environment.file) for found in _in(source.data)})


def _in(value: Any) -> Iterator[tuple[str, str]]:
    from golive.environment.params import REFERENCE

    if isinstance(value, str):
        yield from ((found["kind"], found["name"]) for found in REFERENCE.finditer(value))
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _in(inner)


def must_be_shared(environment: Environment, why: str) -> None:
    """CommandError when the history is a file, where each run begins with another disk; `why` says that it does."""
    if environment.section.history is None:
        raise CommandError(
            f"environment {environment.name}: {why}, so the history must be a server's: add to the environment"
            " history: {url: postgresql://USER@HOST/NAME, password: ${env:HISTORY_PASSWORD}}"
        )


def refuse_unquotable(options: argparse.Namespace) -> None:
    """CommandError for what no format can quote, and for a password that would stand in a schedule."""
    for name, value in vars(options).items():
        if isinstance(value, str) and not value.isprintable():
            raise CommandError(
                f"--{name.replace('_', '-')}: {value!r} has characters in it that a schedule cannot hold"
            )
    history = getattr(options, "history", None) or ""
    if "://" in history and urlsplit(history).password is not None:
        raise CommandError(
            "--history: no password in a schedule: put 'history' into the environment, with 'password: ${env:NAME}'"
        )
