"""`golive watch`: every checkpoint on schedule, availability in between, and the verdict at the end."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from commands.environment import add_env
from commands.main import CommandError
from commands.watching.opened import add_history, opened
from golive.model import CouldNotLook

if TYPE_CHECKING:
    from commands.watching.board import Board
    from golive.environment.load import Environment


def add(subparsers: Any) -> None:
    """Register the command and its actions."""
    parser = subparsers.add_parser(
        "watch", help="keep the watch: checkpoints on schedule, availability in between, the verdict at the end"
    )
    _add_common(parser)
    _add_scale(parser)
    parser.add_argument(
        "--probes-only", action="store_true", help="only probe availability; the checkpoints are run by others (cron)"
    )
    parser.add_argument("--once", action="store_true", help="run the checkpoint that is due, if one is, and end")
    parser.set_defaults(run=_watch)
    actions = parser.add_subparsers(metavar="ACTION")
    # What stands before the action must not be undone by what does not stand after it.
    restarting = actions.add_parser(
        "restart",
        help="begin a new watch whose hour 0 is now, since something was changed",
        argument_default=argparse.SUPPRESS,
    )
    restarting.add_argument("--reason", default="", help="what was changed; it stays in the history")
    _add_scale(restarting)
    restarting.set_defaults(run=_restart)
    status = actions.add_parser(
        "status", help="how the watch stands; exit code 1 when none is open", argument_default=argparse.SUPPRESS
    )
    status.set_defaults(run=_status)
    for action in (restarting, status):
        _add_common(action)


def _add_common(parser: argparse.ArgumentParser) -> None:
    add_env(parser)
    add_history(parser)


def _add_scale(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--time-scale",
        type=_scale,
        metavar="N",
        help="a trial in which time passes N times as fast; only where the environment allows it",
    )


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 1 <= scale <= 100_000:
        raise argparse.ArgumentTypeError(f"a number from 1 to 100000, as in 240; got {text!r}")
    return scale


def _watch(options: argparse.Namespace) -> int:
    """Exit code 0, 1 or 3 for GO, NO-GO or PENDING at the end; 130 or 143 when it was stopped before."""
    if options.once and options.probes_only:
        raise CommandError("--once runs a checkpoint and --probes-only never does: give one of them")
    with _target_up(options), opened(options, create=True, resolved=True) as (environment, history):
        from commands.watching.keeping import Keeping
        from commands.watching.verdict import EXIT_CODES

        _require_watch(environment, options)
        keeping = Keeping(options, environment, history)
        found = keeping.once() if options.once else keeping.until_over()
    if isinstance(found, int):
        return 128 + found
    _print(found)
    return EXIT_CODES[found.verdict.decision]


def _restart(options: argparse.Namespace) -> int:
    """Close the open watch and begin another; a `golive watch` that goes on follows by itself."""
    if not options.reason.strip():
        raise CommandError("--reason: say what was changed")
    with opened(options, resolved=True) as (environment, history):
        from golive.history.watches import current_watch
        from golive.watch.joining import begin_anew

        _require_watch(environment, options)
        current = current_watch(history, environment.name)
        if current is None:
            raise CommandError(f"no watch of {environment.name} is open: golive watch --env={options.env} begins one")
        scale = options.time_scale or current.time_scale
        try:
            begun = begin_anew(
                history, environment, now=datetime.now(UTC), reason=options.reason.strip(), time_scale=scale
            )
        except CouldNotLook as error:
            raise CommandError(str(error)) from None
    print(f"watch {current.id} is closed: {begun.watch.reason}")
    print(f"watch {begun.watch.id} has begun; keep it with: golive watch --env={options.env}")
    return 0


def _status(options: argparse.Namespace) -> int:
    """Exit code 1 when no watch is open."""
    with opened(options) as (environment, history):
        from commands.watching.board import look
        from commands.watching.keeping import lock_file
        from golive.history.watches import current_watch
        from golive.watch.lock import holder

        current = current_watch(history, environment.name)
        if current is None:
            print(f"no watch of {environment.name} is open: golive watch --env={options.env} begins one")
            return 1
        board = look(history, environment, current, datetime.now(UTC))
        kept_by = holder(lock_file(environment, history, options))
    _print(board, kept_by=kept_by or f"nobody keeps it: golive watch --env={options.env}")
    return 0


def _require_watch(environment: Environment, options: argparse.Namespace) -> None:
    """CommandError unless this environment can be watched in that way."""
    section = environment.section.watch
    name = environment.name
    if section is None:
        raise CommandError(f"{name}: the environment has no 'watch', so there is nothing to keep")
    scale = options.time_scale
    if scale is not None and scale != 1 and not (environment.section.demo or section.trial):
        raise CommandError(
            f"--time-scale: {name} allows no trial; set 'trial: true' under 'watch', never for production"
        )
    if getattr(options, "probes_only", False) and section.availability is None:
        raise CommandError(f"--probes-only: {name} has no 'availability' under 'watch'")


@contextmanager
def _target_up(options: argparse.Namespace) -> Iterator[None]:
    """The embedded target is up for as long as this lasts, and no run starts it anew; others are left alone."""
    from fixtures.options import ENVIRONMENTS
    from golive.environment.load import find_environment, is_demo, read_files
    from golive.environment.problems import EnvironmentInvalid

    try:
        embedded = bool(options.env) and is_demo(read_files(find_environment(options.env, ENVIRONMENTS)))
    except EnvironmentInvalid as error:
        raise CommandError(str(error)) from None
    if not embedded:
        yield
        return
    from demo import control

    try:
        lease = control.borrow(progress=lambda text: print(text, flush=True))
    except control.DemoError as error:
        raise CommandError(f"the demo did not start: {error}") from None
    with lease:
        yield


def _print(board: Board, *, kept_by: str = "") -> None:
    from rich.console import Console

    from commands.watching.view import plain, shown

    console = Console()
    if console.is_terminal:
        console.print(shown(board, board.at, kept_by=kept_by))
    else:
        print(plain(board, board.at, kept_by=kept_by))
