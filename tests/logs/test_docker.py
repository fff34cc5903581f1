"""How a containers' log is described, and rubbish from a host; the rest is shown on a real engine."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from golive.logs import Cursor, Reach
from golive.logs.docker import Config, open_source
from golive.logs.hosted.containers import Whose, parse_containers
from golive.logs.hosted.look import Garbled
from golive.model import CouldNotLook
from tests.shims import local_host, shim

ID = "a" * 64
INFO = f"{ID}|/shop|true|0001-01-01T00:00:00Z|2026-05-01T10:00:00.5Z|local|||"


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"container": "a", "service": "b"},
        {"container": "a", "project": "b"},
        {"project": "b"},
        {"container": "-f"},
        {"container": "a b"},
        {"service": "$(x)"},
        {"container": "a", "program": "sh"},
    ],
)
def test_a_description_that_names_none_or_two_is_refused(keys: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate({"kind": "docker", "host": "app", **keys})


def test_messages_name_whose_log_it_is() -> None:
    assert Whose(program="docker", container="x").told == "container x"
    assert Whose(program="docker", service="api", project="shop").told == "service api of shop"
    assert "label=com.docker.compose.project=shop" in Whose(program="docker", service="api", project="shop").listing


def test_what_a_host_tells_of_containers() -> None:
    said = (
        f"1777629600\n\nM-container\nwarning\n{INFO}\nM-logs\n2026-05-01T10:00:00Z x\n\nM-exit 0\n"
        f"\nM-container\nError: No such container: y\x1b[2J\n\nM-containers\n"
    )
    visit = parse_containers(said.encode(), "M")
    (one,) = visit.said
    assert (one.container.name, one.container.finished_at, one.container.limited) == ("shop", None, False)
    assert (one.printed, one.whole, one.exit_code) == (b"2026-05-01T10:00:00Z x\n", True, 0)
    assert visit.problem == "Error: No such container: y [2J"


@pytest.mark.parametrize("rubbish", [b"", b"x\nM-containers\n", b"\xff" * 99, b"17\n\nM-container\n"])
def test_rubbish_is_garbled(rubbish: bytes) -> None:
    with pytest.raises(Garbled):
        parse_containers(rubbish, "M")


def look(folder: Path, script: str, since: Cursor | None = None, start: datetime | None = None) -> Any:
    shim(folder / "bin", "docker", script)
    host = local_host(folder / "bin")
    config = Config.model_validate({"kind": "docker", "host": "app", "container": "shop"})
    reach = Reach(host_of=lambda _: host, client_of=lambda name: pytest.fail(f"{name} is not asked"))
    return open_source("api", config, reach).read(since, start)


LOGS = "echo 2026-05-01T10:00:00.1Z CRITICAL: dead"


@pytest.mark.parametrize("cursor", [None, {}, {"containers": 5}, {"containers": {ID: {"mark": 7}}}, {"kind": "file"}])
def test_a_cursor_of_another_shape_counts_as_none(tmp_path: Path, cursor: Cursor | None) -> None:
    reading, left = look(tmp_path, f"case $1 in inspect) echo '{INFO}';; logs) {LOGS};; esac", cursor)
    assert (reading.counts["CRITICAL"], reading.gap) == (1, None)
    assert left["containers"][ID]["last"] == "2026-05-01T10:00:00.1Z"


def test_lines_of_one_moment_are_neither_lost_nor_read_twice(tmp_path: Path) -> None:
    inspect = f"case $1 in inspect) echo '{INFO}';; logs) cat {tmp_path}/lines;; esac"
    (tmp_path / "lines").write_text("2026-05-01T10:00:00.1Z ERROR: a\n" * 2)
    _, cursor = look(tmp_path, inspect)
    (tmp_path / "lines").write_text("2026-05-01T10:00:00.1Z ERROR: a\n" * 3 + "2026-05-01T10:00:00.2Z ERROR: b\n")
    reading, cursor = look(tmp_path, inspect, cursor)
    assert (reading.counts["ERROR"], reading.gap) == (2, None)
    (tmp_path / "lines").write_text("2026-05-01T10:00:00.9Z ERROR: c\n")
    reading, _ = look(tmp_path, inspect, cursor)
    assert reading.counts["ERROR"] == 1
    assert "what was read last, of 2026-05-01T10:00:00.2Z, is no longer in the log of container shop" in str(
        reading.gap
    )


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", "Cannot connect to the Docker daemon"),
        (
            f"case $1 in inspect) echo '{INFO}';; *) echo 'driver does not support reading' >&2; exit 1;; esac",
            "driver does",
        ),
        ("cat /dev/zero | head -c 1000000; exit 1", "log api: "),
        ("echo 'x|y|z||||||'", "x|y|z"),
    ],
)
def test_what_goes_wrong_is_could_not_look(tmp_path: Path, script: str, told: str) -> None:
    with pytest.raises(CouldNotLook) as problem:
        look(tmp_path, script)
    assert told in str(problem.value)
    assert str(problem.value).isprintable() and len(str(problem.value)) < 500


@pytest.mark.parametrize(
    ("size", "files", "aside", "is_whole"),
    [
        ("", "", (), True),
        ("5m", "3", (), True),
        ("5m", "3", ("shop.log.1",), False),
        ("5m", "1", (), False),
        ("5m", "", (), False),
        ("5m", "²", (), False),
    ],
)
def test_a_limited_log_reaches_back_while_nothing_was_put_aside(
    tmp_path: Path, size: str, files: str, aside: tuple[str, ...], is_whole: bool
) -> None:
    start = datetime.now(UTC)
    first = start + timedelta(hours=1)
    line = json.dumps({"log": "ready\n", "stream": "stdout", "time": first.isoformat()}) + "\n"
    for path in (tmp_path / name for name in ("shop.log", *aside)):
        path.write_text(line)
        os.utime(path, (first.timestamp(), first.timestamp()))
    created = (start - timedelta(minutes=1)).isoformat()
    info = f"{ID}|/shop|true|0001-01-01T00:00:00Z|{created}|json-file|{size}|{files}|{tmp_path}/shop.log"
    reading, _ = look(tmp_path, f"case $1 in inspect) echo '{info}';; esac", start=start)
    assert reading.counts["lines"] == 1 + len(aside)
    assert (reading.gap is None) == is_whole
    assert is_whole or "the oldest retained line is from" in str(reading.gap)


@pytest.mark.parametrize(
    ("files", "printed", "is_whole"), [("3", "", True), ("1", "", False), ("3", "2099-01-01T10:00:00Z up", False)]
)
def test_a_limited_log_that_logs_prints_is_whole_where_nothing_was_ever_written(
    tmp_path: Path, files: str, printed: str, is_whole: bool
) -> None:
    info = f"{ID}|/shop|true|0001-01-01T00:00:00Z|2026-05-01T10:00:00Z|local|5m|{files}|"
    script = f"case $1 in inspect) echo '{info}';; logs) [ -z '{printed}' ] || echo '{printed}';; esac"
    reading, _ = look(tmp_path, script, start=datetime.now(UTC))
    assert (reading.gap is None) == is_whole
