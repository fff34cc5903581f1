"""Retention removes what is old, and spares what a decision rests on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from golive.history.baselines import Baseline, invalidate, set_baseline
from golive.history.criteria_sets import criteria_data, store_criteria
from golive.history.people import add_signature, signatures
from golive.history.probes import probe_spans, record_probe
from golive.history.prune import Pruned, prune
from golive.history.runs import add_outcome, begin_run, finish_run, run_record, run_records
from golive.history.series import series
from golive.history.storage.schema import MEASUREMENTS, OUTCOMES
from golive.history.store import History
from golive.history.watches import close_watch, open_watch, watches
from golive.model import Evidence, ProbeState, Signature
from tests.history.made import AT, HOUR, outcome, run, watch

DAY = timedelta(days=1)
NOW = AT + 100 * DAY
SIGNED = Signature(role="QA Lead", name="Ratna", at=AT, digest="d" * 64)


def enter(history: History, name: str, at: datetime, *, environment: str = "prod", watch: str | None = None) -> None:
    begin_run(history, run(name, at, environment=environment, watch=watch))
    for criterion in ("shop.a.b", "shop.c.d"):
        add_outcome(history, name, outcome(criterion, 1.0, 2.0, at=at), environment=environment)
    finish_run(history, name, finished_at=at + HOUR, aborted=None)


def enter_watch(history: History, name: str, at: datetime, *, signed: bool = False, closed: bool = True) -> None:
    """A watch with one run of its own, a probe, and perhaps a signature."""
    open_watch(history, watch(name, at))
    enter(history, f"run of {name}", at, watch=name)
    record_probe(history, name, "api", ProbeState.UP, at, longest_gap_s=10)
    if signed:
        add_signature(history, name, SIGNED)
    if closed:
        close_watch(history, name, at + DAY, "a new deployment")


def pruned(history: History, days: float = 90, **how: object) -> Pruned:
    return prune(history, older_than_s=days * 86400, now=NOW, **how)  # type: ignore[arg-type]


def left(history: History, environment: str = "prod") -> list[str]:
    return [r.run for r in run_records(history, environment)]


def count(history: History, table: sa.Table) -> int:
    with history.reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_old_runs_go_with_all_that_they_found(history: History) -> None:
    enter(history, "old", AT)
    enter(history, "young", NOW - DAY)
    assert pruned(history) == Pruned(runs=1, outcomes=2, measurements=4)
    assert left(history) == ["young"]
    assert (count(history, OUTCOMES), count(history, MEASUREMENTS)) == (2, 4)
    assert [p.run for s in series(history, "prod", "shop.a.b") for p in s.points] == ["young", "young"]
    assert pruned(history).nothing


def test_a_dry_run_tells_the_same_and_removes_nothing(history: History) -> None:
    enter_watch(history, "w1", AT, signed=True)
    enter_watch(history, "w2", AT + DAY, signed=True)
    enter_watch(history, "w3", AT + 2 * DAY, closed=False)
    enter(history, "old", AT)
    told = pruned(history, dry_run=True)
    assert not told.nothing
    assert len(left(history)) == 4
    assert pruned(history) == told


def test_what_an_open_watch_rests_on_stays(history: History) -> None:
    enter_watch(history, "w1", AT, closed=False)
    enter(history, "beside", AT)
    assert pruned(history) == Pruned(runs=1, outcomes=2, measurements=4, spared_open=1)
    assert left(history) == ["run of w1"]
    assert len(probe_spans(history, "w1")) == 1


def test_the_evidence_of_the_last_signed_watch_stays(history: History) -> None:
    for number, signed in enumerate((True, True, False)):
        enter_watch(history, f"w{number}", AT + number * DAY, signed=signed)
    told = pruned(history)
    assert left(history) == ["run of w1"]
    assert (told.runs, told.watches, told.probe_spans, told.signatures, told.spared_signed) == (2, 2, 2, 1, 1)
    assert [w.id for w in watches(history, "prod")] == ["w1"]
    assert signatures(history, "w1") == [SIGNED]
    assert len(probe_spans(history, "w1")) == 1


def test_a_closed_watch_stays_as_long_as_one_of_its_runs(history: History) -> None:
    open_watch(history, watch("w1", AT))
    enter(history, "old", AT, watch="w1")
    enter(history, "young", NOW - DAY, watch="w1")
    close_watch(history, "w1", AT + DAY, "restart")
    pruned(history)
    assert left(history) == ["young"]
    assert [w.id for w in watches(history, "prod")] == ["w1"]


def test_the_runs_of_a_baseline_in_force_stay(history: History) -> None:
    for name in ("a", "b", "c"):
        enter(history, name, AT)
    base = Baseline(name="v1", environment="prod", version="1", made_at=AT, runs=("a",))
    set_baseline(history, base)
    set_baseline(history, replace(base, name="v2", runs=("b",)))
    invalidate(history, "prod", "v2", AT, "wrong")
    assert pruned(history).spared_baseline == 1
    assert left(history) == ["a"]


def test_a_run_that_goes_on_stays(history: History) -> None:
    begin_run(history, run("long", AT))
    assert pruned(history).nothing
    assert left(history) == ["long"]


def test_other_environments_are_left_alone(history: History) -> None:
    enter(history, "old", AT)
    enter(history, "theirs", AT, environment="staging")
    open_watch(history, watch("w9", environment="staging"))
    close_watch(history, "w9", AT, "done")
    assert pruned(history, environment="prod").runs == 1
    assert left(history, "staging") == ["theirs"]
    assert len(watches(history, "staging")) == 1
    assert (pruned(history).runs, left(history, "staging"), watches(history, "staging")) == (1, [], [])


def test_rules_go_when_nobody_was_judged_by_them_any_more(history: History) -> None:
    digest = store_criteria(history, [])
    begin_run(history, run("young", NOW - DAY, criteria_digest=digest))
    long_after = {"older_than_s": 86400.0, "now": datetime.now(AT.tzinfo) + 9 * DAY}
    prune(history, **long_after)  # type: ignore[arg-type]
    assert run_record(history, "young") is not None
    finish_run(history, "young", finished_at=NOW, aborted=None)
    assert prune(history, **long_after).criteria_sets == 1  # type: ignore[arg-type]
    assert criteria_data(history, digest) == []


def test_the_file_becomes_smaller(tmp_path: Path) -> None:
    file = tmp_path / "h.sqlite"
    with History.open(file) as history:
        begin_run(history, run("old"))
        for number in range(100):
            huge = Evidence(title="log", text="x" * 20_000)
            add_outcome(history, "old", outcome(f"shop.a.n{number}", 1.0, evidence=(huge,)), environment="prod")
        finish_run(history, "old", finished_at=AT, aborted=None)
    before = file.stat().st_size
    with History.open(file) as history:
        pruned(history)
        assert file.stat().st_size < before / 10
    assert before > 2_000_000


def test_runs_go_on_while_much_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others write between its transactions, of which each clears but a few series."""
    monkeypatch.setattr("golive.history.prune._SERIES_AT_ONCE", 1)
    file = tmp_path / "h.sqlite"
    with History.open(file) as history, History.open(file, timeout_s=0.1) as other:
        enter(history, "old", AT)
        plain = history.writing
        entered: list[str] = []

        @contextmanager
        def writing(*, durable: bool = False) -> Iterator[sa.Connection]:
            with plain(durable=durable) as connection:
                yield connection
            entered.append(f"young {len(entered)}")
            enter(other, entered[-1], NOW)

        monkeypatch.setattr(history, "writing", writing)
        assert pruned(history).measurements == 4
        assert left(other) == entered
        assert len(entered) == 3
