"""`golive discover`: a first environment and first criteria, read from a live system."""

from __future__ import annotations

import argparse
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures.options import CATALOGUE, ENVIRONMENTS, PROJECT
from golive.environment.problems import EnvironmentInvalid, shown_path
from golive.model import CouldNotLook
from reports.interrupt import end_programs_on_ctrl_c
from reports.text import plural, visible

if TYPE_CHECKING:
    from golive.discovery.proposal import Proposal
    from golive.discovery.target import Target
    from golive.discovery.writing.keeping import Place
    from golive.environment.load import Environment

REFUSED = 2
"""Exit code where nothing was written: wrong words, a target that is not reached, a file that is there already."""
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_SHOWN = 12


class Refused(Exception):
    """Nothing is written; the message says why, in one line."""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("discover", help="read a live system, and write a first environment and criteria")
    parser.add_argument("target", help="local, ssh://user@host, docker, docker://NAME, or compose")
    parser.add_argument("path", nargs="?", help="with compose: the compose file or its folder")
    parser.add_argument("--env", metavar="NAME", help="name of the new environment (default: after the target)")
    parser.add_argument("--output", metavar="FILE", help="where it goes (default: environments/NAME.yaml)")
    parser.add_argument("--host", metavar="CONNECT", help="with docker and compose: where, as ssh://user@host")
    parser.add_argument("--ssh-config", metavar="FILE", help="OpenSSH client configuration")
    parser.add_argument("--identity-file", metavar="FILE", help="private key for SSH")
    parser.add_argument("--known-hosts", metavar="FILE", help="file of host keys")
    parser.add_argument("--jump", metavar="HOST", help="host to go through, as user@bastion:22")
    parser.add_argument("--sudo", action="store_true", help="look as root, by sudo without a password")
    parser.add_argument(
        "--probe-http",
        action=argparse.BooleanOptionalAction,
        help="ask every port for HTTP, or none (default: those that containers publish, and those of web servers)",
    )
    parser.add_argument(
        "--with", dest="extra", choices=("packages",), action="append", default=[], help="look for more"
    )
    parser.add_argument("--stdout", action="store_true", help="print both files and write nothing")
    parser.add_argument("--force", action="store_true", help="replace what an earlier call wrote")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Exit code 0 when both files are written (or printed), 2 with one line when nothing is, 130 after Ctrl-C."""
    listened = end_programs_on_ctrl_c()
    try:
        return _run(options)
    except KeyboardInterrupt:
        print("golive discover: interrupted (Ctrl-C)", file=sys.stderr)
        raise
    except (Refused, CouldNotLook) as problem:
        print(visible(f"golive discover: {problem}"), file=sys.stderr)
        return REFUSED
    finally:
        listened()


def _run(options: argparse.Namespace) -> int:
    from golive.discovery.target import NotATarget
    from golive.discovery.writing import emitting, keeping

    try:
        target = _target(options)
        place = _place(options, target)
        if place.taken and not (options.force or options.stdout):
            raise Refused(f"{shown_path(place.taken[0])} is there already: give --force, or another --env or --output")
        proposal = _proposal(options, target, place.name)
    except NotATarget as error:
        raise Refused(str(error)) from None
    schema = os.path.relpath(ENVIRONMENTS / "schema.json", place.environment.parent)
    environment = emitting.environment_text(proposal, criteria=place.pattern, schema=schema)
    criteria = emitting.criteria_text(proposal)
    loaded = _loaded(place, environment, criteria)
    if options.stdout:
        print(f"# {place.environment.name}\n{environment}---\n# {place.criteria.name}\n{criteria}", end="")
        return 0
    try:
        keeping.write(place, environment, criteria)
    except OSError as error:
        raise Refused(f"{shown_path(place.environment)} cannot be written: {error.strerror or error}") from None
    _tell(place, proposal, loaded)
    return 0


def _target(options: argparse.Namespace) -> Target:
    from golive.discovery.target import parse

    target = parse(options.target, options.path, host=options.host)
    if target.path is not None and target.is_local:
        # Compose reads it from wherever a run is started later.
        return parse("compose", str(Path(target.path).resolve()), host=options.host)
    return target


def _place(options: argparse.Namespace, target: Target) -> Place:
    from golive.discovery.writing.keeping import Place

    file = Path(options.output) if options.output else ENVIRONMENTS / f"{options.env or target.name}.yaml"
    if file.suffix != ".yaml" or not _NAME.fullmatch(file.stem):
        told = f"--output={options.output}" if options.output else f"--env={options.env}"
        raise Refused(f"{told}: an environment is NAME.yaml, its name of small letters, digits and hyphens")
    if options.output and options.env and options.env != file.stem:
        raise Refused(f"--env={options.env} and --output={options.output} name two environments: give one of them")
    return Place(environment=file)


def _proposal(options: argparse.Namespace, target: Target, name: str) -> Proposal:
    from golive.discovery.discovering import discover
    from golive.discovery.proposed import proposed
    from golive.discovery.writing.sifting import sifted

    now = datetime.now(UTC)
    found = discover(
        target,
        system=name,
        now=now,
        options=_reached(options),
        probe_http=options.probe_http,
        with_packages="packages" in options.extra,
        progress=lambda text: print(visible(f"{text} …"), file=sys.stderr, flush=True),
    )
    return sifted(
        proposed(found),
        system=name,
        target=target.told,
        looked_at=now,
        deployed_at=found.deployed_at,
        catalogue=CATALOGUE,
    )


def _reached(options: argparse.Namespace) -> dict[str, Any]:
    """Keys of the host's entry by which it is reached."""
    files = {key: getattr(options, key) for key in ("ssh_config", "identity_file", "known_hosts")}
    reached: dict[str, Any] = {key: str(Path(file).resolve()) for key, file in files.items() if file}
    return reached | ({"jump": options.jump} if options.jump else {}) | ({"sudo": True} if options.sudo else {})


