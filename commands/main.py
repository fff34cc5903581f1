"""`golive`: the front desk. Each subcommand is one file of this package with `add(subparsers)`."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from golive import __version__

COMMANDS = (
    "validate",
    "criteria",
    "discover",
    "checks",
    "watching.watch",
    "watching.verdict",
    "watching.note",
    "watching.attest",
    "watching.sign",
    "watching.bundle",
    "watching.verify",
    "watching.report",
    "watching.history",
    "watching.baseline",
    "watching.replay",
    "watching.export",
    "demo",
    "schema",
    "docs",
)
USAGE_ERROR = 4


class CommandError(Exception):
    """A command that cannot do what was asked; the message is for the user, one line a problem."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Exit codes: 0 done, 1 a negative answer, 2 wrong words, 3 pending, 4 unusable environment, 130 Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="golive", description="Decides whether a deployed system may go live.")
    parser.add_argument("--version", action="version", version=f"golive {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"commands.{name}").add(subparsers)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = parser.parse_args(arguments)
    try:
        code = options.run(options)
        sys.stdout.flush()
    except CommandError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; a second flush at exit would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return int(code or 0)


if __name__ == "__main__":
    # Under its own name: as `__main__` it would have a CommandError that no command raises.
    sys.exit(importlib.import_module("commands.main").main())
