"""Counting the levels in 512 MB of JSON lines where they are, beside `grep -c` for one text.

Run with `pytest tests/benchmarks -s`. Both sides are measured in turn, with the file in memory;
the figures are the best of several rounds, and the median of the ratios of single rounds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from golive.logs import Cursor, LogReading, Reach
from golive.logs.file import Config, open_source
from tests.shims import local_host

ROOT = Path(__file__).resolve().parents[2]
SIZE = 512_000_000
ROUNDS = 7
LOOSE = {"level first": 3.0, "time first": 4.0}
"""Ratios beyond which something is wrong, whatever else the machine does."""
START = datetime(2026, 5, 1, tzinfo=UTC)
GREP = ("grep", "-c", '"level":"ERROR"')
PLAIN = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
PATHS = ("/api/orders", "/api/products", "/api/me", "/api/stores/1/reports", "/health")
PROCESS = """
import sys
from datetime import UTC, datetime
from golive.logs import Reach
from golive.logs.file import Config, open_source
from golive.environment.sections import HostSection
from golive.targets.hosts.host import Host

host = Host("app", HostSection.model_validate({"connect": "local://"}))
config = Config.model_validate({"kind": "file", "host": "app", "path": sys.argv[1]})
source = open_source("api", config, Reach(host_of=lambda _: host, client_of=None))
reading, _ = source.read(None, datetime(2026, 5, 1, tzinfo=UTC))
print(reading.counts["ERROR"], reading.gap)
"""


@dataclass(frozen=True)
class Log:
    """A file, in which order its lines hold time and level, and how many lines of each level it has."""

    path: Path
    form: str
    counts: dict[str, int]


def level_of(n: int) -> str:
    if n % 700_000 == 99:
        return "CRITICAL"
    if n % 50_000 == 17:
        return "ERROR"
    if n % 20_000 == 5:
        return "WARNING"
    return "DEBUG" if n * 7_919 % 100 < 3 else "INFO"


def line(n: int, form: str) -> str:
    """A line of about 200 bytes; the same for the same number."""
    second = n // 40
    at = f'"time":"2026-05-01T{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.{n % 40 * 25:03}Z"'
    level = f'"level":"{level_of(n)}"'
    return (
        f"{{{level if form == 'level first' else at},{at if form == 'level first' else level},"
        f'"logger":"app.http","message":"GET {PATHS[n % 5]} 200",'
        f'"request_id":"{n * 2_654_435_761 % 2**64:016x}","remote":"10.0.{n % 256}.{n * 7 % 256}","status":200,'
        f'"duration_ms":{n * 31 % 900},"user":"cashier-{n % 400}"}}\n'
    )


@pytest.fixture(scope="module", params=["level first", "time first"])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """The file, and how many lines of each level are in it."""
    path = tmp_path_factory.mktemp("log") / "api.log"
    size = lines = 0
    with path.open("w", encoding="utf-8") as file:
        while size < SIZE:
            block = "".join(line(n, request.param) for n in range(lines, lines + 10_000))
            lines, size = lines + 10_000, size + file.write(block)
    counts = dict.fromkeys(("WARNING", "ERROR", "CRITICAL"), 0)
    for n in range(lines):
        if (level := level_of(n)) in counts:
            counts[level] += 1
    os.utime(path, (time.time() - 60, time.time() - 60))
    yield Log(path, request.param, counts)
    path.unlink()


def look(path: Path, since: Cursor | None) -> tuple[LogReading, Cursor]:
    config = Config.model_validate({"kind": "file", "host": "app", "path": str(path)})
    host = local_host()
    reach = Reach(host_of=lambda _: host, client_of=lambda name: pytest.fail(f"{name} is not asked"))
    return open_source("api", config, reach).read(since, None if since else START)


def timed(action: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    found = action()
    return time.perf_counter() - began, found


def grep(path: Path) -> int:
    return int(subprocess.run([*GREP, str(path)], capture_output=True, check=True, env=PLAIN).stdout)


def whole_process(path: Path) -> str:
    given = [sys.executable, "-c", PROCESS, str(path)]
    return subprocess.run(given, capture_output=True, check=True, text=True, cwd=ROOT).stdout


def test_counting_all_levels_costs_little_more_than_grep_for_one(log: Log) -> None:
    path, counts = log.path, log.counts
    grep(path)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        took, (reading, cursor) = timed(lambda: look(path, None))
        ours.append(took)
        took, errors = timed(lambda: grep(path))
        theirs.append(took)
        assert {level: reading.counts[level] for level in counts} == counts
        assert (errors, reading.gap) == (counts["ERROR"], None)
    process, printed = timed(lambda: whole_process(path))
    assert printed == f"{counts['ERROR']} None\n"
    ratio = statistics.median(mine / peer for mine, peer in zip(ours, theirs, strict=True))
    cores, megabytes = len(os.sched_getaffinity(0)), path.stat().st_size / 1e6
    print(f"\n{megabytes:.0f} MB, {log.form}: all levels, and what stands around critical lines; {cores} cores")
    print(f"ours {min(ours):.3f} s   grep -c of one text {min(theirs):.3f} s")
    print(f"ratio of the best {min(ours) / min(theirs):.2f}, median of the rounds {ratio:.2f}")
    print(f"whole process {process:.2f} s")

    more = "".join(line(n, log.form) for n in range(3_000_000, 3_005_000))
    with path.open("a", encoding="utf-8") as file:
        file.write(more)
    took, (reading, _) = timed(lambda: look(path, cursor))
    print(f"second look, {len(more) / 1e6:.1f} MB new: {took:.3f} s, {reading.bytes_read / 1e6:.1f} MB read")
    assert reading.bytes_read <= len(more)
    # The goal is 1.5 on a machine with nothing else to do, where both programs that read the file have a core each.
    assert min(min(ours) / min(theirs), ratio) < LOOSE[log.form]
