"""The environment and its history, as the commands that look back use them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from commands.environment import demo_values, load
from commands.main import CommandError
from fixtures.options import CATALOGUE, ENVIRONMENTS, PROJECT, no_environment
from golive.environment.load import Environment, find_environment, is_demo, load_environment, read_files
from golive.environment.params import REFERENCE
from golive.environment.problems import EnvironmentInvalid
from golive.environment.references import Provider, Unresolved, standard_providers

if TYPE_CHECKING:
    from golive.history.store import History


def add_history(parser: argparse.ArgumentParser) -> None:
    """Where the history of the environment (`add_env`) is."""
    parser.add_argument(
        "--history",
        metavar="PATH|URL",
        help="where runs are kept: a SQLite file or a postgresql:// URL (default: as the environment says, "
        "or history.sqlite beside the reports)",
    )
    parser.add_argument("--output", metavar="DIR", help="where reports are, as for pytest (default: reports/output)")


@contextmanager
def opened(
    options: argparse.Namespace, *, create: bool = False, resolved: bool = False
) -> Iterator[tuple[Environment, History]]:
    """The environment that was asked for and its history; CommandError for all trouble with either, also inside.

    A reference without a value here (`${env:…}`) is left as it is written, since looking back needs no target: only
    the address and the password of the history must be known. With `resolved` every reference must be.
    """
    from fixtures.watching import history_place
    from golive.history.store import History, HistoryUnusable

    missing: dict[str, str] = {}
    environment = load(options) if resolved else as_far_as_known(options.env, missing)
    output = output_folder(options)
    where, password = history_place(options.history, environment, output)
    for text in (where, password or ""):
        for reference in REFERENCE.finditer(text):
            raise CommandError(f"history: {reference[0]} {missing.get(reference[0], 'has no value here')}")
    try:
        if create and "://" not in where and not options.history:
            Path(where).parent.mkdir(parents=True, exist_ok=True)
        with History.open(where, password=password, create=create) as history:
            yield environment, history
    except HistoryUnusable as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"history {where}: {error.strerror or error}") from None


def output_folder(options: argparse.Namespace) -> Path:
    """Where the reports of all environments are."""
    return Path(options.output or PROJECT / "reports" / "output").resolve()


def as_far_as_known(wanted: str | None, missing: dict[str, str]) -> Environment:
    """The environment with every reference that has a value; why the others have none goes to `missing`."""
    if not wanted:
        raise CommandError(no_environment())
    try:
        sources = read_files(find_environment(wanted, ENVIRONMENTS))
        providers = standard_providers(sources[-1].file.parent, os.environ)
        if is_demo(sources):
            providers["demo"] = _demo_provider(demo_values())
        lenient = {kind: _lenient(kind, provider, missing) for kind, provider in providers.items()}
        return load_environment(sources, catalogue=CATALOGUE, project=PROJECT, providers=lenient)
    except EnvironmentInvalid as error:
        raise CommandError(str(error)) from None


def _lenient(kind: str, provider: Provider, missing: dict[str, str]) -> Provider:
    def provide(name: str) -> str:
        try:
            return provider(name)
        except Unresolved as error:
            reference = f"${{{kind}:{name}}}"
            missing[reference] = str(error)
            return reference

    return provide


def _demo_provider(values: Mapping[str, str] | None) -> Provider:
    def provide(key: str) -> str:
        if values is None:
            raise Unresolved("is unknown while the demo is down: golive demo up")
        if key not in values:
            raise Unresolved("is unknown to the demo")
        return values[key]

    return provide
