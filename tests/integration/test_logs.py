"""Logs on real servers: containers of a real Docker engine, and a real journal.

Needs the packages docker.io, busybox-static and systemd (for systemd-journald), and root.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.logs import no_critical
from golive.logs import Cursor, LogReading, Reach, Said, Sought, docker, journald
from golive.model import CouldNotLook, Status
from golive.targets.hosts.host import Host
from tests.judged import judged, written
from tests.shims import local_host, shim

IMAGE = f"golive-test-logs:{os.getpid()}"
NUMBERS = itertools.count()
WAYS = ("json-file", "docker logs")
TRACE = 'echo "ERROR: it broke"; echo "Traceback (most recent call last):"; echo "  File x"; echo "ValueError: no"'
JOURNALD = "/lib/systemd/systemd-journald"


def run(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("image")
    busybox = shutil.which("busybox")
    assert busybox and shutil.which("docker"), "install the packages busybox-static and docker.io"
    with tarfile.open(folder / "image.tar", "w") as tar:
        tar.add(busybox, "bin/busybox")
        for name in ("sh", "echo", "cat", "sleep", "head", "tr", "seq", "printf"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    run("docker", "import", str(folder / "image.tar"), IMAGE)
    yield IMAGE
    run("docker", "rmi", "-f", IMAGE)


Start = Callable[..., str]


@pytest.fixture
def start(image: str, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start a container with a shell text; gives its name."""
    started: list[str] = []

    def begin(text: str, *options: str, name: str = "") -> str:
        own = name or f"golive-logs-{os.getpid()}-{next(NUMBERS)}"
        started.append(own)
        run("docker", "run", "-d", "--network", "none", "--name", own, *options, image, "sh", "-c", text)
        return own

    yield begin
    subprocess.run(["docker", "rm", "-f", *set(started)], capture_output=True, check=False, timeout=60)


def host_for(way: str, folder: Path) -> Host:
    """This machine; where lines are to come from `docker logs`, the path of the file is hidden."""
    if way == "json-file":
        return local_host()
    script = 'case "$1" in inspect) {real} "$@" | sed "s#|/var/lib/.*#|/no/where#";; *) exec {real} "$@";; esac'
    shim(folder / "bin", "docker", script)
    return local_host(folder / "bin")


def source(host: Host, **keys: Any) -> docker.DockerSource:
    config = written(docker.Config, kind="docker", host="app", **keys)
    return docker.open_source(
        "api", config, Reach(host_of=lambda _: host, client_of=lambda _: pytest.fail("no client"))
    )


def look(
    host: Host, since: Cursor | None = None, *, back_s: float = 0.0, sought: tuple[Sought, ...] = (), **keys: Any
) -> tuple[LogReading, Cursor]:
    start = None if since else datetime.now(UTC) - timedelta(seconds=back_s) if back_s else None
    reading, cursor = source(host, **keys).read(since, start, sought=sought)
    return reading, json.loads(json.dumps(cursor))


def settled(name: str, text: str) -> None:
    """Wait until a line is in the log."""
    for _ in range(100):
        done = subprocess.run(["docker", "logs", "--tail", "50", name], capture_output=True, text=True, check=False)
        if text in done.stdout + done.stderr:
            return
        time.sleep(0.1)
    raise AssertionError(f"{name} never wrote {text}")


@pytest.mark.parametrize("way", WAYS)
def test_a_container_is_read_on_from_look_to_look(start: Start, tmp_path: Path, way: str) -> None:
    host = host_for(way, tmp_path)
    long = "head -c 40000 /dev/zero | tr '\\0' y; echo"
    early = f"echo CRITICAL: dead >&2; sleep 0.3; {TRACE}; {long}; echo done"
    name = start(f"{early}; sleep 3; echo ERROR: later; echo over; sleep 60")
    settled(name, "done")
    reading, cursor = look(host, container=name)
    assert [(e.level, e.message) for e in reading.events] == [
        ("CRITICAL", "CRITICAL: dead"),
        ("ERROR", "ERROR: it broke"),
    ]
    assert reading.events[1].raw.endswith("ValueError: no")
    (found,) = reading.find(Sought(pattern="y{40000}")).events
    assert found.raw == "y" * 40_000
    assert (reading.gap, reading.events[0].time is not None) == (None, True)
    settled(name, "over")
    reading, cursor = look(host, cursor, container=name)
    assert [e.message for e in reading.events] == ["ERROR: later"]
    assert (reading.gap, reading.counts["lines"]) == (None, 2)
    assert look(host, cursor, container=name)[0].counts["lines"] == 0


