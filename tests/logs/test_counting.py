"""Counting on a host gives what reading everything here gives: any log, GNU and busybox, with few lines or many."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from golive.logs import Cursor, LogReading, Reach, Sought
from golive.logs.file import Config, FileSource, open_source
from golive.logs.framing import is_wrapped, unwrapped
from golive.logs.hosted import counting
from golive.logs.hosted.counted import Counted, understood
from golive.logs.hosted.plan import plan_of
from golive.logs.text import LogText
from golive.logs.times import Clock
from golive.targets.hosts.host import Host
from tests.shims import local_host, shim

START = datetime(2026, 5, 1, 10, tzinfo=UTC)
LIMIT = "200 kB"
BUSYBOX = ("grep", "awk", "sed", "tail", "head", "cut", "tr", "dd", "stat", "cat", "gzip")

Line = Callable[[int, random.Random], str]


def no_client(name: str) -> Any:
    raise AssertionError(f"{name} is not asked")


def stamp(n: int) -> str:
    return (START + timedelta(seconds=n // 20, milliseconds=n % 20 * 50)).isoformat(timespec="milliseconds")


def flat(level: str, message: str = "GET /api/orders 200", key: str = "level") -> Line:
    def line(n: int, at: random.Random) -> str:
        fields = {"time": stamp(n), key: level, "message": f"{message} {at.randrange(10**6)}", "pad": "y" * 60}
        return json.dumps(fields, separators=(",", ":"))

    return line


def whole(text: str) -> Line:
    return lambda n, _: text.replace("@T", stamp(n))


LIGHT: dict[str, Line] = {
    "json": flat("INFO"),
    "spaced": lambda n, at: json.dumps(
        {"time": stamp(n), "level": "INFO", "message": f"usual {at.random()}" + "y" * 60}
    ),
    "pino": lambda n, at: (
        f'{{"level":30,"time":{1777629600000 + n * 50},"pid":1,"msg":"usual {at.random()}{"y" * 60}"}}'
    ),
    "first": lambda n, at: (
        f'{{"level":"info","time":"{stamp(n)}","req":{{"id":{at.randrange(99)}}},"msg":"{"y" * 60}"}}'
    ),
    "nested": lambda n, at: json.dumps(
        {"time": stamp(n), "level": "info", "req": {"url": "/x", "id": at.randrange(99)}, "msg": "y" * 60}
    ),
    "text": lambda n, at: f"{stamp(n)} INFO [main] usual {at.random()} " + "y" * 60,
    "logfmt": lambda n, at: f'time={stamp(n)} level=info msg="usual {at.random()}" pad=' + "y" * 60,
    "klog": lambda n, at: f"I0501 10:00:00.{n % 1000:06d} 1 x.go:12] usual {at.random()} " + "y" * 60,
    "syslog": lambda n, at: f"<14>May  1 10:00:00 host app[1]: usual {at.random()} " + "y" * 60,
    "docker": lambda n, at: json.dumps(
        {
            "log": f'{{"level":"info","msg":"usual {at.random()}"}}' + "\n",
            "stream": "stdout",
            "time": stamp(n)[:-6] + "Z",
        },
        separators=(",", ":"),
    ),
    "cri": lambda n, at: f"{stamp(n)} stdout F {stamp(n)} INFO usual {at.random()} " + "y" * 60,
}
"""The usual line of a log of each kind."""

ODD = (
    *(flat(level) for level in ("ERROR", "error", "WARN", "Warning", "CRITICAL", "fatal", "DEBUG", "AUDIT", "notice")),
    *(flat("ERROR", key=key) for key in ("severity", "lvl", "levelname", "log.level")),
    flat("INFO", "0 critical errors found, 3 warnings"),
    flat("INFO", 'quoted "ERROR" and \\n in a text'),
    flat("INFO", "café \u2028 ERROR"),
    whole('{"time":"@T","level":"ERROR","inner":{"level":"INFO"},"message":"x"}'),
    whole('{"time":"@T","inner":{"level":"ERROR"},"level":"INFO"}'),
    whole('{"time":"@T","entry":{"time":"@T","level":"INFO","message":"rejected"},"level":"error"}'),
    whole('{"time":"@T","level":"INFO","message":"first\\nFATAL second"}'),
    whole('{"time":"@T","level":"ERROR","exception":"Traceback:\\n  File x\\nCRITICAL: ledger and stock disagree"}'),
    whole('{"level":50,"time":1777629600000,"msg":"boom"}'),
    whole('{"level":"error","time":"@T","entry":{"level":"info","msg":"rejected"}}'),
    whole('{"level":"info","time":"@T","msg":"first\\nFATAL second"}'),
    whole('{"level":"information","time":"@T"}'),
    whole('{"entry":{"level":"info","x":1},"level":"fatal","time":"@T"}'),
    whole('{"level":300,"msg":"no level"}'),
    whole('{"log":{"level":"error"},"message":"ecs"}'),
    whole('{"message":"no level, but an ERROR in it"}'),
    whole('{"a":[{"level":"ERROR"}],"b":"}{","level":"warn"}'),
    whole("@T ERROR [main] it broke"),
    whole("@T CRITICAL database is gone"),
    whole("@T WARN  slow"),
    whole("@T INFO 0 CRITICAL errors found"),
    whole("@T No CRITICAL errors"),
    whole('time=@T level=error msg="x"'),
    whole('time=@T level=warn msg="a fatal error"'),
    whole("E0501 10:00:00.000000 1 x.go:12] boom"),
    whole("<11>May  1 10:00:00 host app: failed"),
    whole("<10>May  1 10:00:00 host app: on fire"),
    whole("123:M 01 May 2026 10:00:00.123 # Server shut down"),
    whole('api-1  | {"level":"error","msg":"x"}'),
    whole("@T stdout F @T ERROR from a pod"),
    whole('{"log":"@T ERROR plain\\n","stream":"stderr","time":"2026-05-01T10:00:00Z"}'),
    whole('{"log":"{\\"level\\":\\"fatal\\",\\"msg\\":\\"x\\"}\\n","stream":"stderr","time":"2026-05-01T10:00:00Z"}'),
    whole('{"time":"@T","level":"ERROR", cut'),
    whole("\x1b[31mERROR\x1b[0m red"),
    whole("CRITICAL"),
    whole(""),
)
"""Lines of every other form, grave and not."""


def made(usual: Line, odd_share: float, *, lines: int = 4_000, seed: int = 1) -> bytes:
    at = random.Random(seed)
    chosen = (at.choice(ODD) if at.random() < odd_share else usual for _ in range(lines))
    return "".join(line(n, at) + "\n" for n, line in enumerate(chosen)).encode()


@pytest.fixture(scope="session")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("busybox")
    program = shutil.which("busybox")
    if program is None:
        pytest.skip("busybox is not installed")
    for name in BUSYBOX:
        shim(folder, name, f'exec {program} {name} "$@"')
    return folder


def hosts(folder: Path | None) -> Host:
    return local_host(folder)


def read(log: Path, *, since: Cursor | None = None, start: datetime | None = None, **more: Any) -> LogReading:
    return look(log, since=since, start=start, **more)[0]


def look(
    log: Path,
    *,
    since: Cursor | None = None,
    start: datetime | None = None,
    bin_folder: Path | None = None,
    limit: str = LIMIT,
    sought: tuple[Sought, ...] = (),
) -> tuple[LogReading, Cursor]:
    config = Config.model_validate({"kind": "file", "host": "app", "path": str(log), "max_bytes": limit})
    source: FileSource = open_source("api", config, Reach(host_of=lambda _: hosts(bin_folder), client_of=no_client))
    reading, cursor = source.read(since, start, sought=sought)
    return reading, json.loads(json.dumps(cursor))


def here(data: bytes, *, alone: bool = False, wrapped: bool | None = None) -> dict[str, int]:
    """What reading all of it here counts; `alone`: each line by itself."""
    wrapped = is_wrapped(data) if wrapped is None else wrapped
    text = unwrapped(data, to_the_end=True).data if wrapped else data
    texts = [line + b"\n" for line in text.split(b"\n")] if alone else [text]
    counts = [LogText(data=one, source="api", clock=Clock(now=START), framed=wrapped).counts for one in texts]
    return {level: sum(one[level] for one in counts) for level in ("WARNING", "ERROR", "CRITICAL")}


def levels_of(reading: LogReading) -> dict[str, int]:
    return {level: reading.counts[level] for level in ("WARNING", "ERROR", "CRITICAL")}


@pytest.mark.parametrize("system", ["gnu", "gnu without PCRE", "busybox"])
@pytest.mark.parametrize("kind", ["json", "spaced", "pino", "first"])
def test_few_grave_lines_among_structured_ones_are_counted_exactly(
    tmp_path: Path, busybox: Path, kind: str, system: str
) -> None:
    data = made(LIGHT[kind], 0.02)
    (tmp_path / "log").write_bytes(data)
    shim(tmp_path / "bin", "grep", 'for a; do case $a in -P | -aqP) exit 2 ;; esac; done; exec {real} "$@"')
    folders = {"gnu": None, "gnu without PCRE": tmp_path / "bin", "busybox": busybox}
    reading = read(tmp_path / "log", bin_folder=folders[system])
    assert isinstance(reading.pieces[0], Counted)
    assert plan_of(data.splitlines()[:300:7]).light or kind != "json"
    assert levels_of(reading) == here(data)
    assert (reading.gap, reading.bytes_read) == (None, len(data))


@pytest.mark.parametrize("system", ["gnu", "busybox"])
@pytest.mark.parametrize("kind", list(LIGHT))
def test_any_log_with_few_grave_lines_is_counted_line_by_line(
    tmp_path: Path, busybox: Path, kind: str, system: str
) -> None:
    data = made(LIGHT[kind], 0.02, seed=2)
    (tmp_path / "log").write_bytes(data)
    reading = read(tmp_path / "log", bin_folder=busybox if system == "busybox" else None)
    assert isinstance(reading.pieces[0], Counted)
    counted, least, most = levels_of(reading), here(data), here(data, alone=True)
    # A line of a stack trace may count by itself where the line before it was not carried: never less.
    assert all(least[level] <= counted[level] <= most[level] for level in counted), (least, counted, most)
    assert reading.gap is None


@pytest.mark.parametrize("awk", ["mawk", "gawk", "original-awk", "busybox awk"])
@pytest.mark.parametrize("kind", list(LIGHT))
def test_very_many_grave_lines_are_counted_by_their_forms(kind: str, awk: str) -> None:
    if shutil.which(awk.split()[0]) is None:
        pytest.skip(f"{awk} is not installed")
    data = made(LIGHT[kind], 0.5, lines=1_500, seed=3)
    framed = kind in ("docker", "cri")
    picked = by_classes(data, awk)
    assert picked.classes is not None
    like = LogText(data=b"", source="api", clock=Clock(now=START), framed=framed)
    told = understood(picked, like, wrapped=framed)
    assert told.tally == here(data, alone=True, wrapped=framed)
    assert told.uncounted == 0


def by_classes(data: bytes, awk: str) -> counting.Picked:
    """What the program makes of all lines when it may carry nothing."""
    numbered = b"".join(b"%d:%s\n" % (n, line) for n, line in enumerate(data.splitlines(), start=1))
    options = ["ALL=10", "CUT=40000", "FRAMED=0", "END_AT=0"]
    given = [part for option in options for part in ("-v", option)]
    program = Path(counting.__file__).with_name("classes.awk").read_text()
    # Masking leaves so few classes that each of the odd ones is held in full.
    program = program.replace('c == "o" ? 400', 'c == "o" ? 4000')
    run = subprocess.run(
        [*awk.split(), *given, program],
        input=numbered,
        capture_output=True,
        check=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    return counting.parse_picked(b"0\n" + run.stdout)[0]


def test_what_cannot_be_judged_on_the_host_is_a_gap(tmp_path: Path) -> None:
    odd = whole('{"inner":{"level":"ERROR"},"level":"INFO","message":"' + "x" * 900 + '"}')
    data = made(odd, 0.0, lines=3_000)
    (tmp_path / "log").write_bytes(data)
    reading = read(tmp_path / "log")
    assert reading.gap is not None
    assert "MB of " in reading.gap and "the level of 2600 lines could not be told there" in reading.gap


def test_a_flood_of_errors_is_counted_and_the_last_are_at_hand(tmp_path: Path) -> None:
    data = (
        made(flat("ERROR", "boom"), 0.0, lines=12_000) + (flat("CRITICAL", "dead")(1, random.Random(1)) + "\n").encode()
    )
    (tmp_path / "log").write_bytes(data)
    reading = read(tmp_path / "log")
    assert levels_of(reading) == {"WARNING": 0, "ERROR": 12_000, "CRITICAL": 1}
    assert reading.of_level("CRITICAL")[0].message.startswith("dead")
    assert reading.not_at_hand("CRITICAL") is None
    assert reading.not_at_hand("ERROR") == "only 50 of 12000 lines are at hand"
    assert reading.gap is None


@pytest.mark.parametrize("system", ["gnu", "busybox"])
def test_critical_lines_come_with_what_stands_around_them(tmp_path: Path, busybox: Path, system: str) -> None:
    at = random.Random(1)
    lines = [flat("INFO", f"n{n}")(n, at) for n in range(4_000)]
    lines[2_000] = flat("CRITICAL", "dead")(2_000, at)
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    (event,) = read(tmp_path / "log", bin_folder=busybox if system == "busybox" else None).of_level("CRITICAL")
    assert [json.loads(line)["message"].split()[0] for line in event.before] == ["n1997", "n1998", "n1999"]
    assert [json.loads(line)["message"].split()[0] for line in event.after] == ["n2001", "n2002", "n2003"]
    assert event.shown_in_context.splitlines()[3].startswith("[api] 2026-05-01")


@pytest.mark.parametrize("system", ["gnu", "busybox"])
def test_what_is_sought_comes_along(tmp_path: Path, busybox: Path, system: str) -> None:
    at = random.Random(1)
    lines = [flat("INFO")(n, at) for n in range(4_000)]
    lines[7] = flat("INFO", "2FA of ann")(7, at)
    lines[3_000] = flat("INFO", "Login of bob")(3_000, at)
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    wanted = (
        Sought(pattern=r"\b2FA\b"),
        Sought(words=("login",)),
        Sought(words=("login",), narrow="ann"),
        Sought(pattern=r"\d\d"),
        Sought(words=("message",), narrow=".*"),
    )
    folder = busybox if system == "busybox" else None
    reading = read(tmp_path / "log", sought=wanted, bin_folder=folder)
    assert [e.message.partition(" of")[0] for e in reading.find(wanted[0]).events] == ["2FA"]
    assert [e.message.partition(" of")[0] for e in reading.find(wanted[1]).events] == ["Login"]
    assert reading.find(wanted[2]).events == ()
    assert reading.find(wanted[0]).incomplete is None
    assert "has no fixed text that it could be looked for by there" in str(reading.find(wanted[3]).incomplete)
    assert "were not looked for there" in str(reading.find(Sought(pattern="other")).incomplete)
    assert len(reading.find(wanted[4], limit=9_999).events) == 4_000


def test_too_many_lines_that_may_be_sought_are_not_all(tmp_path: Path) -> None:
    data = made(LIGHT["json"], 0.0, lines=20_000)
    (tmp_path / "log").write_bytes(data)
    wanted = Sought(words=("message",))
    found = read(tmp_path / "log", sought=(wanted,)).find(wanted, limit=100_000)
    assert 5_000 < len(found.events) < 20_000
    assert "where more than 2 MB of lines may be lines with message …; the rest was not carried" in str(
        found.incomplete
    )


def test_the_second_look_counts_only_what_is_new(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(made(LIGHT["json"], 0.02))
    _, cursor = look(log)
    more = made(LIGHT["json"], 0.02, lines=3_000, seed=9)
    with log.open("ab") as file:
        file.write(more)
    reading, cursor = look(log, since=cursor)
    assert (levels_of(reading), reading.bytes_read, reading.gap) == (here(more), len(more), None)
    with log.open("a") as file:
        file.write(flat("ERROR")(1, random.Random(1)) + "\n")
    assert levels_of(read(log, since=cursor)) == {"WARNING": 0, "ERROR": 1, "CRITICAL": 0}


@pytest.mark.parametrize("system", ["gnu", "busybox"])
@pytest.mark.parametrize("after_lines", [0, 10, 1_500, 3_990, 4_001])
def test_the_window_is_found_on_the_host(tmp_path: Path, busybox: Path, after_lines: int, system: str) -> None:
    log = tmp_path / "log"
    data = made(flat("ERROR", "e" * 300), 0.0, lines=4_000)
    log.write_bytes(data)
    start = START + timedelta(milliseconds=50 * after_lines)
    folder = busybox if system == "busybox" else None
    reading = read(log, start=start, limit="100 kB", bin_folder=folder)
    assert reading.counts["ERROR"] == max(0, 4_000 - after_lines)
    assert reading.gap is None


def test_where_times_go_back_the_window_begins_with_the_first_line_within(tmp_path: Path) -> None:
    at = random.Random(1)
    usual = flat("ERROR", "e" * 300)
    # The clock was set back by 100 s in the middle: what comes after is later, whatever its time says.
    numbers = [*range(2_000), *range(2_000)]
    log = tmp_path / "log"
    log.write_text("".join(usual(n, at) + "\n" for n in numbers))
    reading = read(log, start=START + timedelta(milliseconds=50 * 1_000), limit="100 kB")
    assert reading.counts["ERROR"] == 3_000
    carried = read(log, start=START + timedelta(milliseconds=50 * 1_000), limit="10 MB")
    assert carried.counts["ERROR"] == 3_000
    assert carried.remarks == ("log api: the times of its lines go back by 99 s",)


def test_a_large_packed_file_is_counted_too(tmp_path: Path) -> None:
    log = tmp_path / "log"
    old = made(LIGHT["json"], 0.02, seed=5)
    log.write_bytes(old)
    _, cursor = look(log)
    more = made(LIGHT["json"], 0.02, seed=6)
    with gzip.open(f"{log}.1.gz", "wb") as packed:
        packed.write(old + more)
    log.unlink()
    log.write_bytes(made(LIGHT["json"], 0.0, lines=3, seed=7))
    reading, _ = look(log, since=cursor)
    assert levels_of(reading) == here(more)
    assert reading.gap is None


def test_a_file_that_is_emptied_while_it_is_counted_is_looked_at_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    data = made(LIGHT["json"], 0.02)
    log.write_bytes(data)
    small = tmp_path / "small"
    small.write_bytes(b'{"level":"ERROR","time":"2026-05-01T10:00:00Z"}\n')
    script = f'if [ ! -e {tmp_path}/done ]; then : >{tmp_path}/done; cat {small} >{log}; fi\nexec {{real}} "$@"'
    shim(tmp_path / "bin", "awk", script)
    assert levels_of(read(log, bin_folder=tmp_path / "bin")) == {"WARNING": 0, "ERROR": 1, "CRITICAL": 0}


@pytest.mark.parametrize("rubbish", ["", "all", "classes\n=x y\nend", "all\nno number\nend", "0\nall\n1::x"])
def test_rubbish_is_garbled(rubbish: str) -> None:
    with pytest.raises(counting.Garbled):
        counting.parse_picked(rubbish.encode())
    with pytest.raises(counting.Garbled):
        counting.parse_sought(rubbish.encode() + b"\nx", counting.Origin(command="true"))


def test_hostile_lines_are_survived(tmp_path: Path) -> None:
    at = random.Random(1)
    hostile = [
        b"\xff\xfe\x00 ERROR: \x1b[2J<script>",
        b"end",
        b"!",
        b"+1:x",
        b"=5 t",
        b"CRITICAL: \x1b]0;x\x07",
        b"x" * 300_000,
    ]
    lines = [flat("INFO")(n, at).encode() for n in range(4_000)]
    lines[100:100] = hostile
    (tmp_path / "log").write_bytes(b"\n".join(lines) + b"\n")
    reading = read(tmp_path / "log")
    assert levels_of(reading) == {"WARNING": 0, "ERROR": 0, "CRITICAL": 1}
    (event,) = reading.of_level("CRITICAL")
    assert not any(mark in event.shown_in_context for mark in ("\x1b", "\x07", "\x00"))
    assert len(event.shown_in_context) < 10_000
