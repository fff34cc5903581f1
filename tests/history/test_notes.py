"""Notes about a watch, in each kind of database."""

from __future__ import annotations

import pytest

from golive.history.notes import add_note, notes
from golive.history.store import History, HistoryUnusable
from golive.model import Note
from tests.history.made import AT, HOUR


def note(text: str, hours: float = 0, **about: str) -> Note:
    return Note(at=AT + hours * HOUR, by="Ann", text=text, **about)


def test_notes_of_a_watch_come_back_oldest_first(history: History) -> None:
    later = note("restarted it", 2, checkpoint="2h", criterion="shop.a.b[x]")
    earlier = note("the disk was full\0 and \ud800 odd", 1)
    for watch, one in (("w1", later), ("w1", earlier), ("w2", note("elsewhere"))):
        add_note(history, watch, one)
    assert notes(history, "w1") == [earlier, later]
    assert notes(history, "w3") == []


def test_a_history_that_went_away_says_so(local: History) -> None:
    with local.writing() as connection:
        connection.exec_driver_sql("DROP TABLE notes")
    with pytest.raises(HistoryUnusable, match="holds no history any more"):
        add_note(local, "w1", note("too late"))