@pytest.mark.parametrize("way", WAYS)
def test_rotation_loses_nothing_until_old_files_are_thrown_away(start: Start, tmp_path: Path, way: str) -> None:
    host = host_for(way, tmp_path)
    lines = "for n in $(seq %d %d); do echo ERROR: line $n of many with some more words in it; done"
    script = f"{lines % (1, 50)}; echo first; sleep 2; {lines % (51, 500)}; echo second; sleep 4; {lines % (501, 9000)}"
    name = start(f"{script}; echo third; sleep 60", "--log-opt", "max-size=40k", "--log-opt", "max-file=4")
    settled(name, "first")
    reading, cursor = look(host, container=name)
    assert reading.counts["ERROR"] == 50
    settled(name, "second")
    reading, cursor = look(host, cursor, container=name)
    assert (reading.counts["ERROR"], reading.gap) == (450, None)
    settled(name, "third")
    reading, cursor = look(host, cursor, container=name)
    assert 100 < reading.counts["ERROR"] < 8_500
    assert reading.gap is not None and "log api: " in reading.gap
    assert look(host, cursor, container=name)[0].gap is None


def test_a_log_that_was_cut_is_a_gap(start: Start) -> None:
    name = start("for n in $(seq 100); do echo usual $n; done; echo first; sleep 60")
    settled(name, "first")
    _, cursor = look(local_host(), container=name)
    path = run("docker", "inspect", "-f", "{{.LogPath}}", name)
    os.truncate(path, 0)
    reading, _ = look(local_host(), cursor, container=name)
    assert f"log api: container {name} was cut from" in str(reading.gap)


@pytest.mark.parametrize("way", WAYS)
def test_a_container_that_was_replaced_took_the_rest_of_its_log_along(start: Start, tmp_path: Path, way: str) -> None:
    host = host_for(way, tmp_path)
    name = start("echo one; sleep 60")
    settled(name, "one")
    _, cursor = look(host, container=name)
    run("docker", "rm", "-f", name)
    start("echo CRITICAL: new; sleep 60", name=name)
    settled(name, "new")
    reading, cursor = look(host, cursor, container=name)
    assert [e.message for e in reading.events] == ["CRITICAL: new"]
    assert f"log api: container {name} (" in str(reading.gap) and "is gone, and what it logged after" in str(
        reading.gap
    )
    assert look(host, cursor, container=name)[0].gap is None


def test_a_container_that_had_ended_before_the_last_look_is_no_gap(start: Start) -> None:
    name = start("echo CRITICAL: one")
    time.sleep(1.5)
    _, cursor = look(local_host(), container=name)
    run("docker", "rm", "-f", name)
    start("echo two; sleep 60", name=name)
    settled(name, "two")
    assert look(local_host(), cursor, container=name)[0].gap is None


def test_all_containers_of_a_service_are_one_source(start: Start) -> None:
    labels = ("--label", "com.docker.compose.project=shop", "--label", "com.docker.compose.oneoff=False")
    names = [
        start(f"echo ERROR: {n}; sleep 60", *labels, "--label", f"com.docker.compose.service={service}")
        for n, service in enumerate(("api", "api", "web"))
    ]
    for name in names:
        settled(name, "ERROR")
    reading, cursor = look(local_host(), service="api", project="shop")
    assert sorted(e.message for e in reading.events) == ["ERROR: 0", "ERROR: 1"]
    run("docker", "stop", "-t", "0", names[0])
    reading, _ = look(local_host(), cursor, service="api", project="shop")
    assert (reading.counts["lines"], reading.gap) == (0, None)
    with pytest.raises(CouldNotLook, match="there is no service nobody of shop"):
        look(local_host(), service="nobody", project="shop")


@pytest.mark.parametrize("way", WAYS)
def test_a_window_that_begins_before_the_container_is_a_gap(start: Start, tmp_path: Path, way: str) -> None:
    host = host_for(way, tmp_path)
    name = start("echo one; sleep 60")
    settled(name, "one")
    reading, _ = look(host, container=name, back_s=3600)
    assert f"log api: container {name} was created" in str(reading.gap)
    time.sleep(3)
    assert look(host, container=name, back_s=0.5)[0].gap is None


