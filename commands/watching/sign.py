"""`golive sign`: a person signs the evidence of a watch, or accepts a NO-GO for a limited time."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.environment import add_env
from commands.main import CommandError
from commands.watching.opened import add_history, opened, output_folder
from commands.watching.verdict import add_watch, wanted_watch
from golive.environment.problems import unknown_name
from golive.environment.redaction import Redactor
from golive.judge.course import course_of
from golive.judge.verdict import decide
from golive.judge.wording import moment
from golive.model import Decision, Verdict, Watch, WatchRecord
from reports.text import one_line, plural

if TYPE_CHECKING:
    from golive.environment.load import Environment
    from golive.history.manifest import Manifest, Signer
    from golive.history.sshsig import Signers

SET_UP = (
    "{environment} does not say whose signatures count. Keep a file with a line for each role, its public key behind "
    "it, as in 'qa-lead ssh-ed25519 AAAA…', and name it as 'allowed_signers' under 'sign_off'"
)


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("sign", help="sign the evidence of the watch, or accept a NO-GO")
    add_env(parser)
    add_history(parser)
    add_watch(parser)
    parser.add_argument("--role", help="the role that signs, one out of 'sign_off'")
    parser.add_argument("--name", help="the person who signs (default: the contact of that role)")
    parser.add_argument("--key", metavar="FILE", help="the SSH key to sign with; its .pub if ssh-agent holds it")
    parser.add_argument("--override", action="store_true", help="accept a NO-GO, with --reason and --expires")
    parser.add_argument("--reason", default="", help="why the NO-GO is accepted")
    parser.add_argument("--expires", metavar="TIME", help="until when, as in 2026-05-03T09:00Z")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show what is signed, sign it and keep the signature."""
    with opened(options) as (environment, history):
        from golive.history.manifest import manifest
        from golive.history.people import add_signature
        from golive.history.records import ResultsFolder
        from golive.history.signing import signed
        from golive.history.sshsig import SigningTrouble
        from golive.history.watch_record import watch_record

        now = datetime.now(UTC)
        signers = _signers(environment)
        signer = _signer(options, environment, now)
        key = _key(options, signer)
        watch = wanted_watch(options.watch, environment, history)
        results = ResultsFolder(output_folder(options) / environment.name)
        record = watch_record(history, environment, watch=watch, now=now, results=results)
        watch = _over(record, now)
        verdict = decide(record, now=now)
        made = manifest(record, verdict, signer, results=results)
        _show(record, verdict, made, signer)
        try:
            signature = signed(made, signer, key, signers)
        except SigningTrouble as error:
            raise CommandError(str(error)) from None
        add_signature(history, watch.id, signature)
        after = decide(watch_record(history, environment, watch=watch, now=now, results=results), now=now)
    print(one_line(f"signed by {signer.name}, {signer.role}, with the {signature.key}"))
    print(f"the verdict is now {_told(after)}")
    return 0


def _signers(environment: Environment) -> Signers:
    from golive.history.signing import signers_of

    if environment.section.sign_off is None:
        raise CommandError(
            f"{environment.name} says nobody who signs: add 'sign_off' with 'roles' and 'allowed_signers' to it"
        )
    signers = signers_of(environment)
    if signers is None:
        raise CommandError(SET_UP.format(environment=environment.name))
    return signers


def _signer(options: argparse.Namespace, environment: Environment, now: datetime) -> Signer:
    from golive.history.manifest import Signer

    role = _role(options, environment)
    contacts = [c.name for c in environment.section.contacts if _same(c.role, role)]
    name = (options.name or (contacts[0] if contacts and "${" not in contacts[0] else "")).strip()
    if not name:
        raise CommandError(f"--name: a signature carries the name of the person who signs as {role}; give --name=…")
    if not options.override:
        if options.reason or options.expires:
            raise CommandError("--reason and --expires belong to --override")
        return Signer(role=role, name=name, at=now)
    reason = Redactor(environment.secrets)(options.reason.strip())
    if not reason:
        raise CommandError("--reason: accepting a NO-GO takes a reason")
    return Signer(role=role, name=name, at=now, override=True, reason=reason, expires=_expires(options.expires, now))


