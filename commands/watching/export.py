"""`golive export`: the schedule of a watch for something else to keep, instead of the foreground process."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.environment import add_env, load
from commands.exporting import kubernetes_load
from commands.exporting.asked import must_be_shared, references, refuse_unquotable
from commands.main import CommandError

if TYPE_CHECKING:
    from golive.environment.load import Environment
    from reports.exports import Plan

_IN_IMAGE = "/srv/golive"
_EXAMPLE = "--deployed-at=2026-05-01T09:00:00Z"


def add(subparsers: Any) -> None:
    """Register the command and its formats."""
    parser = subparsers.add_parser("export", help="print the schedule of a watch for cron, systemd, Kubernetes, GitHub")
    formats = parser.add_subparsers(metavar="FORMAT", required=True)
    crontab = _format(formats, "crontab", _crontab, "lines for a crontab")
    systemd = _format(formats, "systemd", _systemd, "a shell script that writes timers and services")
    for here in (crontab, systemd):
        here.add_argument("--env-file", metavar="PATH", help="file of NAME=value lines that is read before each run")
        here.add_argument("--directory", metavar="DIR", help="where runs start (default: here)")
        here.add_argument("--python", metavar="PATH", default=sys.executable, help="interpreter (default: %(default)s)")
        here.add_argument("--history", metavar="PATH|URL", help="where runs are kept, passed on to each run")
    systemd.add_argument("--user", metavar="NAME", help="who runs it (default: you)")
    kubernetes = _format(formats, "kubernetes", _kubernetes, "CronJobs, and a Deployment that probes availability")
    kubernetes.add_argument("--image", required=True, help="image with this project and its environments")
    kubernetes.add_argument("--directory", metavar="DIR", default=_IN_IMAGE, help="where in it (default: %(default)s)")
    kubernetes.add_argument("--python", metavar="PATH", default="python", help="interpreter in it (default: python)")
    kubernetes.add_argument("--secret", metavar="NAME", help="secret with the variables (default: golive-ENV)")
    kubernetes.add_argument("--namespace", metavar="NAME", help="namespace of everything (default: kubectl's)")
    github = _format(formats, "github", _github, "a workflow for GitHub Actions")
    github.set_defaults(directory=".", python="python")
    kubernetes_load.add(formats)


def _format(formats: Any, name: str, run: Callable[..., int], says: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = formats.add_parser(name, help=says)
    add_env(parser)
    parser.add_argument(
        "--deployed-at", metavar="TIME", help="hour 0, as in 2026-05-01T09:00:00Z (default: as the environment says)"
    )
    parser.set_defaults(run=run)
    return parser


def _crontab(options: argparse.Namespace) -> int:
    from reports.exports import crontab

    return _print(options, lambda plan: crontab.render(plan, env_file=_absolute(options.env_file)))


def _systemd(options: argparse.Namespace) -> int:
    from reports.exports import systemd

    user = options.user or getpass.getuser()
    return _print(options, lambda plan: systemd.render(plan, user=user, env_file=_absolute(options.env_file)))


def _kubernetes(options: argparse.Namespace) -> int:
    from reports.exports import kubernetes

    def render(plan: Plan) -> str:
        secret = options.secret or plan.name
        return kubernetes.render(plan, image=options.image, secret=secret, namespace=options.namespace)

    return _print(options, render, shared="pods share no disk")


def _github(options: argparse.Namespace) -> int:
    from reports.exports import github

    return _print(options, github.render, shared="each job begins with an empty disk")


def _print(options: argparse.Namespace, render: Callable[[Plan], str], *, shared: str = "") -> int:
    """`shared` says why the history cannot be a file where it runs."""
    from reports.exports import NotSchedulable

    refuse_unquotable(options)
    environment = load(options, resolved=False)
    if shared:
        must_be_shared(environment, shared)
    try:
        print(render(_plan(environment, options)), end="")
    except NotSchedulable as error:
        raise CommandError(str(error)) from None
    return 0


def _plan(environment: Environment, options: argparse.Namespace) -> Plan:
    from golive.watch.schedule import new_watch
    from reports.exports import Plan

    section = environment.section.watch
    if section is None:
        raise CommandError(f"environment {environment.name} has no 'watch': `watch: {{}}` is a day with 12 checkpoints")
    now = datetime.now(UTC)
    needed = references(environment)
    history = getattr(options, "history", None)
    return Plan(
        watch=new_watch(environment, deployed_at=_hour_0(environment, options), now=now),
        now=now,
        environment=options.env,
        file=str(environment.file.absolute()),
        python=options.python,
        directory=options.directory or str(Path.cwd()),
        probes=section.availability is not None,
        variables=tuple(name for kind, name in needed if kind == "env"),
        files=tuple(name for kind, name in needed if kind == "file"),
        options=(f"--history={history}",) if history else (),
    )


def _hour_0(environment: Environment, options: argparse.Namespace) -> datetime:
    if options.deployed_at is None:
        if environment.deployment.deployed_at is None:
            raise CommandError(
                f"environment {environment.name} does not say when the deployment was complete: give {_EXAMPLE}"
            )
        return environment.deployment.deployed_at
    try:
        given = datetime.fromisoformat(options.deployed_at)
    except ValueError:
        raise CommandError(f"--deployed-at: {options.deployed_at!r} is no time; write it as in {_EXAMPLE}") from None
    if given.tzinfo is None:
        raise CommandError(f"--deployed-at: the time needs its zone: end it with Z for UTC, as in {_EXAMPLE}")
    return given.astimezone(UTC)


def _absolute(path: str | None) -> str | None:
    return None if path is None else str(Path(path).absolute())
