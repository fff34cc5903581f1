"""What could not be read is never taken for read, and what a runtime spells otherwise is found all the same."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.logs import Sought
from golive.model import CouldNotLook
from tests.logs.test_counting import BUSYBOX
from tests.logs.test_file import NOW, line, source, touch, write
from tests.shims import shim

PADDING = "y" * 60


@pytest.fixture
def busybox(tmp_path: Path) -> Path:
    program = shutil.which("busybox")
    assert program, "install the package busybox-static"
    for name in BUSYBOX:
        shim(tmp_path / "bin", name, f'exec {program} {name} "$@"')
    return tmp_path / "bin"


def wrapped(text: str, n: int) -> str:
    """A line as docker's json-file driver writes it."""
    at = (datetime(2026, 5, 1, 10, tzinfo=UTC) + timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%S.5Z")
    record = json.dumps({"log": f"{text}\n", "stream": "stdout", "time": at}, separators=(",", ":"))
    return record.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026") + "\n"


def log_of(path: Path, usual: str, odd: str, *, lines: int = 4_000) -> Path:
    path.write_text(
        "".join(wrapped(odd if n in (1_500, 2_500, 3_500) else f"{usual} {n}{PADDING}", n) for n in range(lines))
    )
    return path


@pytest.mark.parametrize("system", ["gnu", "busybox"])
@pytest.mark.parametrize(
    ("usual", "odd"),
    [
        ('{"level":30,"msg":"usual"}', '{"level":60,"msg":"boom"}'),
        ('{"severity": "6"}', '{"severity": "2"}'),
        ("<14>app usual", "<10>app failed"),
    ],
)
def test_levels_without_a_word_are_counted_within_what_docker_wraps(
    tmp_path: Path, busybox: Path, system: str, usual: str, odd: str
) -> None:
    log = log_of(tmp_path / "log", usual, odd)
    folder = busybox if system == "busybox" else None
    reading, _ = source(log, bin_folder=folder, max_bytes="200 kB").read(None, None)
    assert (reading.counts["CRITICAL"], reading.counts["lines"], reading.gap) == (3, 0, None)


def test_a_flood_of_priorities_that_docker_wrapped_is_told_apart(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(wrapped(f"<{10 if n % 7 else 12}>app error {n}{PADDING}", n) for n in range(14_000)))
    reading, _ = source(log, max_bytes="200 kB").read(None, None)
    assert (reading.counts["CRITICAL"], reading.counts["WARNING"], reading.gap) == (12_000, 2_000, None)


@pytest.mark.parametrize("system", ["gnu", "busybox"])
def test_what_is_sought_is_found_within_what_docker_wraps(tmp_path: Path, busybox: Path, system: str) -> None:
    odd = '{"level":"info","password":"hunter2","q":"<script>a=1&b=2","took_ms":1500}'
    log = log_of(tmp_path / "log", '{"level":"info"}', odd)
    wanted = (
        *(Sought(pattern=text) for text in ('"password":"', "a=1&b=2", r"<script>\w")),
        Sought(words=("<script",)),
    )
    folder = busybox if system == "busybox" else None
    reading, _ = source(log, bin_folder=folder, max_bytes="200 kB").read(None, None, sought=wanted)
    found = [reading.find(one) for one in wanted]
    assert [(len(one.events), one.incomplete) for one in found] == [(3, None)] * 4


@pytest.mark.parametrize(
    ("ending", "data"),
    [("gz", gzip.compress(line("lost").encode(), mtime=0)[:12]), ("zst", b"\x28\xb5\x2f\xfd" + b"0" * 50)],
)
def test_a_rotated_file_that_cannot_be_unpacked_was_not_read(tmp_path: Path, ending: str, data: bytes) -> None:
    log = tmp_path / "app.log"
    write(log, "old", ago_s=5_000)
    _, cursor = source(log).read(None, None)
    log.rename(tmp_path / "app.log.2")
    packed = tmp_path / f"app.log.1.{ending}"
    packed.write_bytes(data)
    touch(packed, 500)
    write(log, "now", ago_s=100)
    for since, start in ((cursor, None), (None, NOW - timedelta(hours=1))):
        with pytest.raises(CouldNotLook, match=rf"app.log.1.{ending} on host app: it cannot be unpacked there"):
            source(log).read(since, start)


def test_a_large_packed_file_that_is_damaged_was_not_counted(tmp_path: Path) -> None:
    log, packed = tmp_path / "app.log", tmp_path / "app.log.1.gz"
    write(log, "now", ago_s=100)
    noise = "".join(line(os.urandom(20).hex(), level="INFO", ago_s=900) for _ in range(6_000))
    packed.write_bytes(gzip.compress(noise.encode())[:-2_000])
    touch(packed, 500)
    with pytest.raises(CouldNotLook, match="cannot be unpacked there"):
        source(log, max_bytes="200 kB").read(None, NOW - timedelta(hours=1))


def test_a_file_that_is_just_being_packed_is_read_from_its_whole_self(tmp_path: Path) -> None:
    log, rotated = tmp_path / "app.log", tmp_path / "app.log.1"
    write(rotated, "before", ago_s=500)
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(rotated.read_bytes())[:12])
    write(log, "now", ago_s=100)
    reading, _ = source(log).read(None, NOW - timedelta(seconds=600))
    assert [event.message for event in reading.events] == ["before", "now"]


def test_a_log_that_begins_with_the_same_banner_again_is_known_to_be_new(tmp_path: Path) -> None:
    log, banner = tmp_path / "app.log", "\n".join("  .   ____          _            __ _ _" for _ in range(9)) + "\n"
    log.write_text(banner + line("old", ago_s=900))
    touch(log, 900)
    _, cursor = source(log).read(None, None)
    log.write_text(banner + line("boom", ago_s=100) + line("more", ago_s=90) * 9)
    reading, _ = source(log).read(cursor, None)
    assert "boom" in [event.message for event in reading.events]
    assert "was emptied and written anew" in str(reading.gap)


@pytest.mark.parametrize("limit", ["200 kB", "64 MB"])
@pytest.mark.parametrize("system", ["gnu", "busybox"])
def test_a_line_behind_the_hole_of_an_emptied_file_is_read(
    tmp_path: Path, busybox: Path, system: str, limit: str
) -> None:
    log, usual = tmp_path / "app.log", "".join(f"2026-05-01T10:00:00Z INFO usual {n}{PADDING}\n" for n in range(4_000))
    dead = b"2026-05-01T10:00:00Z CRITICAL dead"
    log.write_bytes(usual.encode() + b"\0" * 3_000 + dead + b"\n" + b"pay\0load password=x\n" + usual.encode())
    folder, password = busybox if system == "busybox" else None, Sought(pattern="password=")
    reading, _ = source(log, bin_folder=folder, max_bytes=limit).read(None, None, sought=(password,))
    assert [event.message.split()[-1] for event in reading.of_level("CRITICAL")] == ["dead"]
    assert (len(reading.find(password).events), reading.find(password).incomplete) == (1, None)