@pytest.mark.parametrize("way", WAYS)
def test_more_than_is_carried_is_counted_there(start: Start, tmp_path: Path, way: str) -> None:
    host = host_for(way, tmp_path)
    usual = '{\\"level\\":\\"info\\",\\"msg\\":\\"usual line with some words\\"}'
    script = (
        f'for n in $(seq 20000); do echo "{usual}"; done; echo "CRITICAL: dead"; echo "2FA of ann"; echo over; sleep 60'
    )
    name = start(script)
    settled(name, "over")
    wanted = (Sought(pattern="2FA"),)
    reading, cursor = look(host, container=name, max_bytes="300 kB", sought=wanted)
    assert (reading.counts["CRITICAL"], reading.counts["ERROR"], reading.gap) == (1, 0, None)
    assert [e.raw for e in reading.find(wanted[0]).events] == ["2FA of ann"]
    reading, _ = look(host, cursor, container=name, max_bytes="300 kB")
    assert (reading.counts["CRITICAL"], reading.gap) == (0, None)


@pytest.mark.parametrize("way", WAYS)
def test_the_first_look_may_be_part_of_a_visit(start: Start, tmp_path: Path, way: str) -> None:
    host = host_for(way, tmp_path)
    name = start("echo CRITICAL: dead; sleep 60")
    settled(name, "dead")
    one = source(host, container=name)
    opening = one.opening(None, None)
    printed = host.run(opening.script.replace(opening.MARK, "mark")).stdout_bytes
    reading, _ = one.read(None, None, said=Said(mark="mark", output=printed))
    assert reading.counts["CRITICAL"] == 1


def test_who_may_not_ask_or_asks_for_nobody_could_not_look(tmp_path: Path) -> None:
    with pytest.raises(CouldNotLook, match="No such container: golive-nobody"):
        look(local_host(), container="golive-nobody")
    shim(tmp_path / "bin", "docker", 'exec env DOCKER_HOST=unix:///no/where.sock {real} "$@"')
    with pytest.raises(CouldNotLook, match=r"[dD]ocker daemon"):
        look(local_host(tmp_path / "bin"), container="x")


def test_a_critical_line_in_a_containers_log_fails_its_criterion(start: Start) -> None:
    name = start("echo CRITICAL: ledger lost; sleep 60")
    settled(name, "lost")
    reading, _ = look(local_host(), container=name)

    class Window:
        def total(self, _name: str, _value: float) -> None:
            """No watch."""

    found = judged(
        no_critical.test_no_line_of_the_logs_is_critical,
        criterion=written(no_critical.Params, logs=["api"]),
        log_reading=reading,
        log_window=Window(),
    )
    assert found.status is Status.FAIL
    assert "(the last: [api] CRITICAL: ledger lost)" in found.message


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Path]:
    """A journald in a mount namespace of its own; gives a folder with `journalctl` and `in-journal`."""
    assert Path(JOURNALD).exists(), "install the package systemd"
    prepared = "mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/log/journal"
    process = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", f"{prepared} && exec {JOURNALD}"],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    inside = f"nsenter -t {process.pid} -m --"
    shim(tmp_path / "bin", "journalctl", f'exec {inside} {{real}} "$@"')
    shim(tmp_path / "bin", "in-journal", f'exec {inside} "$@"')
    for _ in range(100):
        if (
            subprocess.run(
                [tmp_path / "bin/in-journal", "test", "-S", "/run/systemd/journal/stdout"], check=False
            ).returncode
            == 0
        ):
            break
        time.sleep(0.05)
    yield tmp_path / "bin"
    process.send_signal(signal.SIGTERM)
    process.wait(10)


def write(journal: Path, *lines: str, priority: str = "info", identifier: str = "shop") -> None:
    given = [str(journal / "in-journal"), "systemd-cat", "-t", identifier, "-p", priority]
    subprocess.run(given, input="\n".join(lines).encode() + b"\n", check=True, timeout=20)
    # It arrives a moment later, and what several wrote in any order.
    awaited = lines[-1].strip()[-10:]
    for _ in range(100):
        command = [str(journal / "journalctl"), "-t", identifier, "-o", "cat"]
        if awaited in subprocess.run(command, capture_output=True, check=False).stdout.decode("utf-8", "replace"):
            return
        time.sleep(0.05)
    raise AssertionError(f"the journal never took {lines[-1]!r} in")


def journal_look(
    journal: Path, since: Cursor | None = None, *, back_s: float = 60, sought: tuple[Sought, ...] = (), **keys: Any
) -> tuple[LogReading, Cursor]:
    config = written(journald.Config, kind="journald", host="app", **{"identifier": "shop", **keys})
    host = local_host(journal)
    reach = Reach(host_of=lambda _: host, client_of=lambda _: pytest.fail("no client"))
    start = None if since else datetime.now(UTC) - timedelta(seconds=back_s)
    reading, cursor = journald.open_source("api", config, reach).read(since, start, sought=sought)
    return reading, json.loads(json.dumps(cursor))


