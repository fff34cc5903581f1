"""Load from further machines, over a real sshd. Both ends are this machine, so they are told apart by their folders."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from golive.environment.sections import HostSection
from golive.judge.load.result import LoadResult
from golive.model import CouldNotLook
from load import runner
from tests.load.processes import Known, all_gone, below, comes_true
from tests.load.targets import READ, SESSIONS, WRITE, Target, section, target
from tests.sshd import Sshd, sshd

SHORT = [{"ramp": "500 ms", "users": 6}, {"hold": "3 s"}]
LONG = [{"ramp": "500 ms", "users": 6}, {"hold": "60 s"}]


@pytest.fixture
def shop() -> Iterator[Target]:
    with target() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with sshd(tmp_path / "sshd", "loadgen1", "loadgen2") as started:
        yield started
        assert comes_true(lambda: not _folders(started), 5), "a worker left its folder behind"


def environment(shop: Target, server: Sshd, *workers: Any, **profile: Any) -> Any:
    scenarios: tuple[dict[str, Any], ...] = () if "locustfile" in profile else (READ, WRITE)
    made = section(shop.url, *scenarios, workers=list(workers), **profile)
    reached = {"ssh_config": str(server.config)}
    hosts = {name: HostSection.model_validate({"connect": f"ssh://{name}", **reached}) for name in server.ports}
    return made.model_copy(update={"hosts": hosts})


def worker(host: str, **more: Any) -> dict[str, Any]:
    return {"host": host, "python": sys.executable, **more}


def press(section_: Any, directory: Path, **more: Any) -> LoadResult:
    profile = section_.load.profiles["steady"]
    given = {"sessions": SESSIONS, "directory": directory, "user_agent": "golive-test/1", "run": "run-7", **more}
    return runner.run("steady", profile, section_, **given)


def _far(server: Sshd) -> list[Known]:
    """The processes of load below the sshd, with those that start them."""
    return [one for one in below(server.process.pid) if b"locust" in _read(one, "cmdline")]


def _folders(server: Sshd) -> set[str]:
    """The folders in which load processes work below the sshd."""
    found = set()
    for one in below(server.process.pid):
        try:
            found.add(str(Path(f"/proc/{one.pid}/cwd").readlink()))
        except OSError:
            continue
    return {folder for folder in found if "golive-load-" in folder}


def _read(one: Known, what: str) -> bytes:
    try:
        return Path(f"/proc/{one.pid}/{what}").read_bytes()
    except OSError:
        return b""


def bare_python(folder: Path) -> Path:
    """The interpreter of a virtual environment with everything that is installed here but this project."""
    venv.create(folder, with_pip=False, symlinks=True)
    ours, theirs = (Path(sysconfig.get_path("purelib", vars=where)) for where in (None, {"base": str(folder)}))
    for entry in ours.iterdir():
        if "golive" not in entry.name and not (theirs / entry.name).exists():
            (theirs / entry.name).symlink_to(entry)
    return folder / "bin" / "python"


def test_workers_here_and_on_two_machines_give_one_result(shop: Target, server: Sshd, tmp_path: Path) -> None:
    seen: set[str] = set()

    def guard() -> str | None:
        seen.update(_folders(server))
        return None

    made = environment(shop, server, worker("loadgen1"), worker("loadgen2", processes=2), stages=SHORT)
    result = press(made, tmp_path / "steady", guards=guard)
    assert (result.stopped, result.problems) == ("", ())
    assert dict(result.workers) == dict.fromkeys(["w1", "loadgen1", "loadgen2-1", "loadgen2-2"], "quit")
    totals = result.window(with_warm_up=True)
    asked = shop.count("GET ") + shop.count("POST ")
    assert 50 < totals.n <= asked <= totals.n + totals.failures["unfinished"] + 6
    assert shop.orders == set()
    assert len(seen) == 3
    assert not any(Path(folder).exists() for folder in seen)


def test_only_python_and_locust_are_needed_there(shop: Target, server: Sshd, tmp_path: Path) -> None:
    """The interpreter there has locust, and of this project nothing but what it was sent."""
    python = bare_python(tmp_path / "there")
    words = [str(python), "-c", "import locust, golive"]
    asked = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "No module named 'golive'" in asked.stderr
    made = environment(shop, server, {"host": "loadgen1", "python": str(python)}, stages=SHORT)
    result = press(made, tmp_path / "steady")
    assert (result.stopped, result.problems) == ("", ())
    assert result.workers["loadgen1"] == "quit"


def test_a_machine_that_is_cut_off_is_named_and_presses_no_more(shop: Target, server: Sshd, tmp_path: Path) -> None:
    far: list[Known] = []
    cut: list[float] = []

    def guard() -> str | None:
        if len(shop.times) > 60 and not cut:
            far.extend(_far(server))
            server.cut()
            cut.append(time.time())
        return "seen enough" if cut and time.time() - cut[0] > 8 else None

    result = press(environment(shop, server, worker("loadgen1"), stages=LONG), tmp_path / "steady", guards=guard)
    assert far
    assert all_gone(far, 0), "what was cut off pressed on"
    assert result.lost == ("loadgen1",)
    assert any(text.startswith("worker loadgen1 was lost after ") for text in result.problems)
    assert result.stopped == "seen enough"


def test_a_stop_ends_the_processes_there(shop: Target, server: Sshd, tmp_path: Path) -> None:
    far: list[Known] = []

    def guard() -> str | None:
        far.extend(_far(server) if len(shop.times) > 60 else [])
        return "enough" if far else None

    made = environment(shop, server, worker("loadgen1", processes=2), stages=LONG)
    result = press(made, tmp_path / "steady", guards=guard)
    stopped_at = time.time()
    assert result.stopped == "enough"
    assert all_gone(far, 5)
    assert shop.times[-1] <= stopped_at + 0.5


def test_the_session_is_on_no_command_line_there(shop: Target, server: Sshd, tmp_path: Path) -> None:
    seen: list[bytes] = []

    def guard() -> str | None:
        if not seen and len(shop.times) > 20:
            seen.extend(_read(one, what) for one in _far(server) for what in ("cmdline", "environ"))
        return None

    press(environment(shop, server, worker("loadgen1"), stages=SHORT), tmp_path / "steady", guards=guard)
    assert any(seen)
    token = SESSIONS["ann"]["Authorization"].split()[1].encode()
    assert not any(token in text for text in seen)


OWN = """\
from locust import FastHttpUser, constant, task


