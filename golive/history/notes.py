"""What people wrote down during a watch: what they did about an issue, and what they saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from golive.history.storage.schema import NOTES
from golive.model import Note

if TYPE_CHECKING:
    from golive.history.store import History

_NOTE = ("at", "by", "text", "checkpoint", "criterion")


def add_note(history: History, watch: str, note: Note) -> None:
    """Keep a note about a watch. Notes are only ever added: a correction is a further note."""
    row = {name: getattr(note, name) for name in _NOTE}
    with history.writing(durable=True) as connection:
        connection.execute(sa.insert(NOTES).values(**row, watch=watch))


def notes(history: History, watch: str) -> list[Note]:
    """The notes about a watch, oldest first."""
    wanted = sa.select(NOTES).where(NOTES.c.watch == watch).order_by(NOTES.c.at, NOTES.c.id)
    with history.reading() as connection:
        return [Note(**{name: getattr(row, name) for name in _NOTE}) for row in connection.execute(wanted)]
