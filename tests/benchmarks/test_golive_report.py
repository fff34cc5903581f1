"""What the go-live report costs for a whole watch, history reading included, beside pytest-html for as many results.

Run by `make benchmarks`. Each is a process of its own, from its start to its end; the best of several rounds counts,
since everything else on the machine only ever adds time. pytest-html runs tests that do nothing, so most of its time
is pytest's; bare pytest is printed beside it.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from golive.history.probes import probe_spans, record_probe
from golive.history.runs import begin_run, runs_of_watch
from golive.history.store import History
from golive.history.watches import open_watch, watch_by_id
from golive.judge.verdict import decide
from golive.model import Criterion, Measurement, Outcome, RunRecord, Slot, WatchRecord, When
from reports.golive import write_golive_report
from tests import watchdays as days
from tests.reports.samples import many

ROUNDS = 2
BUDGET_S, BUDGET_MB = 5.0, 300.0
LEAN = ["-p", "no:hypothesispytest", "-p", "no:testinfra", "-p", "no:cacheprovider", "-q"]
PEER = "import pytest\n@pytest.mark.parametrize('n', range({count}))\ndef test_claim(n):\n    assert n % 50 != 7\n"
ONE = (Slot(label="24h", offset_s=24 * 3600.0, occasions=(When.CHECKPOINT, When.GOLIVE)),)


@dataclass(frozen=True)
class Cost:
    """Seconds, peak memory in MB, and what was written in kB."""

    seconds: float
    peak_mb: float
    size_kb: float


def sized(count: int) -> tuple[Criterion, ...]:
    """So many criteria of ten areas that every checkpoint judges."""
    return tuple(days.criterion(f"warungin.area-{n % 10}.part-{n}", "http/latency") for n in range(count))


def record_of(criteria: int, checkpoints: int) -> WatchRecord:
    """A watch whose every outcome has four measurements and evidence, one in fifty of them failing."""
    schedule = ONE if checkpoints == 1 else days.SCHEDULE[:1] + days.SCHEDULE[1:checkpoints]
    schedule = tuple(replace(slot, occasions=(When.CHECKPOINT,)) for slot in schedule)
    record = days.day(criteria=sized(criteria), schedule=schedule, milestones={})
    models = [outcome for outcome in many(57) if len(outcome.measurements) == 4]

    def filled(run: RunRecord, n: int, outcome: Outcome) -> Outcome:
        model = models[n % len(models)]
        moved = tuple(_moved(m, n, run.started_at.hour) for m in model.measurements)
        status = "fail" if n % 50 == 7 else "pass"
        return replace(
            outcome, status=type(outcome.status)(status), message=model.message, measurements=moved,
            evidence=model.evidence, runbook=model.runbook,
        )  # fmt: skip

    runs = (replace(r, outcomes=tuple(filled(r, n, o) for n, o in enumerate(r.outcomes))) for r in record.runs)
    return replace(record, runs=tuple(runs), signatures=())


def _moved(measurement: Measurement, n: int, hour: int) -> Measurement:
    return replace(measurement, value=measurement.value + (n * 7 + hour * 3) % 40)


def store(path: Path, record: WatchRecord) -> None:
    """Keep everything in a history."""
    watch = days.the_watch(record)
    with History.open(path) as history:
        open_watch(history, watch)
        for run in record.runs:
            begin_run(history, run)
        for span in record.probes:
            for at in (span.first_at, span.last_at):
                record_probe(history, watch.id, span.endpoint, span.state, at, "", longest_gap_s=90_000.0)


def report(folder: str, criteria: int, checkpoints: int) -> None:
    """What `golive report` does once it knows its environment. Run in a process of its own; prints its peak memory."""
    bare = replace(record_of(1, checkpoints), criteria=sized(criteria))
    with History.open(Path(folder) / "history.sqlite", create=False) as history:
        watch = watch_by_id(history, days.the_watch(bare).id)
        assert watch is not None
        runs, probes = tuple(runs_of_watch(history, watch.id)), tuple(probe_spans(history, watch.id))
    record = replace(bare, watch=watch, runs=runs, probes=probes)
    write_golive_report(record, decide(record, now=days.after(record)), Path(folder) / "golive.html")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def measured(command: list[str], folder: Path, written: str) -> Cost:
    """One process; its memory is what it says itself, else unknown."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    assert done.returncode in (0, pytest.ExitCode.TESTS_FAILED), done.stdout + done.stderr
    said = done.stdout.split()[-1] if done.stdout.split() else ""
    peak = float(said) if said.replace(".", "", 1).isdigit() else float("nan")
    path = folder / written
    return Cost(took, peak, path.stat().st_size / 1000 if path.exists() else 0.0)


@pytest.mark.parametrize(("criteria", "checkpoints"), [(500, 12), (10_000, 1)])
def test_the_report_over_a_watch_is_written_within_its_budget(
    criteria: int, checkpoints: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """6000 results in twelve runs, and 10000 in one: under five seconds and 300 MB, reading the history included."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    record = record_of(criteria, checkpoints)
    results = sum(len(run.outcomes) for run in record.runs)
    assert results == criteria * checkpoints
    store(tmp_path / "history.sqlite", record)
    (tmp_path / "test_peer.py").write_text(PEER.format(count=results), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    ours = (
        f"from tests.benchmarks.test_golive_report import report; report({str(tmp_path)!r}, {criteria}, {checkpoints})"
    )
    peer = [sys.executable, "-m", "pytest", *LEAN, "--tb=no"]
    commands = {
        "bare pytest": ([*peer, "-p", "no:html"], "none"),
        "pytest with pytest-html": ([*peer, "--html=peer.html", "--self-contained-html"], "peer.html"),
        "go-live report": ([sys.executable, "-c", ours], "golive.html"),
    }
    best: dict[str, Cost] = {}
    for _ in range(ROUNDS):
        for name, (command, written) in commands.items():
            cost = measured(command, tmp_path, written)
            best[name] = min(best.get(name, cost), cost, key=lambda c: c.seconds)
    base = best["pytest with pytest-html"]
    with capsys.disabled():
        print(f"\n{results} results in {checkpoints} run(s), best of {ROUNDS}")
        for name, cost in best.items():
            print(
                f"  {name:26} {cost.seconds:6.2f} s  {cost.seconds / base.seconds:5.2f} x  "
                f"{cost.size_kb:7.0f} kB  peak {cost.peak_mb:4.0f} MB"
            )
    assert "could not be drawn" not in (tmp_path / "golive.html").read_text(encoding="utf-8")
    assert best["go-live report"].seconds < BUDGET_S
    assert best["go-live report"].peak_mb < BUDGET_MB
