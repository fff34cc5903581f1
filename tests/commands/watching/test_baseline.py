"""`golive baseline`, on a real history with good and bad runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.main import CommandError
from commands.watching import baseline
from golive.environment.schedule import slots_of
from golive.history.runs import begin_run, finish_run
from golive.history.store import History
from golive.history.watches import open_watch
from golive.model import EXTRA, Deployment, Measurement, Outcome, RunRecord, Severity, Status, Watch
from tests.sessions import Shop

START = datetime(2026, 5, 1, 9, tzinfo=UTC)
P95, CPU = "shop.speed.p95", "shop.health.cpu"


class Desk:
    """The command at an environment with a history."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.shop = Shop(folder)
        self.shop.write([{"id": P95, "says": "It is fast enough", "severity": "low", "not_applicable": "a sample"}])
        self.file = folder / "history.sqlite"
        self.history = History.open(self.file)
        self._capsys = capsys

    def ran(
        self,
        name: str,
        p95: float,
        *,
        cpu: Status = Status.PASS,
        checkpoint: str | None = None,
        watch: str | None = None,
        aborted: str | None = None,
        finished: bool = True,
        environment: str = "shop",
        more: Sequence[Measurement] = (),
        people: Status = Status.ATTESTED,
    ) -> Desk:
        at = START + timedelta(hours=float(p95) / 1000)
        ms = Measurement(name="p95", value=p95, unit="ms", critical=500)
        outcomes = (
            outcome(P95, Status.PASS, at, ms, *more),
            outcome(CPU, cpu, at, Measurement(name="idle", value=40, unit="%", better="higher")),
            outcome("shop.trend.p95", Status.PASS, at, Measurement(name="growth", value=3, unit="%"), "history/growth"),
            outcome("shop.signoff.qa", people, at, "people/attested"),
        )
        record = RunRecord(
            run=name,
            environment=environment,
            system="shop",
            started_at=at,
            deployment=Deployment(version="1.8"),
            outcomes=outcomes,
            watch=watch,
            checkpoint=checkpoint,
        )
        begin_run(self.history, record)
        if finished:
            finish_run(self.history, name, finished_at=at + timedelta(seconds=9), aborted=aborted)
        return self

    def other_criteria(self, name: str) -> None:
        """A run that measured something else."""
        at = START + timedelta(days=1)
        size = Measurement(name="size", value=1, unit="GB")
        record = RunRecord(
            run=name,
            environment="shop",
            system="shop",
            started_at=at,
            outcomes=(outcome("shop.data.size", Status.PASS, at, size),),
        )
        begin_run(self.history, record)
        finish_run(self.history, name, finished_at=at, aborted=None)

    def watches(self) -> Desk:
        watch = Watch(
            id="watch-1",
            environment="shop",
            system="shop",
            deployment=Deployment(version="1.8", deployed_at=START),
            starts_at=START,
            opened_at=START,
            schedule=slots_of(["1 h", "2 h", "3 h"]),
            tolerance_s=900,
        )
        open_watch(self.history, watch)
        return self

    def __call__(self, *words: str) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        baseline.add(parser.add_subparsers())
        options = parser.parse_args(["baseline", *words, f"--env={self.shop.file}", f"--history={self.file}"])
        code = options.run(options)
        return code, self._capsys.readouterr().out

    def refuses(self, *words: str) -> str:
        with pytest.raises(CommandError) as error:
            self(*words)
        return str(error.value)


def outcome(name: str, status: Status, at: datetime, *measurements: Measurement | str) -> Outcome:
    check = next((m for m in measurements if isinstance(m, str)), None)
    return Outcome(
        criterion=name,
        status=status,
        severity=Severity.HIGH,
        message="seen",
        check=check,
        started_at=at,
        measurements=tuple(m for m in measurements if isinstance(m, Measurement)),
    )


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    made = Desk(tmp_path, capsys)
    yield made
    made.history.close()


def test_a_good_run_becomes_the_baseline(desk: Desk) -> None:
    desk.ran("run-a", 100)
    assert desk("set", "run-a") == (0, "baseline 1.8: 2 values of run run-a\n")
    code, out = desk("show")
    assert code == 0
    assert out.splitlines()[0].startswith("baseline 1.8, version 1.8: 2 values of run run-a, made 2")
    assert out.splitlines()[1:] == [f"{CPU}\tidle\t40 %\t1", f"{P95}\tp95\t100 ms\t1"]


def test_the_last_run_may_be_meant(desk: Desk) -> None:
    desk.ran("run-a", 100).ran("run-b", 120).ran("run-c", 130, aborted="interrupted by Ctrl-C")
    assert desk("set", "last", "--name=may") == (0, "baseline may: 2 values of run run-b\n")


def test_a_watch_gives_its_medians(desk: Desk) -> None:
    desk.watches().ran("old", 900)
    for label, p95 in (("1h", 100), ("2h", 400), ("3h", 110)):
        desk.ran(f"run-{label}", p95, watch="watch-1", checkpoint=label)
    desk.ran("by-hand", 800, watch="watch-1", checkpoint=EXTRA)
    desk.ran("broken", 700, watch="watch-1", checkpoint="3h", aborted="interrupted")
    assert desk("set", "--from-watch") == (0, "baseline 1.8: 2 values of the medians of 3 checkpoints\n")
    assert f"{P95}\tp95\t110 ms\t3" in desk("show")[1]


