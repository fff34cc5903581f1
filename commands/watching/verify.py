"""`golive verify`: whether an archive, or the evidence where it is kept, is still what was signed."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from commands.environment import add_env
from commands.main import CommandError
from commands.watching.opened import add_history, opened, output_folder
from commands.watching.verdict import add_watch, told_decision, wanted_watch
from golive.judge.verdict import decide
from golive.judge.wording import moment
from golive.model import Signature, Verdict, WatchRecord
from reports.text import one_line, plural


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("verify", help="check that evidence is what was signed; exit code 1 if it is not")
    parser.add_argument(
        "bundle", nargs="?", metavar="BUNDLE", help="an archive of 'golive bundle'; nothing else is read"
    )
    parser.add_argument("--allowed-signers", metavar="FILE", help="check an archive's signatures against your own list")
    add_env(parser)
    add_history(parser)
    add_watch(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Exit code 0 if everything matches, 1 with the first thing that does not, 4 if it cannot be looked into."""
    if options.bundle is None:
        return _in_place(options)
    if options.env:
        raise CommandError("give a bundle, or --env for the evidence where it is kept, not both")
    return _bundle(Path(options.bundle).expanduser(), options.allowed_signers)


def _bundle(file: Path, allowed_signers: str | None) -> int:
    from golive.history.reopened import Altered, reopened
    from golive.history.zipped import NotABundle

    own = None if allowed_signers is None else Path(allowed_signers).expanduser()
    if own is not None and not own.is_file():
        raise CommandError(f"--allowed-signers: there is no file {own}")
    try:
        found = reopened(file, lambda record, at: decide(record, now=at), allowed_signers=own)
    except NotABundle as error:
        raise CommandError(one_line(str(error))) from None
    except Altered as error:
        return _differs(file, [str(error)])
    if found.mismatches:
        return _differs(file, found.mismatches)
    _tell(found.record, found.verdict)
    if own is None and found.record.signatures:
        print("its signatures count by its own allowed_signers; check them by yours: --allowed-signers FILE")
    print(f"{file}: everything matches")
    return 0


def _in_place(options: argparse.Namespace) -> int:
    with opened(options) as (environment, history):
        from golive.history.records import ResultsFolder
        from golive.history.watch_record import watch_record

        now = datetime.now(UTC)
        watch = wanted_watch(options.watch, environment, history)
        results = ResultsFolder(output_folder(options) / environment.name)
        record = watch_record(history, environment, watch=watch, now=now, results=results)
    if record.watch is None:
        raise CommandError(f"no watch of {environment.name} has begun, so there is nothing to verify")
    _tell(record, decide(record, now=now))
    refused = [f"the signature of {s.name} ({s.role}) does not count: {s.problem}" for s in _refused(record)]
    if record.tampered or refused:
        return _differs(record.watch.id, [*record.tampered, *refused])
    if not record.signatures:
        print(f"{record.watch.id}: nobody has signed, so nothing is bound yet")
        return 1
    print(f"{record.watch.id}: everything matches")
    return 0


def _refused(record: WatchRecord) -> list[Signature]:
    """The signatures that do not count and have no other one of that role in their place."""
    counting = {_whose(signature) for signature in record.signatures if not signature.problem}
    return [s for s in record.signatures if s.problem and _whose(s) not in counting]


def _whose(signature: Signature) -> tuple[str, bool]:
    return signature.role.strip().casefold(), signature.override


def _differs(what: object, mismatches: list[str] | tuple[str, ...]) -> int:
    more = f" (and {len(mismatches) - 1} more)" if len(mismatches) > 1 else ""
    print(one_line(f"{what}: {mismatches[0]}{more}", 1000), file=sys.stderr)
    return 1


def _tell(record: WatchRecord, verdict: Verdict) -> None:
    watch = record.watch
    version = watch.deployment.version if watch else ""
    name = watch.id if watch else "none"
    print(one_line(f"{record.system} on {record.environment}, watch {name}, version {version or 'unnamed'}"))
    print(f"{told_decision(verdict)} at {moment(verdict.at)}, {plural(len(record.runs), 'run', 'runs')}")
    for signature in record.signatures:
        print(f"  {one_line(_signed(signature))}")


def _signed(signature: Signature) -> str:
    kind = "accepted the NO-GO" if signature.override else "signed"
    key = f" with the {signature.key}" if signature.key else ""
    return f"{signature.name} {kind} as {signature.role} at {moment(signature.at)}{key}"
