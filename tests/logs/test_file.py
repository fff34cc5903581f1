"""Real log files on this machine: rotation, truncation, recreation, and what is told when lines are gone."""

import gzip
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from golive.logs import Cursor, LogReading, Reach
from golive.logs.file import Config, FileSource, open_source
from golive.logs.hosted.files import Files, Manner
from golive.model import CouldNotLook
from tests.shims import local_host, shim

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=1)


def source(path: Path | tuple[Path, ...], *, bin_folder: Path | None = None, **more: Any) -> FileSource:
    paths = str(path) if isinstance(path, Path) else tuple(map(str, path))
    config = Config.model_validate({"kind": "file", "host": "app", "path": paths, **more})
    return open_source("api", config, Reach(host_of=lambda _: local_host(bin_folder), client_of=no_client))


def no_client(name: str) -> Any:
    raise AssertionError(f"{name} is not asked")


def line(message: str, *, level: str = "ERROR", ago_s: float = 0) -> str:
    at = (NOW - timedelta(seconds=ago_s)).isoformat(timespec="milliseconds")
    return json.dumps({"time": at, "level": level, "message": message}) + "\n"


def write(path: Path, *messages: str, ago_s: float = 0) -> None:
    """Append lines, and set the time of the change to theirs."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(line(message, ago_s=ago_s) for message in messages)
    touch(path, ago_s)


def touch(path: Path, ago_s: float) -> None:
    at = NOW.timestamp() - ago_s
    os.utime(path, (at, at))


def messages(reading: LogReading) -> list[str]:
    return [event.message for event in reading.events]


def through_json(cursor: Cursor) -> Cursor:
    return json.loads(json.dumps(cursor))  # type: ignore[no-any-return]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "my log"
    write(path, "old", ago_s=7200)
    write(path, "new", ago_s=60)
    return path


def look(log: Path, since: Cursor | None = None, *, back_s: float = 3600, **more: Any) -> tuple[LogReading, Cursor]:
    start = None if since else NOW - timedelta(seconds=back_s)
    reading, cursor = source(log, **more).read(since, start)
    return reading, through_json(cursor)


def test_the_first_look_begins_with_the_window(log: Path) -> None:
    reading, _ = look(log)
    assert messages(reading) == ["new"]
    assert reading.gap is None
    assert reading.oldest is not None and NOW - reading.oldest > timedelta(seconds=7000)


def test_the_next_look_brings_only_what_is_new(log: Path) -> None:
    _, cursor = look(log)
    write(log, "newer")
    reading, cursor = look(log, cursor)
    assert messages(reading) == ["newer"]
    assert reading.bytes_read == len(line("newer"))
    reading, _ = look(log, cursor)
    assert (messages(reading), reading.bytes_read, reading.gap) == ([], 0, None)


def test_a_line_that_is_being_written_waits_for_its_end(log: Path) -> None:
    half = line("halves")
    with log.open("a") as file:
        file.write(half[:20])
    reading, cursor = look(log)
    assert messages(reading) == ["new"]
    with log.open("a") as file:
        file.write(half[20:])
    assert messages(look(log, cursor)[0]) == ["halves"]


def test_a_last_line_without_end_counts_once_the_file_is_quiet(log: Path) -> None:
    with log.open("a") as file:
        file.write("CRITICAL: died while writ")
    touch(log, 30)
    reading, cursor = look(log)
    assert [event.level for event in reading.events] == ["ERROR", "CRITICAL"]
    assert messages(look(log, cursor)[0]) == []


def rename(log: Path) -> None:
    log.rename(log.with_name(f"{log.name}.1"))
    log.touch()


def rename_and_compress(log: Path) -> None:
    with gzip.open(f"{log}.2.gz", "wb") as packed:
        packed.write(log.read_bytes())
    log.unlink()
    log.touch()


def rename_by_date(log: Path) -> None:
    log.rename(f"{log}-2026-05-01")
    log.touch()


def pack(program: str, ending: str) -> Callable[[Path], None]:
    def rename_and_pack(log: Path) -> None:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
        with Path(f"{log}.1.{ending}").open("wb") as packed:
            subprocess.run([program, "-c", log], stdout=packed, check=True)
        log.unlink()
        log.touch()

    return rename_and_pack


def copy_and_truncate(log: Path) -> None:
    shutil.copy(log, f"{log}-20260501")
    os.truncate(log, 0)


def rotate_twice(log: Path) -> None:
    log.rename(log.with_name(f"{log.name}.2"))
    write(log.with_name(f"{log.name}.1"), "between")
    log.touch()


WAYS = (
    *(rename, rename_and_compress, copy_and_truncate, rotate_twice, rename_by_date),
    *(
        pytest.param(pack(program, ending), id=ending)
        for program, ending in (("bzip2", "bz2"), ("xz", "xz"), ("zstd", "zst"))
    ),
)


@pytest.mark.parametrize("rotate", WAYS)
def test_rotation_loses_nothing(log: Path, rotate: Callable[[Path], None]) -> None:
    _, cursor = look(log)
    write(log, "last before")
    rotate(log)
    write(log, "first after")
    reading, cursor = look(log, cursor)
    between = ["between"] if rotate is rotate_twice else []
    assert messages(reading) == ["last before", *between, "first after"]
    assert reading.gap is None
    write(log, "later")
    assert messages(look(log, cursor)[0]) == ["later"]


def test_rotated_files_are_read_as_far_as_the_window_reaches(log: Path) -> None:
    rename(log)
    write(log, "current")
    reading, _ = look(log)
    assert (messages(reading), reading.gap) == (["new", "current"], None)


def truncate(log: Path) -> str:
    os.truncate(log, 0)
    write(log, "after")
    return r"was cut from \d+ to \d+ bytes"


def write_anew(log: Path) -> str:
    os.truncate(log, 0)
    write(log, *["after"] * 50)
    return "was emptied and written anew"


def recreate(log: Path) -> str:
    with log.open():  # so that its inode is not given to the new file
        log.unlink()
        write(log, "after")
    return "is another file than the one read last"


@pytest.mark.parametrize("lose", [truncate, write_anew, recreate])
def test_lost_lines_are_told(log: Path, lose: Callable[[Path], str]) -> None:
    write(log, *["padding"] * 9)
    _, cursor = look(log)
    what = lose(log)
    reading, cursor = look(log, cursor)
    assert set(messages(reading)) == {"after"}
    assert reading.gap is not None
    assert re.search(rf"^log api: .*/my log {what}.*; lines since 2\S+Z may be missing$", reading.gap)
    assert look(log, cursor)[0].gap is None


def test_a_first_line_younger_than_the_window_is_told(log: Path) -> None:
    reading, _ = look(log, back_s=86_400)
    assert reading.gap is not None
    assert "my log: the oldest retained line is from" in reading.gap and "the window begins" in reading.gap


def test_two_seconds_are_tolerated(log: Path) -> None:
    assert look(log, back_s=7201.5)[0].gap is None
    assert look(log, back_s=7203.5)[0].gap is not None


def test_a_file_that_did_not_change_within_the_window_covers_it(log: Path) -> None:
    write(log, "x", ago_s=50)
    touch(log, 40)
    assert look(log, back_s=30)[0].gap is None


def test_an_empty_file_covers_the_window_unless_it_changed_in_it(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    log.touch()
    touch(log, 7200)
    assert look(log)[0].gap is None
    touch(log, 60)
    assert "is empty and was last changed" in str(look(log)[0].gap)


def test_a_sparse_log_that_is_older_than_the_window_covers_it(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    log.touch()
    time.sleep(0.1)
    write(log, "first ever", ago_s=-4)
    start = NOW - timedelta(seconds=86_400)
    assert source(log).read(None, start)[0].gap is not None
    assert source(log, sparse=True).read(None, start)[0].gap is not None  # it was born after the window began
    late = datetime.now(UTC) - timedelta(seconds=1)
    assert source(log, sparse=True).read(None, late)[0].gap is None


def test_lines_without_time_cannot_show_how_far_they_reach(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("ERROR: a\n")
    reading, cursor = look(log)
    assert "its lines carry no time" in str(reading.gap)
    with log.open("a") as file:
        file.write("ERROR: b\n")
    reading, _ = look(log, cursor)
    assert (messages(reading), reading.gap) == (["ERROR: b"], None)


def test_several_paths_are_one_source(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, "old", ago_s=7200)
        write(tmp_path / name, name)
    both = source((tmp_path / "a", tmp_path / "b"))
    reading, cursor = both.read(None, NOW - timedelta(hours=1))
    assert sorted(messages(reading)) == ["a", "b"]
    write(tmp_path / "b", "more")
    assert messages(both.read(through_json(cursor), None)[0]) == ["more"]


def test_a_missing_file_is_could_not_look(tmp_path: Path) -> None:
    with pytest.raises(CouldNotLook, match=r"^log api: .*/no\.log on host app: it is not there: .*No such file"):
        look(tmp_path / "no.log")
    write(tmp_path / "no.log.1", "x")
    with pytest.raises(CouldNotLook, match=r"it is not there \(rotated files are\)"):
        look(tmp_path / "no.log")


def test_a_file_that_may_not_be_read_is_could_not_look(log: Path, tmp_path: Path) -> None:
    shim(tmp_path / "bin", "head", "exit 1")
    with pytest.raises(CouldNotLook, match="may not be read"):
        look(log, bin_folder=tmp_path / "bin")


def test_a_folder_in_place_of_a_file_is_could_not_look(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    write(tmp_path / "logs" / "app.log", "x")
    with pytest.raises(CouldNotLook, match=r"^log api: .*/logs on host app: it is a folder$"):
        look(tmp_path / "logs")
    assert look(tmp_path / "logs" / "app.log")


def test_rubbish_from_the_host_is_could_not_look(log: Path, tmp_path: Path) -> None:
    shim(tmp_path / "bin", "stat", "echo '<html>'; echo; exit 0")
    with pytest.raises(CouldNotLook, match="log api"):
        look(log, bin_folder=tmp_path / "bin")


def test_a_file_rotated_while_it_is_read_is_looked_at_again(log: Path, tmp_path: Path) -> None:
    counter = tmp_path / "count"
    script = f"""
