"""Up, down and everything that can get in their way, on real servers."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from demo import control, layout, processes, supervisor
from demo import settings as demo_settings
from demo.settings import SERVICES, Ports, Settings
from demo.state import DemoError, State, active_faults, clear_fault, read_state, set_fault, write_state

pytestmark = pytest.mark.xdist_group("demo")

ROOT = Path(__file__).resolve().parents[2]
UNPRIVILEGED = 12345
UP_IN_THE_BACKGROUND = """
import sys
from pathlib import Path
from demo import control
state = control.up(Path(sys.argv[1]), progress=lambda line: print(line, flush=True))
print("pid", state.supervisor_pid, state.started_at, flush=True)
"""
as_root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to another user")


def alive(place: Path) -> list[processes.Process]:
    """Every process of the demo in that directory."""
    return processes.members(layout.places(place))


def states(place: Path) -> dict[str, str]:
    return {one.name: one.state for one in control.status(place)}


def wait_until(holds: Callable[[], bool], *, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def supervisor_of(place: Path) -> supervisor.Supervisor:
    return supervisor.Supervisor(demo_settings.load(place))


def kill_service(place: Path, name: str) -> int:
    pid = supervisor_of(place).services()[name].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def up_in_the_background(place: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", UP_IN_THE_BACKGROUND, str(place)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# Up and down


def test_up_brings_all_eight_services_in_time_and_down_leaves_nothing(place: Path) -> None:
    said: list[str] = []
    begun = time.monotonic()
    up = control.up(place, progress=said.append)
    assert time.monotonic() - begun < 12.0, "less than 6 s on a quiet machine, which this one is not always"
    assert said
    assert states(place) == dict.fromkeys(SERVICES, "RUNNING")
    assert requests.get(f"{up.values['web_url']}/health/ready", timeout=5).status_code == 200
    pids = {one.pid for one in control.status(place)} | {up.supervisor_pid}

    assert control.down(place) is True
    assert alive(place) == []
    assert not any(processes.runs_with(pid, "-P") for pid in pids if pid)
    assert {entry.name for entry in place.iterdir()} == {layout.LOCK_FILE, "logs", "output"}
    assert not layout.annex(place).exists()
    assert control.state(place) is None
    assert states(place) == dict.fromkeys(SERVICES, "STOPPED")
    assert control.down(place) is False


def test_down_of_a_directory_that_was_never_used_makes_none(tmp_path: Path) -> None:
    assert control.down(tmp_path / "never") is False
    assert not (tmp_path / "never").exists()


def test_a_second_up_returns_at_once(running: State) -> None:
    begun = time.monotonic()
    again = control.up(running.directory)
    assert time.monotonic() - begun < 1.0
    assert again == running


def test_state_is_read_in_no_time(running: State) -> None:
    begun = time.perf_counter()
    for _ in range(100):
        assert control.state(running.directory) is not None
    assert (time.perf_counter() - begun) / 100 < 0.005


def test_who_owns_it(running: State) -> None:
    assert running.owner == "command"
    assert control.up(running.directory, owner="run").owner == "command"
    write_state(dataclasses.replace(running, owner="run"))
    assert control.up(running.directory, owner="run").owner == "run"
    assert control.up(running.directory, owner="command").owner == "command"
    assert control.state(running.directory) == running


# Runs that share a demo


def test_the_last_run_stops_what_a_run_started(place: Path) -> None:
    first, second = control.borrow(place), control.borrow(place)
    assert first.state == second.state
    assert first.release() is False
    assert control.state(place) == second.state
    assert second.release() is True
    assert second.release() is False
    assert alive(place) == []


def test_a_run_leaves_what_the_command_started(running: State) -> None:
    with control.borrow(running.directory) as state:
        assert state == running
    assert control.state(running.directory) == running


# Two at once, taken ports, interrupts


def test_two_at_once_start_one_demo(place: Path) -> None:
    both = [up_in_the_background(place) for _ in range(2)]
    answers = [one.communicate(timeout=40) for one in both]
    assert [one.returncode for one in both] == [0, 0], answers
    assert len({out.splitlines()[-1] for out, _ in answers}) == 1
    assert len([one for one in alive(place) if one.service == processes.SUPERVISOR]) == 1


@pytest.mark.parametrize(
    ("name", "seen_before_the_start"), [("redis", True), ("mail_http", True), ("postgres", False), ("frontend", False)]
)
def test_a_port_taken_after_it_was_chosen_makes_it_choose_others(
    place: Path, name: str, seen_before_the_start: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = demo_settings.choose_ports()
    if not seen_before_the_start:  # so that it is the server itself that finds out
        monkeypatch.setattr("demo.start.port_was_taken", lambda *_: False)
    with socket.create_server(("127.0.0.1", getattr(free, name))):
        offers: Iterator[Ports] = iter([free])
        choose = demo_settings.choose_ports
        monkeypatch.setattr(demo_settings, "choose_ports", lambda: next(offers, None) or choose())
        said: list[str] = []
        control.up(place, progress=said.append)
    assert "a port was taken meanwhile; trying others" in said
    assert states(place) == dict.fromkeys(SERVICES, "RUNNING")
    assert getattr(demo_settings.load(place).ports, name) != getattr(free, name)


@pytest.mark.parametrize(
    ("number", "when"), [(signal.SIGINT, "creating"), (signal.SIGINT, "filling"), (signal.SIGTERM, "waiting")]
)
def test_an_interrupted_start_leaves_nothing(place: Path, number: signal.Signals, when: str) -> None:
    starting = up_in_the_background(place)
    assert starting.stdout is not None
    for line in starting.stdout:
        if when in line:
            break
    for _ in range(3):  # somebody is impatient
        starting.send_signal(number)
        time.sleep(0.05)
    out, _ = starting.communicate(timeout=20)
    assert "pid" not in out
    assert starting.returncode in {128 + number, -number, 1}
    assert alive(place) == []
    assert read_state(place) is None
    assert not (place / "settings.json").exists()


def test_a_starter_that_is_killed_leaves_what_the_next_up_clears(place: Path) -> None:
    starting = up_in_the_background(place)
    assert starting.stdout is not None
    for line in starting.stdout:
        if "filling" in line:
            break
    starting.kill()
    starting.communicate(timeout=10)
    assert alive(place)
    control.up(place)
    assert states(place) == dict.fromkeys(SERVICES, "RUNNING")
    assert len([one for one in alive(place) if one.service == processes.SUPERVISOR]) == 1


# Half dead


def test_a_killed_supervisord_is_noticed_and_everything_started_anew(place: Path) -> None:
    before = control.up(place)
    os.kill(before.supervisor_pid, signal.SIGKILL)
    wait_until(lambda: control.state(place) is None)
    assert states(place) == dict.fromkeys(SERVICES, "UNSUPERVISED")
    orphans = {one.pid for one in alive(place)}

    after = control.up(place)
    assert after.supervisor_pid != before.supervisor_pid
    assert states(place) == dict.fromkeys(SERVICES, "RUNNING")
    assert orphans.isdisjoint({one.pid for one in alive(place)})
    assert after.secrets != before.secrets


def test_down_ends_what_a_killed_supervisord_left(place: Path) -> None:
    up = control.up(place)
    settings = demo_settings.load(place)
    os.kill(up.supervisor_pid, signal.SIGKILL)
    os.kill(int((settings.pids / "postgres.pid").read_text()), signal.SIGKILL)
    note = (settings.postgres_data / "postmaster.pid").read_text().splitlines()[6].split()
    assert control.down(place) is True
    assert alive(place) == []
    left = [line.split()[:2] for line in Path("/proc/sysvipc/shm").read_text().splitlines()]
    assert note not in left  # the server's shared memory has been given back, too
    for port in dataclasses.asdict(settings.ports).values():
        assert demo_settings.is_free(port)


def test_a_killed_half_is_up_again_after_up(place: Path) -> None:
    before = control.up(place)
    killed = {name: kill_service(place, name) for name in ("postgres", "api", "worker", "frontend")}
    control.up(place)
    assert states(place) == dict.fromkeys(SERVICES, "RUNNING")
    now = {one.name: one.pid for one in control.status(place)}
    assert all(now[name] != pid for name, pid in killed.items())
    after = control.up(place)
    assert requests.get(f"{after.values['web_url']}/health/ready", timeout=5).status_code == 200
    if after.supervisor_pid == before.supervisor_pid:
        log = (place / "logs" / "supervisord.log").read_text()
        assert all(f"exited: {name} (terminated by SIGKILL; not expected)" in log for name in killed)


def test_a_stopped_service_makes_up_start_anew_unless_it_is_broken_on_purpose(place: Path) -> None:
    before = control.up(place)
    supervisor_of(place).stop("worker")
    set_fault(place, "worker-stopped")
    assert control.up(place) == before
    assert states(place)["worker"] == "STOPPED"
    clear_fault(place, "worker-stopped")
    assert control.up(place).supervisor_pid != before.supervisor_pid
    assert states(place)["worker"] == "RUNNING"


def test_a_hanging_service_does_not_keep_down_from_ending_it(place: Path) -> None:
    control.up(place)
    pid = supervisor_of(place).services()["worker"].pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    begun = time.monotonic()
    assert control.down(place) is True
    assert time.monotonic() - begun < 10
    assert alive(place) == []


def test_a_record_from_before_a_reboot_counts_for_nothing(running: State, place: Path) -> None:
    layout.claim(place)
    for pid in (os.getpid(), 2**22 - 1, running.supervisor_pid):  # ours, nobody's, another demo's
        values = {**running.values, "supervisor_config": str(place / "supervisord.conf")}
        write_state(dataclasses.replace(running, directory=place, supervisor_pid=pid, values=values))
        assert control.state(place) is None
    assert control.up(place).supervisor_pid != running.supervisor_pid
    assert control.state(running.directory) == running


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"schema": 99}', "\0\0"])
def test_a_spoilt_record_counts_for_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert control.state(tmp_path) is None


def test_bystanders_survive(place: Path) -> None:
    """Somebody works in the directory, with the variable set and even with its name in the arguments."""
    control.up(place)
    environment = {**os.environ, "GOLIVE_DEMO_DIR": str(place)}
    bystander = subprocess.Popen(["sh", "-c", "sleep 60; :", str(place)], cwd=place / "logs", env=environment)
    try:
        kill_service(place, "mail")
        control.down(place)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


# Failures


@pytest.mark.parametrize("ends", ["before the request to start it is answered", "afterwards"])
def test_a_service_that_cannot_start_is_named_with_its_last_words(
    place: Path, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_script, start_service = layout.write_script, supervisor.Supervisor.start
    pause = "" if ends.startswith("before") else "sleep 0.3; "

    def sabotage(path: Path, line: str) -> None:
        broken = path.parent.name == "run" and path.name == "collector"
        write_script(path, f"{pause}echo no tape in the machine; exit 3" if broken else line)

    def start_and_see_the_end(client: supervisor.Supervisor, name: str, *, wait: bool = False) -> None:
        """What supervisord answers by itself when the program is the quicker of the two, which is a matter of luck."""
        start_service(client, name, wait=wait)
        if name == "collector":
            wait_until(lambda: client.services()[name].state == "BACKOFF")
            raise xmlrpc.client.Fault(50, f"SPAWN_ERROR: {name}")

    monkeypatch.setattr(layout, "write_script", sabotage)
    if not pause:
        monkeypatch.setattr(supervisor.Supervisor, "start", start_and_see_the_end)
    with pytest.raises(DemoError) as raised:
        control.up(place)
    first, *rest = str(raised.value).splitlines()
    assert first.startswith("the demo did not start: collector has ended")
    assert any("no tape in the machine" in line for line in rest)
    assert alive(place) == []
    assert read_state(place) is None
    assert (place / "output" / "collector.txt").exists()


def test_what_initdb_says_is_passed_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = place.parent / "bin"
    layout.claim(place)
    layout.write_script(_made(fake) / "initdb", "echo out of clay; exit 1")
    fake.parent.chmod(0o755)
    save = demo_settings.save

    def misdirect(settings: Settings) -> None:
        object.__setattr__(settings, "postgres_programs", fake)
        save(settings)

    monkeypatch.setattr(demo_settings, "save", misdirect)
    monkeypatch.setattr("demo.postgres.account", lambda: None)
    with pytest.raises(DemoError, match=r"initdb failed \(exit code 1\)\nout of clay"):
        control.up(place)
    assert alive(place) == []


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("parent", ["file", "/proc/nowhere"])
def test_a_place_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match="cannot hold the demo") as raised:
        control.up(tmp_path / parent / "demo")
    assert "\n" not in str(raised.value)


@as_root_only
def test_another_users_directory_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "s"
    place.mkdir()
    os.chown(place, UNPRIVILEGED, UNPRIVILEGED)
    for act in (control.up, control.down):
        with pytest.raises(DemoError, match="belongs to the user with id 12345, not to you"):
            act(place)


def test_a_directory_with_other_things_in_it_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for act in (control.up, control.down):
        with pytest.raises(DemoError, match="not empty and not a directory of the demo"):
            act(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["bin"]


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "s").symlink_to(tmp_path / "target")
    with pytest.raises(DemoError, match="is not a directory"):
        control.up(tmp_path / "s")
    assert list((tmp_path / "target").iterdir()) == []


# Where it lives


def test_a_long_or_odd_path_works(tmp_path: Path) -> None:
    """Too long for a socket, and with characters that shells, nginx and supervisord each take for something."""
    place = tmp_path / ("x" * 90) / 'it\'s 100%s $HOME; "odd"'
    try:
        up = control.up(place)
        assert demo_settings.load(place).supervisor_socket.parent == layout.annex(place)
        assert states(place) == dict.fromkeys(SERVICES, "RUNNING")
        done = subprocess.run(
            [f"{up.values['bin']}/supervisorctl", "-c", up.values["supervisor_config"], "status"],
            capture_output=True,
            text=True,
        )
        assert done.stdout.count("RUNNING") == 8
    finally:
        control.down(place)
    assert not layout.annex(place).exists()


@as_root_only
def test_root_in_an_open_directory_needs_no_second_one(place: Path) -> None:
    place.parent.chmod(0o755)
    place.parent.parent.chmod(0o755)
    try:
        control.up(place)
        settings = demo_settings.load(place)
        if place.parent.parent.parent.stat().st_mode & stat.S_IXOTH:
            assert settings.postgres_home == place / "postgres"
        assert settings.postgres_data.stat().st_uid != 0
        assert stat.S_IMODE(settings.postgres_data.stat().st_mode) == 0o700
    finally:
        place.parent.parent.chmod(0o700)


@as_root_only
def test_root_with_a_private_installation_copies_postgres(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when clone and virtual environment are in /root: their programs can be used by root alone."""
    private = place.parent / "private"
    bundled = layout.bundled_postgres()
    package = private / bundled.parent.name
    shutil.copytree(bundled, package / bundled.name, ignore=shutil.ignore_patterns("include"))
    shutil.copytree(f"{bundled.parent}.libs", f"{package}.libs")
    private.chmod(0o700)
    monkeypatch.setattr(layout, "bundled_postgres", lambda: package / bundled.name)
    control.up(place)
    programs = demo_settings.load(place).postgres_programs
    assert not programs.is_relative_to(private)
    assert programs.is_relative_to(layout.annex(place)) or programs.is_relative_to(place)
    assert states(place)["postgres"] == "RUNNING"