def _loaded(place: Place, environment: str, criteria: str) -> Environment:
    """What is to be written, loaded as a run would load it."""
    from golive.discovery.writing.keeping import loaded
    from golive.environment.references import standard_providers

    providers = standard_providers(place.environment.parent, os.environ)
    try:
        return loaded(place, environment, criteria, catalogue=CATALOGUE, project=PROJECT, providers=providers)
    except EnvironmentInvalid as error:
        first = str(error).splitlines()[0]
        raise Refused(f"what was proposed is no valid environment, so nothing is written: {first}") from None


def _tell(place: Place, proposal: Proposal, environment: Environment) -> None:
    """What was found, proposed and left out, and what to do next."""
    from golive.discovery.writing import emitting

    found = ", ".join(_counted(noun.replace("_", " "), count) for noun, count in proposal.found.items() if count)
    in_force = len({criterion.base_id for criterion in environment.criteria})
    off = sum(rule.why_off is not None for rule in proposal.rules)
    print(f"found: {found}")
    print(
        f"proposed: {plural(in_force, 'criterion', 'criteria')} in force ({len(environment.criteria)} with all their"
        f" items), {off} behind '#' with the reason"
    )
    if proposal.sick:
        print("found sick:")
        print("\n".join(visible(f"  {line}") for line in emitting.reasons(proposal.sick)))
    left_out = emitting.reasons(proposal.left_out)
    if left_out:
        print("left out:")
        print("\n".join(visible(f"  {line}") for line in left_out[:_SHOWN]))
        if len(left_out) > _SHOWN:
            print(f"  … and for {len(left_out) - _SHOWN} more reasons, at the end of {shown_path(place.environment)}")
    files = f"  {shown_path(place.environment)}\n  {shown_path(place.criteria)}"
    print(f"written, after it was loaded as a run loads it:\n{files}")
    name = _typed(place)
    print(f"next:\n  golive validate --env={name}\n  pytest --env={name} -m smoke")


def _counted(nouns: str, count: int) -> str:
    """`1 host`, `2 hosts`; a name such as Redis has no plural."""
    return plural(count, nouns if nouns[0].isupper() else nouns.removesuffix("s"), nouns)


def _typed(place: Place) -> str:
    """What to give to `--env`."""
    if place.environment.parent.resolve() == ENVIRONMENTS.resolve():
        return place.name
    return shown_path(place.environment)
