"""history/answered, documented, measured, passed and recent: each fails on a run that is not as it should be."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.history import answered, documented, measured, passed, recent
from fixtures.context import DIED, RunContext
from fixtures.day import Day
from fixtures.past import Past, matches
from golive.history.runs import begin_run
from golive.model import (
    CouldNotLook,
    Criterion,
    Evidence,
    Measurement,
    Outcome,
    Place,
    RunRecord,
    Severity,
    Status,
    When,
    utc_text,
)
from tests.judged import Judged, judged, run_context, written

NOW = datetime.now(UTC)
DEPLOYED = NOW - timedelta(days=2)
AGE = Measurement(name="age", value=3, unit="h", critical=5)


def outcome(name: str, status: Status = Status.PASS, message: str = "seen", **keys: Any) -> Outcome:
    return Outcome(criterion=name, status=status, severity=Severity.HIGH, message=message, started_at=NOW, **keys)


def criterion(name: str, check: str = "hosts/cpu") -> Criterion:
    return Criterion(
        id=name,
        says="It holds",
        severity=Severity.HIGH,
        when=(When.CHECKPOINT,),
        answer="check",
        place=Place(file="x"),
        check=check,
    )


class Run:
    """A run in progress with earlier ones beside it."""

    def __init__(self, folder: Path, deployed: datetime | None = DEPLOYED) -> None:
        self.folder = folder
        section: dict[str, Any] = {} if deployed is None else {"deployment": {"deployed_at": utc_text(deployed)}}
        self.context = run_context(folder / "run-1", **section)
        self.context.directory.mkdir(parents=True, exist_ok=True)

    def saw(self, *outcomes: Outcome) -> Run:
        with (self.context.directory / "outcomes.jsonl").open("a") as journal:
            journal.writelines(json.dumps(one.as_data()) + "\n" for one in outcomes)
        return self

    def selects(self, *names: str, back: tuple[str, ...] = ()) -> Run:
        self.context.selected = (*names, *back)
        criteria = (*map(criterion, names), *(criterion(name, "history/answered") for name in back))
        object.__setattr__(self.context.environment, "criteria", criteria)
        return self

    def earlier(self, name: str, age: timedelta, *outcomes: Outcome, aborted: str | None = None) -> Run:
        assert self.context.history is not None
        begun = NOW - age
        record = RunRecord(
            run=name,
            environment="test",
            system="shop",
            started_at=begun,
            finished_at=None if aborted else begun,
            aborted=aborted,
            outcomes=outcomes,
        )
        begin_run(self.context.history, record)
        return self

    def judge(self, check: Callable[..., None], params: Any, wait_s: float | None = None, **keys: Any) -> Judged:
        past = Past(self.context, wait_s)
        day = Day(self.context, past)
        return judged(check, criterion=written(params, **keys), past=past, day=day, context=self.context)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "test").selects("shop.a.one", "shop.a.two", back=("shop.record.answered",))


BOTH = outcome("shop.a.one", measurements=(AGE,)), outcome("shop.a.two", Status.FAIL)


# answered


def answers(run: Run, **keys: Any) -> Judged:
    return run.judge(answered.test_every_criterion_of_this_run_has_an_answer, answered.Params, **keys)


def test_a_failure_is_an_answer(run: Run) -> None:
    found = answers(run.saw(*BOTH))
    assert (found.status, found.message) == (Status.PASS, "answered: 2 criteria (of 2)")


def test_an_unknown_is_none_and_neither_is_silence(run: Run) -> None:
    found = answers(run.saw(outcome("shop.a.one", Status.UNKNOWN)))
    assert found.status is Status.UNKNOWN
    assert found.message == "shop.a.two was not judged; shop.a.one is unknown"
    assert found.value("answered") == 0


def test_what_is_no_part_of_the_run_leaves_it_open(run: Run) -> None:
    found = answers(run.saw(*BOTH), criteria=["shop.b.*"])
    assert (found.status, found.message) == (Status.UNKNOWN, "none of shop.b.* is part of this run")


# documented


def documents(run: Run) -> Judged:
    return run.judge(documented.test_every_answer_left_what_it_saw, documented.Params)


def test_a_value_evidence_or_a_sentence_is_a_record(run: Run) -> None:
    run.selects("shop.a.one", "shop.a.two", "shop.a.three")
    seen = (Evidence(title="t", text="x"),)
    found = documents(run.saw(*BOTH, outcome("shop.a.three", message="It holds", says="It holds", evidence=seen)))
    assert (found.status, found.message) == (Status.PASS, "documented: 3 criteria (of 3)")


def test_an_answer_that_only_repeats_the_claim_is_none(run: Run) -> None:
    found = documents(run.saw(BOTH[0], outcome("shop.a.two", message="It holds", says="It holds")))
    assert (found.status, found.message) == (Status.FAIL, "shop.a.two left neither a value nor evidence")


def test_nothing_judged_is_nothing_documented(run: Run) -> None:
    assert documents(run).status is Status.UNKNOWN


# measured


def measures(run: Run, *names: str) -> Judged:
    return run.judge(measured.test_every_value_of_the_record_was_measured, measured.Params, criteria=names)


def test_measured_values_are_listed(run: Run) -> None:
    found = measures(run.saw(*BOTH), "shop.a.one")
    assert (found.status, found.seen) == (Status.PASS, "shop.a.one: age 3 h")


def test_a_blank_in_the_record_is_told_with_its_reason(run: Run) -> None:
    found = measures(run.saw(*BOTH), "shop.a.one", "shop.a.two", "shop.b.gone")
    assert found.status is Status.FAIL
    assert found.message == (
        "shop.a.two has no measured value (seen); shop.b.gone has no measured value (it is not part of this run)"
    )


def test_what_could_not_be_looked_at_leaves_its_blank_open(run: Run) -> None:
    found = measures(run.saw(outcome("shop.a.one", Status.UNKNOWN, "refused")), "shop.a.one")
    assert (found.status, found.message) == (Status.UNKNOWN, "shop.a.one has no measured value (refused)")


def test_one_item_without_a_value_is_not_hidden_by_another(run: Run) -> None:
    run.selects("shop.a.one[x]", "shop.a.one[y]")
    found = measures(
        run.saw(outcome("shop.a.one[x]", measurements=(AGE,)), outcome("shop.a.one[y]", message="gone")), "shop.a.one"
    )
    assert (found.status, found.message) == (Status.FAIL, "shop.a.one[y] has no measured value (gone)")


# passed


def holds(run: Run, *names: str, over: str = "run") -> Judged:
    return run.judge(passed.test_every_criterion_of_the_group_held, passed.Params, criteria=names, over=over)


def test_a_group_that_held(run: Run) -> None:
    run.saw(BOTH[0], outcome("shop.a.two", Status.WAIVED))
    found = holds(run, "shop.a.*")
    assert (found.status, found.message) == (Status.PASS, "held: 2 criteria (of 2)")


def test_a_failure_an_unknown_and_silence_are_told_apart(run: Run) -> None:
    run.selects("shop.a.one", "shop.a.two", "shop.a.three")
    found = holds(run.saw(BOTH[1], outcome("shop.a.three", Status.UNKNOWN)), "shop.a.*")
    assert found.status is Status.FAIL
    assert found.message == ("shop.a.two failed; shop.a.one: not answered in this run; shop.a.three is unknown")
    assert holds(run, "shop.a.three").status is Status.UNKNOWN
    assert holds(run, "shop.b.*").message == "none of shop.b.* was judged in this run"


def test_earlier_runs_count_since_the_deployment(run: Run) -> None:
    run.saw(BOTH[0], outcome("shop.a.two"))
    run.earlier("before", timedelta(days=3), BOTH[1])
    run.earlier("broken-off", timedelta(days=1), BOTH[1], aborted="interrupted")
    assert (
        holds(run, "shop.a.*", over="deployment").message
        == "0 earlier runs since the deployment; held: 2 criteria (of 2)"
    )
    run.earlier("after", timedelta(days=1), BOTH[1])
    found = holds(run, "shop.a.*", over="deployment")
    assert (found.status, found.message) == (Status.FAIL, "shop.a.two failed in run after")
    assert holds(run, "shop.a.*").status is Status.PASS


def test_without_a_deployment_time_earlier_runs_are_left_open(tmp_path: Path) -> None:
    run = Run(tmp_path / "test", None).selects("shop.a.one").saw(BOTH[0])
    found = holds(run, "shop.a.one", over="deployment")
    assert found.status is Status.UNKNOWN
    assert "deployment.deployed_at" in found.message


def test_a_history_that_cannot_be_read_leaves_it_open(run: Run) -> None:
    run.saw(BOTH[0], outcome("shop.a.two")).earlier("after", timedelta(days=1), BOTH[1])
    assert run.context.history is not None
    with run.context.history.writing() as connection:
        connection.exec_driver_sql("DROP TABLE outcomes")
    found = holds(run, "shop.a.*", over="deployment")
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("the history cannot be read: ")


# recent


def is_recent(run: Run, within: str) -> Judged:
    return run.judge(recent.test_last_run_is_recent, recent.Params, criteria=["shop.a.*"], within=within)


def test_the_last_run_that_judged_it_counts(run: Run) -> None:
    run.earlier("old", timedelta(hours=30), BOTH[0]).earlier("young", timedelta(hours=1), outcome("shop.b.x"))
    found = is_recent(run, "2 d")
    assert found.status is Status.PASS
    assert found.value("age of the last run") == pytest.approx(30, abs=0.1)
    assert "run old" in found.message
    late = is_recent(run, "1 d")
    assert late.status is Status.FAIL
    assert re.fullmatch(r"age of the last run: 30(\.\d)? h, at most 24 h needed \(run old\)", late.message)


def test_no_run_at_all_is_a_failure(run: Run) -> None:
    found = is_recent(run.earlier("cut", timedelta(hours=1), BOTH[0], aborted="SIGTERM"), "1 d")
    assert (found.status, found.message) == (Status.FAIL, "no finished run has judged shop.a.*")


# waiting for the other processes of the run


def test_one_process_waits_for_nobody(run: Run) -> None:
    begun = time.monotonic()
    assert Past(run.context).this_run(["shop.a.one"]) == {}
    assert time.monotonic() - begun < 1


def test_a_worker_waits_until_the_other_has_answered(run: Run) -> None:
    worker = other_process(run.context)
    threading.Timer(0.3, lambda: run.saw(BOTH[0])).start()
    assert list(Past(worker).this_run(["shop.a.one"])) == ["shop.a.one"]


def test_a_worker_does_not_wait_for_the_dead(run: Run) -> None:
    worker = other_process(run.saw(BOTH[0]).context)
    threading.Timer(0.3, (run.context.directory / DIED).touch).start()
    begun = time.monotonic()
    assert list(Past(worker).this_run(["shop.a.one", "shop.a.two"])) == ["shop.a.one"]
    assert time.monotonic() - begun < 5


def other_process(context: RunContext) -> RunContext:
    context.worker = "gw1"
    return context


def test_a_damaged_journal_leaves_it_open(run: Run) -> None:
    (run.context.directory / "outcomes.jsonl").write_text("{\n")
    with pytest.raises(CouldNotLook, match="is damaged"):
        Past(run.context).this_run(["shop.a.one"])


def test_what_looks_back_is_not_looked_at(run: Run) -> None:
    assert Past(run.context).selected(["*"]) == ["shop.a.one", "shop.a.two"]


@pytest.mark.parametrize(
    ("name", "pattern", "found"),
    [
        ("shop.a.disk[/home]", "shop.a.disk", True),
        ("shop.a.disk[/home]", "shop.a.*", True),
        ("shop.a.disk[/home]", "shop.a.disk[/home]", True),
        ("shop.a.disk[/var]", "shop.a.disk[/home]", False),
        ("shop.a.disk", "shop.a.disk[/home]", False),
        ("shop.a.disks", "shop.a.disk", False),
    ],
)
def test_patterns_match_ids_with_or_without_their_item(name: str, pattern: str, found: bool) -> None:
    assert matches(name, [pattern]) is found