@as_root_only
def test_an_unprivileged_user_without_an_account_can_start_it() -> None:
    """Run by a user id that no password file knows, as in many containers."""
    interpreter = Path(sys.executable).resolve()
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in [*interpreter.parents, *ROOT.parents, ROOT]):
        pytest.skip("the interpreter is in a folder that only root may enter")
    base = Path("/tmp") / f"golive-test-{os.getpid()}"  # outside pytest's own folder, which only its user may enter
    base.mkdir(mode=0o700)
    try:
        os.chown(base, UNPRIVILEGED, UNPRIVILEGED)
        done = subprocess.run(
            [
                *("setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups"),
                *(sys.executable, "-c", f"{UP_IN_THE_BACKGROUND}\ncontrol.down(Path(sys.argv[1]))", str(base / "s")),
            ],
            cwd=ROOT,
            env={**os.environ, "HOME": str(base)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert "pid" in done.stdout
    finally:
        shutil.rmtree(base, ignore_errors=True)


# Faults


def test_break_and_heal_a_stopped_service(place: Path) -> None:
    before = control.up(place)
    control.break_("worker-stopped", place)
    assert states(place)["worker"] == "STOPPED"
    assert set(active_faults(place)) == {"worker-stopped"}
    with pytest.raises(DemoError, match="is active already"):
        control.break_("worker-stopped", place)
    control.heal(directory=place)
    assert states(place) == dict.fromkeys(SERVICES, "RUNNING")
    assert active_faults(place) == {}
    after = control.state(place)
    assert after is not None
    assert after.values["deployed_at"] > before.values["deployed_at"]
    assert {**after.values, "deployed_at": ""} == {**before.values, "deployed_at": ""}


def test_refused_faults(running: State, place: Path) -> None:
    with pytest.raises(DemoError, match=r"unknown fault 'worker-stoped'\. Did you mean 'worker-stopped'\?"):
        control.break_("worker-stoped", running.directory)
    with pytest.raises(DemoError, match="fault 'worker-stopped' is not active; active: none"):
        control.heal("worker-stopped", running.directory)
    with pytest.raises(DemoError, match="the demo is not up; start it with `golive demo up`"):
        control.break_("worker-stopped", place)
    assert json.dumps(dict(active_faults(running.directory))) == "{}"