def test_the_journal_is_read_on_from_look_to_look(journal: Path) -> None:
    write(journal, "CRITICAL: dead", "usual")
    write(journal, "by its priority", priority="err")
    write(journal, "of another", priority="crit", identifier="other")
    write(journal, "ERROR: it broke", "Traceback (most recent call last):", '  File "x.py", line 1', "ValueError: no")
    write(journal, "\x1b[31m\xff red".encode().decode("utf-8"), priority="warning")
    reading, cursor = journal_look(journal, back_s=3)
    assert [(e.level, e.message.strip()) for e in reading.events][:3] == [
        ("CRITICAL", "CRITICAL: dead"),
        ("ERROR", "by its priority"),
        ("ERROR", "ERROR: it broke"),
    ]
    assert reading.events[2].raw.endswith("ValueError: no")
    assert "\x1b" not in reading.events[3].shown
    write(journal, "ERROR: later")
    reading, cursor = journal_look(journal, cursor)
    assert ([e.message for e in reading.events], reading.gap) == (["ERROR: later"], None)
    reading, cursor = journal_look(journal, cursor)
    assert (reading.events, reading.gap) == ((), None)


def test_nobody_of_that_name_in_the_journal_is_a_gap(journal: Path) -> None:
    write(journal, "CRITICAL: dead")
    for keys in ({"identifier": "shpo"}, {"identifier": (), "unit": "shpo.service"}):
        told = "the journal of host app holds no entry at all of -"
        assert told in str(journal_look(journal, back_s=0, **keys)[0].gap)
        assert told not in str(journal_look(journal, back_s=0, sparse=True, **keys)[0].gap)


def test_a_journal_that_was_thrown_away_is_a_gap(journal: Path) -> None:
    write(journal, "ERROR: first")
    _, cursor = journal_look(journal)
    run(str(journal / "journalctl"), "--rotate")
    run(str(journal / "journalctl"), "--vacuum-files=1")
    write(journal, "ERROR: second")
    reading, cursor = journal_look(journal, cursor)
    assert [e.message for e in reading.events] == ["ERROR: second"]
    assert "does not hold what was read last; entries after it may be gone, too" in str(reading.gap)
    assert journal_look(journal, cursor)[0].gap is None
    assert "reaches back to" in str(journal_look(journal, back_s=86_400)[0].gap)


def test_a_quiet_identifier_is_no_gap(journal: Path) -> None:
    write(journal, "usual")
    write(journal, "of another", identifier="other")
    _, cursor = journal_look(journal, back_s=0.0)
    write(journal, "of another", identifier="other")
    reading, cursor = journal_look(journal, cursor)
    assert (reading.events, reading.gap) == ((), None)
    write(journal, "ERROR: mine")
    assert journal_look(journal, cursor)[0].counts["ERROR"] == 1


def test_an_identifier_that_nobody_has_is_a_gap_unless_it_is_rare(journal: Path) -> None:
    write(journal, "of another", identifier="other")
    assert "holds no entry at all of -t shop" in str(journal_look(journal, back_s=0.0)[0].gap)
    reading, cursor = journal_look(journal, back_s=0.0, sparse=True)
    assert reading.gap is None
    # The first one of all is not left out, though the cursor is another's.
    write(journal, "ERROR: mine")
    reading, _ = journal_look(journal, cursor, sparse=True)
    assert ([e.message for e in reading.events], reading.gap) == (["ERROR: mine"], None)


def test_of_very_much_only_grave_entries_are_carried(journal: Path) -> None:
    write(journal, *[f"usual {n} " + "y" * 100 for n in range(3_000)])
    write(journal, "CRITICAL: dead", '2FA of "ann"')
    wanted = (Sought(pattern='2FA of "ann'), Sought(pattern=r"\d"))
    reading, cursor = journal_look(journal, max_bytes="100 kB", sought=wanted)
    assert (reading.counts["CRITICAL"], reading.counts["ERROR"]) == (1, 0)
    assert [e.raw for e in reading.find(wanted[0]).events] == ['2FA of "ann"']
    assert "has no fixed text" in str(reading.find(wanted[1]).incomplete)
    write(journal, "ERROR: next")
    assert [e.message for e in journal_look(journal, cursor, max_bytes="100 kB")[0].events] == ["ERROR: next"]
