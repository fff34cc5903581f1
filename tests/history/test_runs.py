"""Runs come back from the store as they were written, and a run whose process died is marked."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from golive.history import runs
from golive.history.runs import (
    add_outcome,
    begin_run,
    counts,
    environments,
    finish_run,
    mark_dead,
    run_record,
    run_records,
    runs_of_watch,
    select,
    set_target,
)
from golive.history.series import series
from golive.history.storage import processes
from golive.history.storage.schema import RUNS
from golive.history.store import History, HistoryUnusable
from golive.history.watches import open_watch
from golive.model import EXTRA, Attempt, Deployment, Evidence, Status, Waiver
from tests.history.made import AT, HOUR, measured, outcome, run, watch


def test_a_run_comes_back_as_it_was_written(history: History) -> None:
    begun = run(
        deployment=Deployment(version="1.2", deployed_at=AT - HOUR), selection="checkpoint and not slow",
        criteria_digest="d" * 64, started_at=datetime(2026, 5, 1, 12, 30, 1, 234567, tzinfo=UTC),
    )  # fmt: skip
    begin_run(history, begun)
    assert run_record(history, "r1") == begun
    select(history, "r1", ["shop.a.b", "shop.c.d"], checkpoint="4h", watch="w1")
    set_target(history, "r1", {"app": "sha256:1"})
    waiver = Waiver(criterion="shop.a.b", reason="r", approver="a", risk="l", expires=AT, at_most=3)
    found = outcome(
        "shop.a.b", 1.5, 2.5, evidence=(Evidence(title="t", text="x"),), waiver=waiver, runbook={"why": "so"},
        earlier=(Attempt(status=Status.FAIL, message="not yet", at=AT),), check="hosts/cpu", duration_s=1.25,
    )  # fmt: skip
    add_outcome(history, "r1", found, environment="prod")
    finish_run(history, "r1", finished_at=AT + HOUR, aborted=None, unanswered=["shop.x.y"])
    assert run_record(history, "r1") == replace(
        begun, selected=("shop.a.b", "shop.c.d"), checkpoint="4h", watch="w1", target={"app": "sha256:1"},
        outcomes=(found,), finished_at=AT + HOUR, unanswered=("shop.x.y",),
    )  # fmt: skip


def test_a_run_that_was_never_begun_is_none(history: History) -> None:
    assert run_record(history, "r9") is None
    told = r"holds no run r9: was the store exchanged while it ran\?"
    with pytest.raises(HistoryUnusable, match=told):
        add_outcome(history, "r9", outcome(), environment="prod")
    with pytest.raises(HistoryUnusable, match=told):
        select(history, "r9", [], checkpoint=None, watch=None)
    with pytest.raises(HistoryUnusable, match=told):
        finish_run(history, "r9", finished_at=AT, aborted=None)
    begin_run(history, run())
    with pytest.raises(HistoryUnusable, match="already holds a run r1"):
        begin_run(history, run())


def test_a_later_outcome_takes_the_place_of_the_earlier_one(history: History) -> None:
    """With its measurements: a value that was tried again is no second point of the series."""
    begin_run(history, run())
    for at, value in ((AT, 99.0), (AT + HOUR, 5.0), (AT + HOUR, 6.0)):
        add_outcome(history, "r1", outcome("shop.a.b", value, at=at), environment="prod")
    add_outcome(history, "r1", outcome("shop.c.d"), environment="prod")
    record = run_record(history, "r1")
    assert record is not None
    assert [o.criterion for o in record.outcomes] == ["shop.a.b", "shop.c.d"]
    assert record.outcomes[0].measurements == (measured(6.0),)
    (one,) = series(history, "prod", "shop.a.b")
    assert [(p.at, p.value) for p in one.points] == [(AT + HOUR, 6.0)]


HOSTILE = "nul \0, half \ud83d a pair \udc00, whole \U0001f600, escape \x1bjson:\"x\", 'quote', \r\n\u2028 %s :name"


def test_hostile_texts_and_numbers_survive(history: History) -> None:
    values = (math.nan, math.inf, -math.inf, 1e308, 5e-324, 10**400, 2**70)
    hostile = outcome(
        HOSTILE,
        message=HOSTILE,
        evidence=(Evidence(title=HOSTILE, text=HOSTILE * 1000),),
        measurements=tuple(
            measured(v, HOSTILE, unit=HOSTILE, warning=math.inf, critical=v, samples=2**70) for v in values
        ),
    )
    begin_run(history, run(HOSTILE, environment=HOSTILE, system=HOSTILE, selection=HOSTILE))
    add_outcome(history, HOSTILE, hostile, environment=HOSTILE)
    record = run_record(history, HOSTILE)
    assert record is not None
    assert (record.run, record.environment, record.selection) == (HOSTILE, HOSTILE, HOSTILE)
    found = record.outcomes[0]
    assert (found.message, found.evidence) == (hostile.message, hostile.evidence)
    assert repr(found.measurements) == repr(hostile.measurements)
    (one,) = series(history, HOSTILE, HOSTILE, name=HOSTILE)
    assert (one.name, one.unit, len(one.points)) == (HOSTILE, HOSTILE, len(values))
    kept = [p.value for p in one.points]
    assert repr(kept[:5]) == repr([*values[:5]])
    assert kept[5:] == [math.inf, float(2**70)]
    assert environments(history) == [HOSTILE]


def test_huge_evidence_survives(history: History) -> None:
    begin_run(history, run())
    huge = Evidence(title="log", text="\u20ac line\n" * 1_000_000)
    add_outcome(history, "r1", outcome(evidence=(huge,)), environment="prod")
    record = run_record(history, "r1")
    assert record is not None
    assert record.outcomes[0].evidence == (huge,)


def test_runs_are_chosen_and_in_order(history: History) -> None:
    begin_run(history, run("late", AT + 2 * HOUR, watch="w1"))
    begin_run(history, run("early", AT, watch="w1"))
    begin_run(history, run("other", AT, environment="staging", watch="w1"))
    begin_run(history, run("broken", AT + HOUR))
    finish_run(history, "early", finished_at=AT + HOUR, aborted=None)
    finish_run(history, "broken", finished_at=AT + HOUR, aborted="Ctrl-C")
    add_outcome(history, "early", outcome(), environment="prod")
    add_outcome(history, "early", outcome("shop.c.d", status=Status.FAIL), environment="prod")

    def names(**how: Any) -> list[str]:
        return [r.run for r in run_records(history, "prod", **how)]

    assert names() == ["early", "broken", "late"]
    assert names(since=AT + HOUR) == ["broken", "late"]
    assert names(watch="w1") == ["early", "late"]
    assert names(complete=True) == ["early"]
    assert [r.run for r in runs_of_watch(history, "w1")] == ["early", "other", "late"]
    assert [len(r.outcomes) for r in run_records(history, "prod")] == [2, 0, 0]
    assert [len(r.outcomes) for r in run_records(history, "prod", outcomes=False)] == [0, 0, 0]
    assert counts(history, "prod") == {"early": {"pass": 1, "fail": 1}}
    open_watch(history, watch(environment="planned"))
    assert environments(history) == ["planned", "prod", "staging"]


def test_threads_share_a_handle(history: History) -> None:
    begin_run(history, run())

    def write(part: int) -> None:
        for number in range(15):
            add_outcome(history, "r1", outcome(f"shop.p{part}.n{number}", 1.0), environment="prod")

    threads = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(history, "prod")["r1"]["pass"] == 60


def _ended_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_run_whose_process_is_gone_is_marked_at_the_next_opening(place: str) -> None:
    with History.open(place) as history:
        begin_run(history, run("dead"), pid_owner=_ended_process())
        begin_run(history, run("alive"))
        add_outcome(history, "dead", outcome(), environment="prod")
    with History.open(place) as history:
        states = {r.run: (r.aborted, r.finished_at) for r in run_records(history, "prod")}
        assert states == {"dead": ("its process died", None), "alive": (None, None)}
        assert mark_dead(history) == []


def test_a_pid_that_was_given_away_again_is_not_the_run(history: History) -> None:
    begin_run(history, run())
    process = processes.process().as_data()
    _change(history, process={**process, "start": process["start"] - 1})
    assert mark_dead(history) == ["r1"]


def test_a_process_that_nobody_has_waited_for_is_gone(history: History) -> None:
    child = subprocess.Popen(["sleep", "60"])
    begin_run(history, run(), pid_owner=child.pid)
    assert mark_dead(history) == []
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    try:
        assert mark_dead(history) == ["r1"]
    finally:
        child.wait()


@pytest.mark.parametrize(("silent_s", "dead"), [(runs.SILENT_S - 60, []), (runs.SILENT_S + 60, ["r1"])])
def test_a_run_of_another_machine_is_dead_when_it_is_silent(history: History, silent_s: float, dead: list[str]) -> None:
    begin_run(history, run())
    elsewhere = {**processes.process().as_data(), "machine": "another", "pid": _ended_process()}
    _change(history, process=elsewhere, alive_at=datetime.now(UTC) - timedelta(seconds=silent_s))
    assert mark_dead(history) == dead


def test_a_run_says_that_it_goes_on(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BEAT_S", 0.02)
    begin_run(history, run())
    long_ago = datetime.now(UTC) - HOUR
    _change(history, alive_at=long_ago)
    heard = threading.Event()
    for _ in range(200):
        if _alive_at(history) > long_ago:
            heard.set()
            break
        heard.wait(0.02)
    assert heard.is_set()
    finish_run(history, "r1", finished_at=AT, aborted=None)
    assert not [t for t in threading.enumerate() if t.name == "beat r1"]


def test_a_run_that_was_taken_for_dead_may_still_end_in_order(history: History) -> None:
    begin_run(history, run(), pid_owner=_ended_process())
    assert mark_dead(history) == ["r1"]
    add_outcome(history, "r1", outcome(), environment="prod")
    finish_run(history, "r1", finished_at=AT + HOUR, aborted=None)
    record = run_record(history, "r1")
    assert record is not None
    assert record.complete


def test_a_finished_run_is_never_marked(history: History) -> None:
    begin_run(history, run(), pid_owner=_ended_process())
    finish_run(history, "r1", finished_at=AT, aborted=None)
    assert mark_dead(history) == []


def _change(history: History, **values: Any) -> None:
    with history.writing() as connection:
        connection.execute(sa.update(RUNS).values(**values))


def _alive_at(history: History) -> datetime:
    with history.reading() as connection:
        found: datetime = connection.execute(sa.select(RUNS.c.alive_at)).scalar_one()
    return found


def test_finished_run_is_entered_whole(history: History) -> None:
    """As an import of what was recorded elsewhere does."""
    whole = run(finished_at=AT + HOUR, checkpoint=EXTRA, outcomes=(outcome("shop.a.b", 1.0),))
    begin_run(history, whole)
    assert run_record(history, "r1") == whole
    assert len(series(history, "prod", "shop.a.b")) == 1
    assert not [t for t in threading.enumerate() if t.name == "beat r1"]
