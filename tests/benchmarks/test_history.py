"""What the history costs: one series out of five million measurements, and writing an outcome.

Run by `make benchmarks`. Each figure stands beside peers in the same run: the same values in an SQLite table that is
not clustered, and in a CSV file that is searched; an outcome as a line of a file, and as a row of plain SQLite.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.history.runs import add_outcome, begin_run
from golive.history.series import series
from golive.history.store import History
from golive.model import Evidence, Measurement, Outcome, RunRecord, Severity, Status

SERIES = 1_000
RUNS = 5_000
AT = datetime(2026, 5, 1, tzinfo=UTC)
EVERY = timedelta(minutes=15)
WANTED = 617
ROUNDS = 15
BUDGET_MS = 50
OUTCOMES = 400

_MICROSECONDS = "1777593600000000 + 900000000 * run.value"
_ROWS = f"""
    SELECT series.value AS series_id, {_MICROSECONDS} AS at, run.value + 1 AS run_id, 0 AS position,
           (series.value * 7919 + run.value * 104729) % 1000 / 10.0 AS value
    FROM generate AS run, generate AS series WHERE run.value < {RUNS} AND series.value BETWEEN 1 AND {SERIES}
"""


def milliseconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - began)


def forgotten(file: Path) -> None:
    """What the operating system keeps of the file in memory goes, so that the next reading comes from the disk."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
        os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store of ours with all runs and series; its measurements came in by time, as runs bring them."""
    file = tmp_path_factory.mktemp("history") / "history.sqlite"
    History.open(file).close()
    with closing(sqlite3.connect(file)) as plain:
        plain.execute("PRAGMA cache_size = -800000")
        plain.execute("PRAGMA synchronous = OFF")
        plain.execute("CREATE TEMP TABLE generate (value INTEGER PRIMARY KEY)")
        plain.executemany("INSERT INTO generate VALUES (?)", ((n,) for n in range(max(RUNS, SERIES + 1))))
        plain.execute(
            "INSERT INTO runs SELECT value + 1, 'r' || value, 'prod', 'shop', 1777593600000000 + 900000000 * value, 1, "
            "'', NULL, '', NULL, '[]', NULL, NULL, '[]', '{}', '', '{}', 0 FROM generate WHERE value < ?", [RUNS],
        )  # fmt: skip
        plain.execute(
            "INSERT INTO series SELECT value, 'prod', 'shop.c.n' || value, 'cpu', '%' FROM generate "
            "WHERE value BETWEEN 1 AND ?", [SERIES],
        )  # fmt: skip
        plain.execute(
            "INSERT INTO measurements (series_id, at, run_id, position, value, critical, higher, inclusive) "
            f"SELECT series_id, at, run_id, position, value, 80.0, 0, 0 FROM ({_ROWS})"
        )
        plain.commit()
        count = plain.execute("SELECT count(*) FROM measurements").fetchone()[0]
        assert count == SERIES * RUNS
    yield file
    file.unlink()


@pytest.fixture(scope="module")
def unclustered(store: Path) -> Iterator[Path]:
    """The same rows in a plain table in the order they came, with an index."""
    file = store.with_name("plain.sqlite")
    with closing(sqlite3.connect(file)) as plain:
        plain.execute("PRAGMA cache_size = -400000")
        plain.execute("PRAGMA synchronous = OFF")
        plain.execute("CREATE TABLE measurements (series_id, at, run_id, position, value, warning, critical, samples)")
        plain.execute("CREATE TEMP TABLE generate (value INTEGER PRIMARY KEY)")
        plain.executemany("INSERT INTO generate VALUES (?)", ((n,) for n in range(max(RUNS, SERIES + 1))))
        plain.execute(f"INSERT INTO measurements SELECT *, NULL, 80.0, NULL FROM ({_ROWS})")
        plain.execute("CREATE INDEX by_series ON measurements (series_id, at)")
        plain.commit()
    yield file
    file.unlink()


@pytest.fixture(scope="module")
def table(unclustered: Path) -> Iterator[Path]:
    """The same rows as lines of a file."""
    file = unclustered.with_suffix(".csv")
    with closing(sqlite3.connect(unclustered)) as plain, file.open("w", encoding="ascii") as lines:
        for series_id, at, run_id, value in plain.execute("SELECT series_id, at, run_id, value FROM measurements"):
            lines.write(f"shop.c.n{series_id},cpu,{at},r{run_id - 1},{value},80.0\n")
    yield file
    file.unlink()


def test_one_series_of_five_million_measurements_takes_less_than_fifty_milliseconds(
    store: Path, unclustered: Path, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ours() -> None:
        with History.open(store, create=False) as history:
            (one,) = series(history, "prod", f"shop.c.n{WANTED}")
        assert len(one.points) == RUNS
        assert one.points[-1].at == AT + EVERY * (RUNS - 1)

    def without_clustering() -> None:
        with closing(sqlite3.connect(unclustered)) as plain:
            rows = plain.execute("SELECT * FROM measurements WHERE series_id = ? ORDER BY at", [WANTED]).fetchall()
        assert len(rows) == RUNS

    def searched() -> None:
        command = ["grep", "-F", f"shop.c.n{WANTED},", str(table)]
        found = subprocess.run(command, capture_output=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout
        assert found.count(b"\n") == RUNS

    ways = {
        "the history": (ours, store),
        "SQLite, not clustered": (without_clustering, unclustered),
        "CSV, with grep": (searched, table),
    }
    warm, cold = {}, {}
    for name, (read, file) in ways.items():
        read()
        warm[name] = statistics.median(milliseconds(read) for _ in range(ROUNDS))
        forgotten(file)
        cold[name] = milliseconds(read)
    base = warm["the history"]
    with capsys.disabled():
        print(f"\n{SERIES * RUNS:_} measurements, one series of {RUNS:_}: opened and read")
        for name, (_, file) in ways.items():
            size_mb = file.stat().st_size / 1e6
            print(
                f"  {name:22} {warm[name]:8.1f} ms  {warm[name] / base:6.1f} x   "
                f"from the disk {cold[name]:8.1f} ms   {size_mb:5.0f} MB"
            )
    assert base < BUDGET_MS


def outcome(number: int) -> Outcome:
    """As a typical check leaves it: two values, two kilobytes of evidence."""
    return Outcome(
        criterion=f"shop.health.n{number}",
        status=Status.PASS,
        severity=Severity.HIGH,
        message="load 0.42, below 2 needed",
        says="The load stays below its limit",
        check="hosts/load",
        measurements=(
            Measurement(name="load", value=0.42, unit="", critical=2),
            Measurement(name="processes", value=211, unit=""),
        ),
        evidence=(Evidence(title="top", text="a line that was seen\n" * 100),),
        started_at=AT,
    )


def test_an_outcome_is_written_in_less_than_five_milliseconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each in a transaction of its own; the second run finds its series there already, as nearly every run does."""
    outcomes = [outcome(n) for n in range(OUTCOMES)]
    took: dict[str, float] = {}

    def each(action: Callable[[Outcome], object]) -> float:
        return statistics.median(milliseconds(lambda one=one: action(one)) for one in outcomes)  # type: ignore[misc]

    with History.open(tmp_path / "history.sqlite") as history:
        for run in ("first", "second"):
            begin_run(history, RunRecord(run=run, environment="prod", system="shop", started_at=AT))
            took[f"the history, {run} run"] = each(lambda o: add_outcome(history, run, o, environment="prod"))  # noqa: B023
    with closing(sqlite3.connect(tmp_path / "plain.sqlite", isolation_level=None)) as plain:
        plain.execute("PRAGMA journal_mode = WAL")
        plain.execute("PRAGMA synchronous = NORMAL")
        plain.execute("CREATE TABLE outcomes (criterion, data)")
        took["one row of plain SQLite"] = each(
            lambda o: plain.execute("INSERT INTO outcomes VALUES (?, ?)", [o.criterion, json.dumps(o.as_data())])
        )
    with (tmp_path / "outcomes.jsonl").open("ab", buffering=0) as lines:
        took["one line of a file"] = each(lambda o: lines.write(json.dumps(o.as_data()).encode() + b"\n"))
    base = took["the history, second run"]
    with capsys.disabled():
        print(f"\n{OUTCOMES} outcomes with two values and 2 kB of evidence, the median of one")
        for name, one_ms in took.items():
            print(f"  {name:26} {one_ms:7.3f} ms  {one_ms / base:6.2f} x")
    assert base < 5
