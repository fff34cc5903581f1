"""`golive export kubernetes-load`: a load whose workers are pods."""

from __future__ import annotations

import argparse
from typing import Any

from commands.environment import add_env, load
from commands.exporting.asked import must_be_shared, references, refuse_unquotable
from commands.main import CommandError
from golive.environment.load import Environment
from golive.environment.problems import unknown_name

_IN_IMAGE = "/srv/golive"
_MOST = 200


def add(formats: Any) -> None:
    """Register the format."""
    parser = formats.add_parser("kubernetes-load", help="a Job that runs the load, and pods that make it")
    add_env(parser)
    parser.add_argument("--profile", metavar="NAME", help="only the criteria on this profile (default: all)")
    parser.add_argument("--workers", metavar="N", type=int, default=2, help="pods that make it (default: %(default)s)")
    parser.add_argument("--image", required=True, help="image with this project, its environments and locust")
    parser.add_argument("--directory", metavar="DIR", default=_IN_IMAGE, help="where in it (default: %(default)s)")
    parser.add_argument("--python", metavar="PATH", default="python", help="interpreter in it (default: python)")
    parser.add_argument("--secret", metavar="NAME", help="secret with the variables (default: golive-ENV)")
    parser.add_argument("--namespace", metavar="NAME", help="namespace of everything (default: kubectl's)")
    parser.add_argument("--claim", metavar="NAME", help="PersistentVolumeClaim that keeps reports and raw data")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from reports.exports import kubernetes_load

    refuse_unquotable(options)
    if not 1 <= options.workers <= _MOST:
        raise CommandError(f"--workers: from 1 to {_MOST}; got {options.workers}")
    environment = load(options, resolved=False)
    must_be_shared(environment, "pods share no disk")
    needed = references(environment)
    plan = kubernetes_load.LoadPlan(
        environment=options.env,
        name=environment.name,
        image=options.image,
        directory=options.directory,
        python=options.python,
        workers=options.workers,
        criteria=_criteria(environment, options.profile),
        secret=options.secret,
        namespace=options.namespace,
        claim=options.claim,
        variables=tuple(name for kind, name in needed if kind == "env"),
        files=tuple(name for kind, name in needed if kind == "file"),
    )
    print(kubernetes_load.render(plan), end="")
    return 0


def _criteria(environment: Environment, profile: str | None) -> tuple[str, ...]:
    """The criteria on one profile, () for all of them; CommandError when there are none."""
    section = environment.section.load
    if section is None:
        raise CommandError(f"environment {environment.name} has no 'load'")
    if profile is not None and profile not in section.profiles:
        raise CommandError(f"--profile: {unknown_name('load profile', profile, tuple(section.profiles))}")
    pressed = {c.id: getattr(c.params, "profile", None) for c in environment.criteria}
    found = tuple(name for name, on in pressed.items() if on is not None and profile in (None, on))
    if not found:
        where = f"on profile {profile}" if profile else "on a profile of load"
        raise CommandError(f"environment {environment.name} has no criterion {where}, so nothing would be pressed")
    return found if profile is not None else ()
