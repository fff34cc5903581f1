"""`golive attest`: a person affirms what no machine can verify, by name and for a limited time."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from commands.environment import add_env
from commands.main import CommandError
from commands.watching.opened import add_history, opened
from golive.environment.params import seconds
from golive.environment.problems import unknown_name
from golive.environment.redaction import Redactor
from golive.model import Attestation, Criterion
from reports.text import duration, one_line

if TYPE_CHECKING:
    from golive.environment.load import Environment
    from golive.history.store import History


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "attest", help="affirm by name what no machine can verify, or list what was affirmed"
    )
    parser.add_argument("criterion", nargs="?", help="a criterion that a person answers ('golive criteria' lists them)")
    add_env(parser)
    add_history(parser)
    parser.add_argument("--by", metavar="NAME", help="the person who affirms it")
    parser.add_argument("--role", help="in which role (default: the one that the criterion asks for)")
    parser.add_argument("--note", metavar="TEXT", help="what was looked at, and what was found")
    parser.add_argument("--valid-for", metavar="TIME", help="for how long it holds, as in '2 d' (default: the longest)")
    parser.add_argument("--list", action="store_true", help="what was affirmed so far, and until when it holds")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Keep an attestation; with --list exit code 1 when nothing is affirmed that still holds."""
    now = datetime.now(UTC)
    with opened(options, create=not options.list) as (environment, history):
        if options.list:
            return _list(environment, history, now)
        criterion = _criterion(options, environment)
        lasts_s = _lasts_s(options.valid_for, criterion)
        attestation = _attestation(options, criterion, environment, now)
        from golive.history.people import add_attestation

        until = now + timedelta(seconds=lasts_s)
        add_attestation(history, environment.name, attestation, until)
    print(f"{attestation.criterion}: attested by {attestation.by}, {attestation.role}; it holds until {_date(until)}")
    return 0


def _criterion(options: argparse.Namespace, environment: Environment) -> Criterion:
    """The criterion that a person answers by affirming it; CommandError for every other one."""
    wanted: str | None = options.criterion
    by_person = {name: c for c in environment.criteria if c.answer == "attest" for name in (c.base_id, c.id)}
    if wanted is None:
        told = ", ".join(dict.fromkeys(c.base_id for c in by_person.values() if not c.params.signed)) or "none"
        raise CommandError(f"which criterion? These are answered by an attestation: {told}")
    for criterion in environment.criteria:
        if wanted in (criterion.id, criterion.base_id) and wanted not in by_person:
            by = f"the check {criterion.check}" if criterion.answer == "check" else f"'{criterion.answer}'"
            raise CommandError(f"{wanted} is answered by {by}, not by a person")
    if not by_person:
        raise CommandError(f"{wanted}: no criterion here is answered by a person")
    if wanted not in by_person:
        raise CommandError(unknown_name("criterion", wanted, by_person))
    found = by_person[wanted]
    if found.params.signed:
        role = found.params.role
        raise CommandError(f"{wanted} takes a signature: golive sign --env={options.env} --role {role!r}")
    return found


def _lasts_s(wanted: str | None, criterion: Criterion) -> float:
    longest = float(criterion.params.valid_for)
    if wanted is None:
        return longest
    try:
        lasts = seconds(wanted)
    except ValueError as error:
        raise CommandError(f"--valid-for: {error}") from None
    if not 0 < lasts <= longest:
        raise CommandError(f"--valid-for: an attestation of {criterion.base_id} holds {duration(longest)} at most")
    return lasts


def _attestation(
    options: argparse.Namespace, criterion: Criterion, environment: Environment, now: datetime
) -> Attestation:
    role = criterion.params.role
    if options.role is not None and options.role.strip().casefold() != role.strip().casefold():
        raise CommandError(f"--role: {options.criterion} is for the {role} to affirm, not for the {options.role}")
    by, note = (options.by or "").strip(), (options.note or "").strip()
    if not by:
        raise CommandError("--by: an attestation carries the name of the person who answers for it")
    if not note:
        raise CommandError("--note: an attestation says what was looked at, and what was found")
    redact = Redactor(environment.secrets)
    return Attestation(criterion=options.criterion, by=redact(by), role=role, at=now, note=redact(note))


def _list(environment: Environment, history: History, now: datetime) -> int:
    from golive.history.people import attestations

    valid = attestations(history, environment.name, valid_at=now)
    given = [*environment.attestations, *attestations(history, environment.name)]
    holding = 0
    for attestation in sorted(given, key=lambda a: a.at):
        until = _until(attestation, environment)
        holds = until is not None and now < until and attestation in (*environment.attestations, *valid)
        holding += holds
        state = f"holds until {_date(until)}" if holds and until is not None else "does not hold any more"
        note = f": {attestation.note}" if attestation.note else ""
        print(
            one_line(
                f"{attestation.criterion}  {attestation.by}, {attestation.role}, {_date(attestation.at)}, {state}{note}"
            )
        )
    if not given:
        print(f"nothing was affirmed for {environment.name} so far")
    return 0 if holding else 1


def _until(attestation: Attestation, environment: Environment) -> datetime | None:
    """Until when its criterion lets it hold; None if nothing asks for it any more."""
    for criterion in environment.criteria:
        if criterion.answer == "attest" and attestation.criterion in (criterion.id, criterion.base_id):
            return attestation.at + timedelta(seconds=criterion.params.valid_for)
    return None


def _date(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
