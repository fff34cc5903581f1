"""Watches and probes: one watch at a time, and spans that hold no gap."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from golive.history.notes import add_note, notes
from golive.history.probes import probe_spans, record_probe
from golive.history.store import History, HistoryUnusable
from golive.history.watches import close_watch, current_watch, open_watch, set_watch_target, watch_by_id, watches
from golive.model import Deployment, Note, ProbeSpan, ProbeState
from tests.history.made import AT, HOUR, watch

UP, DOWN, UNKNOWN = ProbeState.UP, ProbeState.DOWN, ProbeState.UNKNOWN


def test_a_watch_comes_back_as_it_was_opened(history: History) -> None:
    begun = watch(target={"app": "sha256:1"}, criteria_digest="d", reason="why", time_scale=240.0)
    assert open_watch(history, begun) == begun
    assert current_watch(history, "prod") == watch_by_id(history, "w1") == begun
    assert current_watch(history, "staging") is None
    assert watch_by_id(history, "w9") is None
    assert open_watch(history, replace(begun, reason="another")) == begun, "what is stored stands"
    set_watch_target(history, "w1", {"app": "sha256:2"})
    assert current_watch(history, "prod") == replace(begun, target={"app": "sha256:2"})


def test_a_closed_watch_stays_closed(history: History) -> None:
    open_watch(history, watch())
    close_watch(history, "w1", AT + HOUR, "a new deployment")
    close_watch(history, "w1", AT + 2 * HOUR, "again")
    assert current_watch(history, "prod") is None
    (stored,) = watches(history, "prod")
    assert (stored.closed_at, stored.closed_because) == (AT + HOUR, "a new deployment")
    with pytest.raises(HistoryUnusable, match="holds no watch w9"):
        close_watch(history, "w9", AT, "x")
    with pytest.raises(HistoryUnusable, match="holds no watch w9"):
        set_watch_target(history, "w9", {})


def test_a_watch_that_replaces_another_closes_it_in_the_same_moment(history: History) -> None:
    open_watch(history, watch())
    successor = watch("w2", AT + HOUR, replaces="w1", reason="hotfix")
    assert open_watch(history, successor) == successor
    first, second = watches(history, "prod")
    assert (first.closed_at, first.closed_because) == (AT + HOUR, "hotfix")
    assert second == successor


def test_only_one_watch_of_an_environment_is_open(history: History) -> None:
    """Of runs that begin at once, and open a watch each, all are under the same one."""
    found: list[str] = []

    def begin(number: int) -> None:
        found.append(open_watch(history, watch(f"w{number}", deployment=Deployment(version=str(number)))).id)

    threads = [threading.Thread(target=begin, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 5
    assert len(set(found)) == 1
    assert [w.id for w in watches(history, "prod")] == found[:1]
    assert open_watch(history, watch("w9", environment="staging")).id == "w9"


def test_a_closed_watch_may_be_entered_beside_the_open_one(history: History) -> None:
    open_watch(history, watch())
    open_watch(history, watch("w0", AT - HOUR, closed_at=AT, closed_because="done"))
    assert [w.id for w in watches(history, "prod")] == ["w0", "w1"]


def test_notes_come_back(history: History) -> None:
    about = Note(at=AT, by="Ratna", text="disk was \0 full", checkpoint="4h", criterion="shop.a.b")
    add_note(history, "w1", about)
    add_note(history, "w2", replace(about, checkpoint=None, criterion=None))
    assert notes(history, "w1") == [about]


def probe(history: History, state: ProbeState, second: float, message: str = "", endpoint: str = "api") -> None:
    record_probe(history, "w1", endpoint, state, at(second), message, longest_gap_s=10)


def at(second: float) -> datetime:
    return AT + timedelta(seconds=second)


def span(state: ProbeState, first: float, last: float, samples: int, message: str = "") -> ProbeSpan:
    return ProbeSpan(
        endpoint="api", state=state, first_at=at(first), last_at=at(last), samples=samples, message=message
    )


def test_probes_that_found_the_same_are_one_span(history: History) -> None:
    for second in (0, 5, 10):
        probe(history, UP, second)
    probe(history, DOWN, 15, "refused")
    probe(history, DOWN, 20, "timed out")
    probe(history, UP, 25)
    probe(history, UP, 7, endpoint="web")
    assert [s for s in probe_spans(history, "w1") if s.endpoint == "api"] == [
        span(UP, 0, 10, 3), span(DOWN, 15, 20, 2, "refused"), span(UP, 25, 25, 1),
    ]  # fmt: skip
    assert [s.endpoint for s in probe_spans(history, "w1")] == ["api", "api", "api", "web"]
    assert probe_spans(history, "w2") == []


def test_a_gap_begins_a_new_span(history: History) -> None:
    for second in (0, 10, 20.001, 25):
        probe(history, UP, second)
    assert probe_spans(history, "w1") == [span(UP, 0, 10, 2), span(UP, 20.001, 25, 2)]


def test_a_clock_that_was_set_back_makes_no_span_longer(history: History) -> None:
    for second in (0, 5, 3, -100):
        probe(history, UP, second)
    assert probe_spans(history, "w1") == [span(UP, -100, -100, 1), span(UP, 0, 5, 3)]