def _role(options: argparse.Namespace, environment: Environment) -> str:
    section = environment.section.sign_off
    assert section is not None  # noqa: S101 - asked for before
    roles = section.roles
    if options.override:
        if section.override_role is None:
            raise CommandError(f"--override: {environment.name} names no 'override_role' under 'sign_off'")
        roles = (section.override_role,)
    if not options.role:
        raise CommandError(f"--role: who signs? One of {', '.join(roles)}")
    for role in roles:
        if _same(role, options.role):
            return role
    if options.override and any(_same(role, options.role) for role in section.roles):
        raise CommandError(f"--override: only the {section.override_role} may accept a NO-GO")
    raise CommandError(f"--role: {unknown_name('role', options.role, roles)}")


def _expires(text: str | None, now: datetime) -> datetime:
    if text is None:
        raise CommandError("--expires: accepting a NO-GO takes an end, as in 2026-05-03T09:00Z")
    try:
        expires = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--expires: {text!r} is no time; write it as in 2026-05-03T09:00Z") from None
    if expires.tzinfo is None:
        raise CommandError("--expires: a time needs its zone: end it with Z for UTC, as in 2026-05-03T09:00Z")
    if expires <= now:
        raise CommandError(f"--expires: {text} has passed; now it is {moment(now)}")
    return expires.astimezone(UTC)


def _key(options: argparse.Namespace, signer: Signer) -> Path:
    if not options.key:
        how = "as in --key ~/.ssh/id_ed25519 (or its .pub, if ssh-agent holds it)"
        raise CommandError(f"--key: the SSH key of the {signer.role}, {how}")
    return Path(options.key).expanduser()


def _over(record: WatchRecord, now: datetime) -> Watch:
    """The watch, once its last checkpoint has been held or missed; CommandError before."""
    if record.watch is None:
        raise CommandError(f"no watch of {record.environment} has begun, so there is nothing to sign: golive watch")
    course = course_of(record, record.watch, now)
    if not course.is_over:
        last = course.last
        how = (
            f"it is due at {moment(last.due_at)}"
            if now < last.due_at
            else f"it may begin until {moment(last.deadline)}"
        )
        if last.going_on:
            how = f"run {last.going_on[0].run} is going on"
        raise CommandError(f"the last checkpoint, {last.label}, has not ended: {how}. Sign when all evidence is there")
    return record.watch


def _show(record: WatchRecord, verdict: Verdict, made: Manifest, signer: Signer) -> None:
    assert record.watch is not None  # noqa: S101 - looked at by `_over`
    version = record.watch.deployment.version
    print(one_line(f"{record.system} on {record.environment}, watch {record.watch.id}, version {version or 'unnamed'}"))
    print(f"{verdict.decision.value} at {moment(verdict.at)}" + (" (a trial)" if verdict.trial else ""))
    for reason in verdict.reasons:
        print(f"  {reason.decision.value}: {one_line(reason.text)}")
    earlier = [s for s in record.signatures if _same(s.role, signer.role) and s.override == signer.override]
    if earlier:
        print(one_line(f"it takes the place of the signature of {earlier[-1].name} from {moment(earlier[-1].at)}"))
    if signer.override and signer.expires is not None:
        print(one_line(f"accepted until {moment(signer.expires)}: {signer.reason}"))
    elif verdict.decision is Decision.NO_GO:
        print("a signature does not change NO-GO; to accept it takes --override")
    print(f"{plural(len(made.covers), 'run', 'runs')}, manifest SHA-256 {made.digest}")


def _told(verdict: Verdict) -> str:
    first = f": {verdict.reasons[0].text}" if verdict.reasons and verdict.override is None else ""
    return one_line(f"{verdict.decision.value}{' by override' if verdict.override else ''}{first}")


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()
