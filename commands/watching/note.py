"""`golive note`: write down what was done about an issue, or seen, during a watch."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from commands.environment import add_env
from commands.main import CommandError
from commands.watching.opened import add_history, opened
from golive.environment.problems import unknown_name
from golive.environment.redaction import Redactor
from golive.environment.schedule import slot_of_entry
from golive.model import Note, Watch, utc_text
from reports.text import one_line

if TYPE_CHECKING:
    from golive.environment.load import Environment

_LONGEST = 2000


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("note", help="write down what was done about an issue during the watch, or list it")
    add_env(parser)
    add_history(parser)
    parser.add_argument("text", nargs="?", help="what was done or seen; without it, the notes that there are")
    parser.add_argument("--by", metavar="NAME", help="who did or saw it")
    parser.add_argument("--checkpoint", metavar="LABEL", help="the checkpoint that it is about, as in 4h")
    parser.add_argument("--criterion", metavar="ID", help="the criterion that it is about")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    """Exit code 1 when there is no note to list."""
    with opened(options) as (environment, history):
        from golive.history.notes import add_note, notes
        from golive.history.watches import current_watch

        watch = current_watch(history, environment.name)
        if watch is None:
            raise CommandError(f"no watch of {environment.name} is open: it begins with the first run, or golive watch")
        if options.text is None:
            return _list(notes(history, watch.id), watch)
        note = _note(options, environment, watch)
        add_note(history, watch.id, note)
    print(f"noted for the watch from {utc_text(watch.starts_at)[:16]}Z: {_line(note)}")
    return 0


def _note(options: argparse.Namespace, environment: Environment, watch: Watch) -> Note:
    by, text = (options.by or "").strip(), options.text.strip()
    if not by:
        raise CommandError("--by: a note names who did or saw it")
    if not text or len(text) > _LONGEST:
        raise CommandError(f"a note has 1 to {_LONGEST} characters; this one has {len(text)}")
    redact = Redactor(environment.secrets)
    return Note(
        at=datetime.now(UTC),
        by=redact(by),
        text=redact(text),
        checkpoint=None if options.checkpoint is None else _checkpoint(options.checkpoint, watch),
        criterion=None if options.criterion is None else _criterion(options.criterion, environment),
    )


def _checkpoint(wanted: str, watch: Watch) -> str:
    labels = [slot.label for slot in watch.schedule]
    try:
        label = slot_of_entry(wanted).label
    except ValueError:
        label = wanted
    if label not in labels:
        raise CommandError(f"--checkpoint: {unknown_name('checkpoint', wanted, labels)}")
    return label


def _criterion(wanted: str, environment: Environment) -> str:
    known = {name: None for c in environment.criteria for name in (c.id, c.base_id)}
    if wanted not in known:
        raise CommandError(f"--criterion: {unknown_name('criterion', wanted, [*known])}")
    return wanted


def _list(found: list[Note], watch: Watch) -> int:
    for note in found:
        print(_line(note))
    if not found:
        print(f"nothing was noted for the watch from {utc_text(watch.starts_at)[:16]}Z")
    return 0 if found else 1


def _line(note: Note) -> str:
    about = ", ".join(_about(note))
    return one_line(f"{utc_text(note.at)[:16]}Z {note.by}{f' ({about})' if about else ''}: {note.text}")


def _about(note: Note) -> Iterator[str]:
    if note.checkpoint is not None:
        yield f"checkpoint {note.checkpoint}"
    if note.criterion is not None:
        yield note.criterion
