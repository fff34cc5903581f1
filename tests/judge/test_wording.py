"""Moments, spans and lists in the words that every judgement uses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from golive.judge import wording


def test_moments_are_utc_to_the_minute_where_that_is_all() -> None:
    at = datetime(2026, 5, 2, 11, 0, tzinfo=timezone(timedelta(hours=2)))
    assert wording.moment(at) == "2026-05-02 09:00 UTC"
    assert wording.moment(datetime(2026, 5, 2, 9, 0, 5, tzinfo=UTC)) == "2026-05-02 09:00:05 UTC"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (8.64, "8.6 s"),
        (9.96, "10 s"),
        (45, "45 s"),
        (59.7, "1 min"),
        (90, "1 min 30 s"),
        (900, "15 min"),
        (3599.8, "1 h"),
        (7500, "2 h 5 min"),
        (93600, "26 h"),
    ],
)
def test_spans_have_two_units_at_most(seconds: float, told: str) -> None:
    assert wording.span(seconds) == told


def test_lists_say_how_many_are_left_out() -> None:
    assert [wording.listed(list(letters)) for letters in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    assert wording.listed(list("abcde"), shown=3) == "a, b, c and 2 more"


def test_items_of_one_criterion_are_named_together() -> None:
    ids = ["x.disk[a]", "x.disk[b]", "x.disk[c]", "x.disk[d]", "x.cpu", "x.memory", "x.load[1]", "x.load[2]"]
    assert wording.criteria(ids) == "x.disk[a, b, c, …], x.cpu, x.memory and 2 more"
    assert wording.criteria(ids[:5]) == "x.disk[a, b, c, …] and x.cpu"


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["6h"], "checkpoint 6h"),
        (["6h", "8h", "10h"], "checkpoints 6h, 8h and 10h"),
        (["15min", "1h", "2h", "3h", "4h", "6h"], "6 checkpoints from 15min to 6h"),
    ],
)
def test_checkpoints_are_listed_or_ranged(labels: list[str], told: str) -> None:
    assert wording.checkpoints(labels) == told


def test_messages_are_one_short_line() -> None:
    assert wording.brief(" a\n\tb ") == "a b"
    assert len(wording.brief("x" * 1000)) == 160
    assert wording.brief("x" * 1000).endswith("…")
    assert [wording.count(n, "run", "runs") for n in (0, 1, 4, 13)] == ["no runs", "one run", "four runs", "13 runs"]
