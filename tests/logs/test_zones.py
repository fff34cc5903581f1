"""Lines whose times tell no zone, by a writer in another zone than the host's: what they hide is told."""

import gzip
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.logs import Reach
from golive.logs.file import Config, open_source
from tests.shims import local_host, shim

NOW = datetime.now(UTC).replace(microsecond=0)
TOLD = "its times look like those of another zone; let the service log UTC or its offset"
DOWN = "CRITICAL payment provider is down"
TRACE = "Traceback (most recent call last):\n  File 'pay.py', line 3, in pay\nOSError: gone\n"
QUIET = "".join(
    f"{NOW - timedelta(days=3, seconds=-n):%Y-%m-%d %H:%M:%S} INFO order {n} was paid\n" for n in range(9_000)
)


def line(text: str, *, ago_s: float, zone_h: float = 0.0, ending: str = "") -> str:
    return f"{NOW - timedelta(seconds=ago_s) + timedelta(hours=zone_h):%Y-%m-%d %H:%M:%S}{ending} {text}\n"


def written(path: Path, text: str, *, ago_s: float) -> None:
    """The file, last changed then."""
    path.write_text(text, encoding="utf-8")
    os.utime(path, (NOW.timestamp() - ago_s, NOW.timestamp() - ago_s))


def gap(log: Path, *, back_s: float = 1320, limit: str = "2 MB") -> str:
    """What a first look from that long ago tells on a host in UTC; nothing where all lines are there."""
    shim(log.parent / "bin", "date", 'TZ=UTC exec {real} "$@"')
    config = Config.model_validate({"kind": "file", "host": "app", "path": str(log), "max_bytes": limit})
    host = local_host(log.parent / "bin")
    source = open_source("api", config, Reach(host_of=lambda _: host, client_of=lambda name: pytest.fail(name)))
    return source.read(None, NOW - timedelta(seconds=back_s))[0].gap or ""


@pytest.mark.parametrize("zone_h", [-8, -1, 5.75])
@pytest.mark.parametrize("limit", ["2 MB", "10 kB"])
def test_a_line_by_a_clock_of_another_zone_is_a_gap(tmp_path: Path, zone_h: float, limit: str) -> None:
    log = tmp_path / "app.log"
    written(log, QUIET + line(DOWN, ago_s=10, zone_h=zone_h), ago_s=10)
    told = gap(log, limit=limit)
    assert TOLD in told
    assert f"{log} was written at {NOW - timedelta(seconds=10):%Y-%m-%dT%H:%M:%S}" in told
    assert f"its newest line says {NOW - timedelta(seconds=10) + timedelta(hours=zone_h):%Y-%m-%dT%H:%M:%S}" in told


def test_a_trace_without_times_does_not_hide_it(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    written(log, QUIET + line(DOWN, ago_s=10, zone_h=-8) + TRACE, ago_s=10)
    assert TOLD in gap(log)


def test_nor_does_a_long_window_that_some_of_the_lines_seem_to_lie_in(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    written(log, QUIET + line("INFO paid", ago_s=10, zone_h=-1), ago_s=10)
    assert TOLD in gap(log, back_s=4 * 3600)


def test_nor_its_being_rotated(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    written(tmp_path / "app.log.1", QUIET + line(DOWN, ago_s=20, zone_h=-8), ago_s=20)
    written(log, "", ago_s=10)
    assert TOLD in gap(log)


@pytest.mark.parametrize("limit", ["2 MB", "10 kB"])
def test_times_of_the_host_are_no_gap(tmp_path: Path, limit: str) -> None:
    log = tmp_path / "app.log"
    written(log, QUIET + line(DOWN, ago_s=10), ago_s=10)
    assert gap(log, limit=limit) == ""
    written(log, QUIET + line(DOWN, ago_s=100), ago_s=10)  # written through a buffer
    assert gap(log, limit=limit) == ""
    written(log, QUIET + line("INFO paid", ago_s=4_000), ago_s=4_000)  # quiet since
    assert gap(log, limit=limit) == ""


def test_traces_touched_times_with_a_zone_and_rotated_files_are_no_gap(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    written(log, QUIET + line(DOWN, ago_s=5_017) + TRACE, ago_s=10)  # the trace came much later
    assert gap(log) == ""
    written(log, QUIET + line("INFO paid", ago_s=8 * 3600, ending="Z"), ago_s=0)  # touched; the zone is told
    assert gap(log) == ""
    written(tmp_path / "app.log.1", QUIET + line("INFO paid", ago_s=5_017), ago_s=20)  # a copy, then cut
    with gzip.open(tmp_path / "app.log.2.gz", "wt") as packed:
        packed.write(line("INFO paid", ago_s=9_000))
    written(log, line("INFO paid", ago_s=3), ago_s=3)
    assert gap(log) == ""


def test_an_offset_is_understood(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    written(log, QUIET + line(DOWN, ago_s=10, zone_h=-8, ending="-0800"), ago_s=10)
    assert gap(log) == ""