class Buyer(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def look(self) -> None:
        self.client.get("/orders?by=own", name="own look")
"""


def test_a_locustfile_of_ones_own_travels_along(shop: Target, server: Sshd, tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(OWN)
    made = environment(shop, server, worker("loadgen1"), locustfile=str(own), stages=SHORT)
    result = press(made, tmp_path / "steady")
    assert (result.stopped, result.problems) == ("", ())
    assert dict(result.workers) == {"w1": "quit", "loadgen1": "quit"}
    assert shop.count("GET /orders?by=own") == len(shop.asked) > 20


def test_a_clock_that_is_ahead_is_put_right(shop: Target, server: Sshd, tmp_path: Path) -> None:
    python = bare_python(tmp_path / "there")
    (folder,) = (tmp_path / "there").glob("lib/python*/site-packages")
    (folder / "sitecustomize.py").write_text("import time\nours = time.time\ntime.time = lambda: ours() + 3600\n")
    made = environment(shop, server, {"host": "loadgen1", "python": str(python)}, stages=SHORT)
    result = press(made, tmp_path / "steady")
    assert (result.stopped, result.problems) == ("", ())
    lines = [json.loads(line) for line in (tmp_path / "steady" / "stream.jsonl").read_text().splitlines()]
    seconds = [line for line in lines if line["kind"] == "second"]
    ahead = [line["at"] - result.began_at for line in seconds if line["worker"] == "loadgen1"]
    assert ahead
    assert min(ahead) > 3500
    assert result.window(with_warm_up=True).n == sum(line["n"] for line in seconds)


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("/nonexistent/python", "host loadgen1 makes no load: .*(No such file|not found)"),
        ("PLAIN", "host loadgen1 makes no load: locust is missing for .*: pip install locust"),
    ],
)
def test_a_machine_that_cannot_make_load_says_why(
    shop: Target, server: Sshd, tmp_path: Path, python: str, told: str
) -> None:
    if python == "PLAIN":
        script = tmp_path / "plain"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
        script.chmod(0o755)
        python = str(script)
    made = environment(shop, server, {"host": "loadgen1", "python": python}, stages=SHORT)
    with pytest.raises(CouldNotLook, match=told):
        press(made, tmp_path / "steady")
    assert shop.asked == []


def test_a_server_that_forwards_nothing_is_told(shop: Target, tmp_path: Path) -> None:
    with sshd(tmp_path / "strict", "loadgen1", more="AllowTcpForwarding no") as strict:
        made = environment(shop, strict, worker("loadgen1"), stages=SHORT)
        told = r"^load steady did not begin: worker loadgen1 is gone: .*forward"
        with pytest.raises(CouldNotLook, match=told):
            press(made, tmp_path / "steady")
    assert shop.asked == []


def test_a_machine_that_is_not_there_is_told(shop: Target, server: Sshd, tmp_path: Path) -> None:
    server.stop()
    with pytest.raises(CouldNotLook, match=r"host loadgen1 makes no load: .*refused"):
        press(environment(shop, server, worker("loadgen1"), stages=SHORT), tmp_path / "steady")
    assert shop.asked == []


def test_only_ssh_reaches_further_machines(shop: Target, server: Sshd, tmp_path: Path) -> None:
    made = environment(shop, server, worker("loadgen1"), stages=SHORT)
    local = made.hosts["loadgen1"].model_copy(update={"connect": "local://", "ssh_config": None})
    with pytest.raises(CouldNotLook, match="host loadgen1: workers are started over ssh://, not over local://"):
        press(made, tmp_path / "steady", hosts=lambda _: local)
    assert shop.asked == []
