"""`golive bundle`: the whole evidence of a watch as one file, for archives and auditors."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.environment import add_env
from commands.main import CommandError
from commands.watching.opened import add_history, opened, output_folder
from commands.watching.verdict import add_watch, told_decision, wanted_watch
from golive.judge.verdict import decide
from reports.session import GOLIVE_REPORT
from reports.text import one_line

if TYPE_CHECKING:
    from golive.environment.load import Environment
    from golive.history.store import History
    from golive.model import WatchRecord


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("bundle", help="archive the evidence of the watch in one file")
    add_env(parser)
    add_history(parser)
    add_watch(parser)
    parser.add_argument("-o", "--file", metavar="FILE", help="where to write it (default: WATCH.zip, in this folder)")
    parser.add_argument("--intoto", metavar="FILE", help="write the in-toto test-result statement to a file of its own")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the archive and tell its digest."""
    with ExitStack() as ends, opened(options) as (environment, history):
        from fixtures.watching import write_report
        from golive.history.bundle import Parts, documents_of, intoto_of, write_bundle
        from golive.history.records import ResultsFolder
        from golive.history.signing import signers_of
        from golive.history.watch_record import watch_record

        now = datetime.now(UTC)
        watch = wanted_watch(options.watch, environment, history)
        folder = output_folder(options) / environment.name
        record = watch_record(history, environment, watch=watch, now=now, results=ResultsFolder(folder))
        if record.watch is None:
            raise CommandError(f"no watch of {environment.name} has begun, so there is nothing to archive")
        verdict = decide(record, now=now)
        file = Path(options.file or f"{record.watch.id}.zip").expanduser()
        # The report that lies in the output may be of another moment, or of another watch.
        made = ends.enter_context(tempfile.TemporaryDirectory(prefix="golive-bundle-"))
        parts = Parts(
            record=record,
            verdict=verdict,
            criteria=_criteria(environment, history, record),
            signers=signers_of(environment),
            folder=folder,
            report=Path(made, GOLIVE_REPORT),
            documents=documents_of(environment),
        )
        try:
            write_report(environment, history, record, verdict, Path(made, GOLIVE_REPORT))
            left_out = write_bundle(file, parts)
            if options.intoto:
                statement = json.dumps(intoto_of(parts), indent=1, ensure_ascii=False)
                Path(options.intoto).expanduser().write_text(f"{statement}\n", encoding="utf-8")
        except OSError as error:
            raise CommandError(
                f"{error.filename or file} cannot be read or written: {error.strerror or error}"
            ) from None
    for said in left_out:
        print(one_line(f"left out: {said}"), file=sys.stderr)
    print(f"{file}: {told_decision(verdict)}, {len(record.runs)} runs, {len(record.signatures)} signatures")
    print(f"SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()}")
    print(f"check it with: golive verify {file}")
    return 0


def _criteria(environment: Environment, history: History, record: WatchRecord) -> dict[str, list[dict[str, Any]]]:
    """Every set of criteria that a run was judged by, and the present one, by digest."""
    from golive.history.criteria_sets import as_data, criteria_data

    known = {digest: criteria_data(history, digest) for digest in {run.criteria_digest for run in record.runs} - {""}}
    found = {digest: data for digest, data in known.items() if data}
    return {**found, record.criteria_digest: as_data(environment.criteria, environment.secrets)}
