"""Where the next look at a collector begins: early enough for what comes in late."""

from __future__ import annotations

from datetime import timedelta

from golive.logs.collected.entries import Entry, Place, left_at

S = 10**9
LATE = timedelta(minutes=5)


def left(*at_s: float) -> Place:
    """After a look at second 1000 that found entries of these times."""
    found = [Entry(at_ns=int(at * S), stream="api", text=str(n)) for n, at in enumerate(at_s)]
    return left_at(found, None, start_ns=0, now_ns=1_000 * S, late=LATE)


def test_the_next_look_begins_a_while_before_the_newest_entry() -> None:
    place = left(500, 900)
    assert (place.newest_ns, place.seen_from_ns, len(place.seen)) == (900 * S, 600 * S, 1)


def test_a_writer_whose_clock_is_ahead_makes_no_other_entry_late() -> None:
    place = left(900, 1_299)
    assert (place.newest_ns, place.seen_from_ns, len(place.seen)) == (1_299 * S, 700 * S, 2)


def test_very_many_entries_leave_no_less_time_to_come_in() -> None:
    assert left(*(700 + n * 0.03 for n in range(10_000))).seen_from_ns <= 700 * S