def test_what_is_no_good_example_is_refused(desk: Desk) -> None:
    desk.ran("cut", 100, aborted="interrupted by Ctrl-C").ran("going", 110, finished=False)
    assert desk.refuses("set", "cut") == (
        "run cut was broken off (interrupted by Ctrl-C): a baseline is a run that came to its end"
    )
    assert desk.refuses("set", "going") == "run going still goes on: a baseline is a run that came to its end"
    assert desk.refuses("set", "last") == "shop: no run has come to its end yet"
    desk.ran("red", 120, cpu=Status.FAIL)
    assert desk.refuses("set", "red") == (
        f"1 criterion did not hold ({CPU}): a baseline is a good run. --passed-only leaves their values out"
    )
    assert desk("set", "red", "--passed-only") == (
        0,
        f"baseline 1.8: 1 value of run red\nleft out, since they did not hold: {CPU}\n",
    )


def test_a_waived_value_is_no_good_example(desk: Desk) -> None:
    desk.ran("run-a", 100, cpu=Status.WAIVED)
    assert "left out, since they did not hold: shop.health.cpu" in desk("set", "run-a")[1]


def test_a_signature_that_is_missing_spoils_no_value(desk: Desk) -> None:
    desk.ran("run-a", 100, people=Status.UNKNOWN)
    assert desk("set", "run-a") == (0, "baseline 1.8: 2 values of run run-a\n")


def test_wrong_words_are_told(desk: Desk) -> None:
    desk.ran("run-a", 100).ran("elsewhere", 100, environment="other")
    assert "say which run" in desk.refuses("set")
    assert "say which run" in desk.refuses("set", "run-a", "--from-watch")
    assert desk.refuses("set", "run-b").startswith("shop: unknown run 'run-b'. Did you mean 'run-a'?")
    assert desk.refuses("set", "elsewhere").startswith("shop: unknown run 'elsewhere'")
    assert desk.refuses("set", "--from-watch") == "shop: there is no watch yet"
    assert desk.refuses("show") == "shop: no baseline is in force: golive baseline set RUN"
    desk.watches()
    assert desk.refuses("set", "--from-watch") == "shop: no checkpoint of watch watch-1 has come to its end yet"
    desk("set", "run-a")
    assert "already has a baseline '1.8'; give another name" in desk.refuses("set", "run-a")
    assert desk.refuses("show", "--name=1.9").startswith("shop: unknown baseline '1.9'")
    assert desk.refuses("compare", "--worse-than=-1").startswith("--worse-than: a percentage")


def test_a_run_beside_the_baseline(desk: Desk) -> None:
    up = Measurement(name="api up", value=900, unit="s")
    zero = Measurement(name="errors", value=0, unit="errors")
    three = Measurement(name="errors", value=3, unit="errors")
    gone = Measurement(name="gone", value=3, unit="errors")
    desk.ran("run-a", 100, more=(up, zero, gone)).ran("run-b", 130, more=(up, three))
    desk("set", "run-a")
    code, out = desk("compare", "run-b")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("run run-b beside baseline 1.8, version 1.8: 4 values of run run-a, made ")
    assert lines[1:] == [
        f"{P95}\terrors\t3 errors\t0 errors\tfrom 0\tworse",
        f"{P95}\tp95\t130 ms\t100 ms\t+30.0 %\tworse",
        f"{CPU}\tidle\t40 %\t40 %\t+0.0 %\tsame",
        "2 worse, 0 better, 1 same; 1 value of the baseline not measured in this run",
    ]


def test_worse_than_decides_the_exit_code(desk: Desk) -> None:
    desk.ran("run-a", 100).ran("run-b", 130)
    desk("set", "run-a")
    assert desk("compare", "--worse-than=30")[0] == 0
    code, out = desk("compare", "--worse-than=29")
    assert (code, out.splitlines()[-1]) == (1, f"worse by more than 29 %: {P95}: p95")
    data = json.loads(desk("compare", "run-a", "--json")[1])
    assert (data["run"], data["baseline"], data["changes"][0]["change"]) == ("run-a", "1.8", "same")


def test_what_has_nothing_in_common_is_no_comparison(desk: Desk) -> None:
    desk.ran("run-a", 100).ran("run-b", 130, cpu=Status.FAIL)
    desk("set", "run-a")
    desk.other_criteria("run-c")
    code, out = desk("compare", "run-c")
    assert (code, out.splitlines()[-1]) == (
        1,
        "0 worse, 0 better, 0 same; 2 values of the baseline not measured in this run",
    )


def test_a_baseline_that_was_invalidated_is_kept_with_its_reason(desk: Desk) -> None:
    desk.ran("run-a", 100)
    assert desk("list") == (1, "shop has no baseline yet: golive baseline set RUN\n")
    desk("set", "run-a")
    desk("set", "run-a", "--name=second")
    assert desk("list")[1].splitlines()[1].endswith("\tin force")
    assert desk("invalidate", "--reason=another machine") == (
        0,
        "baseline second is not compared with any more\nin force now: 1.8\n",
    )
    assert "is not valid since" in desk.refuses("invalidate", "--name=second", "--reason=again")
    assert desk("invalidate", "--reason=old")[1].endswith("no baseline is in force now: golive baseline set RUN\n")
    assert desk.refuses("show") == (
        "shop: no baseline is in force (1.8, second: not valid any more): golive baseline set RUN"
    )
    listed = desk("list")[1].splitlines()
    assert listed[1].endswith("(another machine)")
    assert "is not valid since" in desk("show", "--name=second")[1]
    assert json.loads(desk("show", "--name=second", "--json")[1])["invalid_because"] == "another machine"
    assert desk.refuses("invalidate", "--name=1.8", "--reason= ") == "--reason: say why, for those who ask later"
