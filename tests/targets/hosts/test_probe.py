"""The composed probe on hosts that are poor, half-dead or not like this one."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from golive.environment.sections import HostSection
from golive.model import CouldNotLook
from golive.targets.hosts import command, probe, reading
from golive.targets.hosts.host import Host
from tests.shims import local_host, shim
from tests.targets.hosts.test_host import LONG_S, Echo, Hangs, Pours, sleeping

MARK = "golive-0123456789abcdef"


def test_bash_is_the_shell_of_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red Hat's `sh` is bash, whose job control, `read` and `wait` are its own."""
    enter = 'eval "last=\\${$#}"\nlast=$(printf %s "$last" | sed "s#/bin/sh#bash --posix#g")\n'
    shim(tmp_path / "bin", "docker", f'{enter}exec bash --posix -c "$last"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    host = Host("app", HostSection.model_validate({"connect": "docker://shop", "cpu_window": "300 ms"}))
    host.ask(Echo(r"a\000\377"), Hangs("x"), Pours("c"))
    assert host.answer(Echo(r"a\000\377")) == b"a\0\xff"
    assert host.answer(Pours("c")) == b"\0" * 3_000_000 + b"c"
    assert host.facts.problems.keys() <= {"failed_units"} and host.facts.cpu_percent is not None
    with pytest.raises(CouldNotLook, match="hangs: no answer"):
        host.answer(Hangs("x"))
    with pytest.raises(CouldNotLook, match=r"did not finish within 0\.3 s"):
        host.run(f"sleep {LONG_S} | sleep {LONG_S}", timeout_s=0.3)
    assert host.run("echo $BASH_VERSION; exit 3").exit_code == 3
    assert sleeping() == []


def test_where_no_file_can_be_made_the_lanes_run_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    poor = probe._FUNCTIONS.replace('in /dev/shm "${{TMPDIR:-/tmp}}"', "in /proc /nowhere")
    assert poor != probe._FUNCTIONS
    monkeypatch.setattr(probe, "_FUNCTIONS", poor)
    host = local_host(window="50 ms")
    host.ask(Echo("a"), Pours("b"))
    assert (host.answer(Echo("a")), len(host.answer(Pours("b")))) == (b"a", 3_000_001)
    assert host.facts.file_systems is not None


def test_nothing_is_left_on_the_disks_of_the_host() -> None:
    host = local_host(window="50 ms")
    host.ask(Pours("b"))
    host.begin()
    folders = [Path("/dev/shm"), Path(os.environ.get("TMPDIR", "/tmp"))]
    while host._probe is not None and host._probe.is_alive():
        time.sleep(0.02)
    assert host.facts.memory is not None
    assert [file for folder in folders for file in folder.glob(f"{host._marker}*")] == []


def test_a_host_that_gets_stuck_is_judged_by_what_it_told_until_then(tmp_path: Path) -> None:
    shim(tmp_path, "df", f"setsid sleep {LONG_S} & exec sleep {LONG_S}")
    host = local_host(tmp_path, window="50 ms")
    host.section = host.section.model_copy(update={"timeout": 1.5})
    host.ask(Echo("a"))
    began = time.monotonic()
    found = host.facts
    assert time.monotonic() - began < 5
    assert found.memory is not None and found.cpu_percent is not None and found.booted_at is not None
    assert found.clock is None
    with pytest.raises(CouldNotLook, match="host app: file systems could not be read"):
        found.need(found.file_systems, "file_systems")
    assert host.answer(Echo("a")) == b"a"
    assert sleeping() == []


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_whoever_asked_is_gone_and_so_is_all_that_was_begun(after_s: float) -> None:
    part = probe.Part(name="question 0", text=f"sleep {LONG_S} | cat; sleep {LONG_S}", limit_s=50)
    script = probe.script("golive-x", window_s=None, parts=[part, part])
    text = command.text(script, marker="golive-y", limit_s=60)
    process = subprocess.Popen(["/bin/sh", "-c", command.line(text)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(text)
    process.stdin.flush()
    process.stdout.readline()
    time.sleep(after_s)
    process.stdout.close()
    process.stdin.close()
    process.wait(20)
    assert sleeping() == []


def test_an_old_df_tells_kilobytes() -> None:
    said = "Filesystem  1024-blocks Used Available Capacity Mounted on\n/dev/sda1 1000 400 600 40% /\n"
    found = reading.file_systems(said, "")[0]
    assert (found.size_bytes, found.used_bytes, found.available_bytes) == (1_024_000, 409_600, 614_400)


@pytest.mark.parametrize(
    ("output", "parts", "ended"),
    [
        (b"", {}, False),
        (f"{MARK} a\n1\n{MARK} = 0\n{MARK} end\n".encode(), {"a": (b"1", 0)}, True),
        (f"noise\n{MARK} a\n\x00\xff\n{MARK} = 3\n".encode("latin-1"), {"a": (b"\x00\xff", 3)}, False),
        (f"{MARK} a\n1\n{MARK} b\n2\n{MARK} = 0\n".encode(), {"b": (b"2", 0)}, False),
        (f"{MARK} a\n1\n{MARK} = 0\n{MARK} a\n2\n{MARK} = 0\n".encode(), {"a": (b"1", 0)}, False),
        (f"{MARK} = 0\n{MARK} a\n1\n{MARK} = ²\n".encode(), {"a": (b"1", -1)}, False),
    ],
)
def test_frames_are_taken_apart_and_others_passed_over(output: bytes, parts: object, *, ended: bool) -> None:
    assert probe.framed(output, MARK) == (parts, ended)
