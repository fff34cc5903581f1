"""Hosts that have BusyBox and nothing else, as Alpine's containers do."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from golive.environment.sections import HostSection
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from tests.shims import shim
from tests.targets.hosts.test_host import LONG_S, Echo, Hangs, Pours, sleeping


@pytest.fixture
def busybox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host that has BusyBox and nothing else: `docker exec` into this machine, with no other folder in PATH."""
    program = shutil.which("busybox")
    assert program is not None, "install the package busybox"
    applets = tmp_path / "applets"
    applets.mkdir()
    for name in subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split():
        (applets / name).symlink_to(program)
    enter = f'eval "last=\\${{$#}}"\nlast=$(printf %s "$last" | sed "s#/bin/sh#{applets}/sh#g")\n'
    shim(tmp_path / "bin", "docker", f'{enter}exec env -i PATH={applets} {applets}/sh -c "$last"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    section = {"connect": "docker://shop", "cpu_window": "300 ms", "timeout": "10 s"}
    return Host("app", HostSection.model_validate(section))


def test_busybox_tells_every_fact_that_it_can(busybox: Host) -> None:
    found = busybox.facts
    assert found.problems.keys() <= {"failed_units"}
    assert found.cpu_percent is not None and found.cpu_count == os.cpu_count()
    assert found.memory is not None and found.load is not None and found.ports is not None
    root = next(f for f in found.file_systems or () if f.mount == "/")
    assert root.size_bytes == os.statvfs("/").f_blocks * os.statvfs("/").f_frsize
    assert root.inodes is not None and root.inodes_percent is not None
    assert found.processes[os.getpid()].rss_bytes % os.sysconf("SC_PAGESIZE") == 0
    assert found.clock is not None and abs(found.clock.offset_s) <= found.clock.uncertainty_s + 0.1


def test_busybox_answers_questions_and_gives_up_on_what_hangs(busybox: Host) -> None:
    busybox.ask(Echo(r"a\000\377"), Hangs("x"), Pours("c"))
    assert busybox.answer(Echo(r"a\000\377")) == b"a\0\xff"
    assert busybox.answer(Pours("c")) == b"\0" * 3_000_000 + b"c"
    with pytest.raises(CouldNotLook, match="hangs: no answer"):
        busybox.answer(Hangs("x"))
    with pytest.raises(CouldNotLook, match=r"did not finish within 0\.3 s"):
        busybox.run(f"sleep {LONG_S} | sleep {LONG_S}", timeout_s=0.3)
    assert sleeping() == []
