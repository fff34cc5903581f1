"""`--env` as the commands use it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from commands.main import CommandError
from fixtures.options import environment_of, no_environment
from golive.environment.load import Environment
from golive.environment.problems import EnvironmentInvalid


def add_env(parser: argparse.ArgumentParser) -> None:
    """The option that names the environment."""
    parser.add_argument("--env", metavar="NAME", help="name of environments/NAME.yaml, or the path of a file")


def load(options: argparse.Namespace, *, resolved: bool = True) -> Environment:
    """The environment that was asked for; CommandError with every problem, one a line."""
    if not options.env:
        raise CommandError(no_environment())
    try:
        return environment_of(options.env, demo_values, resolved=resolved)
    except EnvironmentInvalid as error:
        raise CommandError(str(error)) from None


def demo_values() -> Mapping[str, str] | None:
    """Values of the demo if it is up; a command does not start it."""
    from demo import control

    state = control.state()
    return None if state is None else {**state.values, **state.secrets}