case "$*" in *"-c %i -- "*) n=$(cat {counter} 2>/dev/null); echo x$n > {counter}
  [ "$n" = "" ] && {{ echo 1; exit; }};; esac
exec {{real}} "$@" """
    shim(tmp_path / "bin", "stat", script)
    assert messages(look(log, bin_folder=tmp_path / "bin")[0]) == ["new"]
    assert counter.read_text().count("x") == 2
    shim(tmp_path / "bin", "stat", 'case "$*" in *"-c %i -- "*) echo 1; exit;; esac\nexec {real} "$@"')
    with pytest.raises(CouldNotLook, match="rotated while it was read, 3 times in a row"):
        look(log, bin_folder=tmp_path / "bin")


def test_a_long_first_look_takes_little(tmp_path: Path) -> None:
    log = tmp_path / "big"
    usual = line("usual", level="INFO", ago_s=60).encode() * 1000
    write(log, "old", ago_s=7200)
    with log.open("ab") as file:
        for _ in range(600):
            file.write(usual)
    assert log.stat().st_size > 40_000_000
    began = time.process_time()
    assert look(log)[0].counts["ERROR"] == 0
    assert time.process_time() - began < 4


@pytest.mark.parametrize("cursor", [{}, {"paths": 5}, {"paths": {"x": {}}}, {"paths": {"x": {"inode": 1, "odd": 2}}}])
def test_a_cursor_of_another_shape_counts_as_none(log: Path, cursor: Cursor) -> None:
    assert messages(source(log).read(cursor, NOW - timedelta(hours=1))[0]) == ["new"]


def test_the_hosts_zone_completes_times_without_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("2026-05-01 10:00:00 ERROR x\n")
    shim(tmp_path / "bin", "date", 'case "$1" in +%z) echo +0530;; *) exec {real} "$@";; esac')
    reading, _ = source(log, bin_folder=tmp_path / "bin").read(None, LONG_AGO - timedelta(days=10_000))
    assert reading.events[0].time == datetime(2026, 5, 1, 4, 30, tzinfo=UTC)


def test_files_with_the_date_before_their_ending_are_rotated_ones(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, "old", ago_s=7200)
    write(log, "new", ago_s=60)
    (tmp_path / "app-other.log").write_text(line("of another program"))
    _, cursor = look(log)
    write(log, "last before")
    log.rename(tmp_path / "app-2026-05-01.log")
    log.touch()
    write(log, "first after")
    reading, _ = look(log, cursor)
    assert (messages(reading), reading.gap) == (["last before", "first after"], None)


@pytest.mark.parametrize(("shift", "told"), [(-300, "set back by 300 s"), (300, "set forward by 300 s"), (2, None)])
def test_a_clock_that_was_set_between_two_looks_is_told_and_nothing_is_lost(
    log: Path, tmp_path: Path, shift: int, told: str | None
) -> None:
    _, cursor = look(log)
    write(log, "in the past", ago_s=4000)
    script = f'case "$1" in +%s) echo $(( $({{real}} +%s) + {shift} ));; *) exec {{real}} "$@";; esac'
    shim(tmp_path / "bin", "date", script)
    reading, _ = look(log, cursor, bin_folder=tmp_path / "bin")
    assert (messages(reading), reading.gap) == (["in the past"], None)
    # A host tells its time in whole seconds.
    found = [re.sub(r"(299|301) s", "300 s", remark.partition(" since ")[0]) for remark in reading.remarks]
    assert found == ([f"log api: the clock of host app was {told}"] if told else [])


def test_lines_that_come_after_the_window_began_are_within_whatever_time_they_tell(log: Path) -> None:
    write(log, "late", ago_s=5000)
    touch(log, 0)
    assert messages(look(log)[0]) == ["late", "new"]


def test_lines_without_a_time_at_the_end_of_a_file_that_changed_are_within(log: Path) -> None:
    with log.open("a") as file:
        file.write("CRITICAL: died\n")
    reading, _ = look(log, back_s=30)
    assert [e.level for e in reading.events] == ["CRITICAL"]
    touch(log, 3000)
    assert look(log, back_s=30)[0].events == ()


def test_a_containers_file_may_be_read_as_a_file(tmp_path: Path) -> None:
    log = tmp_path / "x-json.log"
    at = (NOW - timedelta(seconds=7200)).isoformat().replace("+00:00", "Z")

    def wrapped(text: str) -> str:
        return json.dumps({"log": text, "stream": "stdout", "time": at}, separators=(",", ":")) + "\n"

    log.write_text(wrapped("fine\n") + wrapped("ERROR: " + "x" * 16_377) + wrapped("end\n"))
    reading, cursor = look(log)
    reading, cursor = source(log).read(None, None)
    assert [len(e.raw) for e in reading.events] == [16_384 + 3]
    with log.open("a") as file:
        file.write(wrapped("ERROR: " + "y" * 16_377))
    reading, cursor = source(log).read(through_json(cursor), None)
    assert messages(reading) == []  # its end is not there yet
    with log.open("a") as file:
        file.write(wrapped("z\n"))
    reading, _ = source(log).read(through_json(cursor), None)
    assert [e.raw[-2:] for e in reading.events] == ["yz"]


def test_a_remote_host_carries_less_than_this_machine(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write(log, *["usual" + "y" * 200] * 12_000)
    assert log.stat().st_size > 2_000_000
    here = source(log)
    assert here.read(None, None)[0].counts["lines"] == 12_000
    remote = local_host()
    remote.section = remote.section.model_copy(update={"connect": "ssh://app"})
    assert not remote.is_local
    files = Files(name="api", host=remote, manner=Manner())
    assert files.limit == 2_000_000
