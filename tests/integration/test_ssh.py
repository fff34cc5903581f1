"""Hosts over a real sshd, run unprivileged on high loopback ports with keys of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from golive.environment.sections import HostSection
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions.file import FileState
from tests.rogues import rogue, silent
from tests.sshd import Sshd, _below, sshd

ROOT = Path(__file__).resolve().parents[2]
IS_ROOT = os.getuid() == 0
LONG_S = 100_000 + os.getpid()
"""How long commands sleep that must not outlive their connection; nobody else sleeps for just so long."""
CRITERIA = """
- {id: shop.health.NAME-memory, says: memory is left, check: hosts/memory, host: NAME, critical: 99, severity: high}
- {id: shop.health.NAME-inodes, says: inodes are left, check: hosts/inodes, host: NAME, critical: 99.9, severity: high}
- {id: shop.health.NAME-clock, says: clock agrees, check: hosts/clock, host: NAME, critical: 5 s, severity: high}
- id: shop.health.NAME-file
  says: the file is there
  check: hosts/file
  host: NAME
  path: FILE
  contains: ready
  severity: high
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with sshd(tmp_path / "sshd") as started:
        yield started


@contextmanager
def host_at(connect: str, **keys: Any) -> Iterator[Host]:
    """A host that is let go of at the end."""
    section = HostSection.model_validate({"connect": connect, "cpu_window": "50 ms", "timeout": "5 s", **keys})
    host = Host("app", section)
    try:
        yield host
    finally:
        host.close()


def over(server: Sshd, **keys: Any) -> Any:
    """The host behind the server's first port."""
    return host_at("ssh://app", ssh_config=str(server.config), **keys)


def why_not(host: Host) -> str:
    """Why the host cannot be looked at."""
    with pytest.raises(CouldNotLook) as told:
        host.run("true")
    return str(told.value)


def sleeping(seconds: int) -> bool:
    """Whether a process sleeps for so long; one that is about to end is given a moment."""
    for _ in range(100):
        said = subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True).stdout
        if f"sleep {seconds}" not in said.splitlines():
            return False
        time.sleep(0.1)
    return True


def await_sleep(seconds: int) -> None:
    """Wait until a process sleeps for so long."""
    for _ in range(200):
        said = subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True).stdout
        if f"sleep {seconds}" in said.splitlines():
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing sleeps for {seconds} s")


def test_one_connection_serves_the_visit_and_every_command(server: Sshd) -> None:
    with over(server) as host:
        facts = host.facts
        assert facts.memory is not None and facts.cpu_percent is not None and facts.file_systems
        assert facts.clock is not None and abs(facts.clock.offset_s) < 1
        assert os.getpid() in facts.processes
        assert [host.run(f"exit {n}").exit_code for n in range(3)] == [0, 1, 2]
        assert host.testinfra.file("/etc/passwd").exists
        assert host.cost.connections == server.accepted() == 1
        assert host.cost.commands >= 5


def test_use_of_the_probe_itself_is_not_counted_against_the_host(server: Sshd) -> None:
    with over(server) as host:
        assert host.facts.own_cpu_percent is not None and host.facts.own_pids


def test_a_connection_that_is_lost_is_opened_again(server: Sshd) -> None:
    with over(server) as host:
        assert host.run("echo 1").stdout == "1\n"
        sessions = [line.split("pid ")[-1] for line in server.log.splitlines() if "Accepted" in line]
        assert len(sessions) == 1
        server.cut()
        assert host.run("echo 2").stdout == "2\n"
        assert host.cost.connections == server.accepted() == 2


def test_greetings_and_forced_commands(tmp_path: Path) -> None:
    greeting = 'echo "Welcome to shop!"; printf "\\033[31m no end"; eval "$SSH_ORIGINAL_COMMAND"; echo bye'
    with sshd(tmp_path / "a", more=f"ForceCommand {greeting}") as server, over(server) as host:
        assert host.run("echo hi; exit 3").stdout == "hi\n"
        assert host.facts.memory is not None
    with sshd(tmp_path / "b", more="ForceCommand echo for backups only") as server, over(server) as host:
        assert why_not(host) == "host app: it does not run the command that it is sent: for backups only"


def test_a_host_whose_key_is_not_known_is_not_talked_to(server: Sshd, tmp_path: Path) -> None:
    key = server.known.read_text()
    server.known.write_text("")
    with over(server) as host:
        assert "its host key is not known here: compare its fingerprint and add it" in why_not(host)
    (tmp_path / "other known").write_text(key)
    with over(server, known_hosts=str(tmp_path / "other known")) as host:
        assert host.run("echo hi").stdout == "hi\n"
    assert server.known.read_text() == ""


def test_a_host_whose_key_has_changed_is_not_talked_to(server: Sshd) -> None:
    server.known.write_text(f"[127.0.0.1]:{server.port} {server.key.with_suffix('.pub').read_text()}")
    with over(server) as host:
        assert "its host key has changed" in why_not(host)
    assert server.accepted() == 0


def test_a_key_that_is_not_let_in_says_what_to_do(server: Sshd, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    server.config.write_text(server.config.read_text().replace(str(server.key), str(tmp_path / "other")))
    with over(server) as host:
        assert "it lets none of our keys in: name one (identity_file)" in why_not(host)
    with over(server, identity_file=str(server.key)) as host:
        assert host.run("echo hi").stdout == "hi\n"


def test_the_agent_holds_the_key(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(tmp_path / "agent")], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        for _ in range(100):
            if (tmp_path / "agent").exists():
                break
            time.sleep(0.02)
        subprocess.run(["ssh-add", "-q", str(server.key)], check=True, stderr=subprocess.DEVNULL)
        server.config.write_text(server.config.read_text().replace(f"IdentityFile {server.key}", "IdentitiesOnly no"))
        server.key.unlink()
        with over(server) as host:
            assert host.run("echo hi").stdout == "hi\n"
    finally:
        agent.terminate()
        agent.wait(10)


def test_a_host_behind_a_jump_host(tmp_path: Path) -> None:
    with sshd(tmp_path / "inner", "app") as inner, sshd(tmp_path / "outer", "bastion") as outer:
        (outer.folder / "authorized").write_text(inner.key.with_suffix(".pub").read_text())
        known = tmp_path / "known"
        known.write_text(inner.known.read_text() + outer.known.read_text())
        keys = {"identity_file": str(inner.key), "known_hosts": str(known), "jump": f"127.0.0.1:{outer.port}"}
        with host_at(f"ssh://127.0.0.1:{inner.port}", **keys) as host:
            assert host.facts.memory is not None
            assert host.run("exit 3").exit_code == 3
        assert (inner.accepted(), outer.accepted()) == (1, 1)
        outer.stop()
        with host_at(f"ssh://127.0.0.1:{inner.port}", **keys) as host:
            assert "host app: cannot be reached by ssh://127.0.0.1:" in why_not(host)


@pytest.mark.skipif(not IS_ROOT, reason="sudo lets root in without a password, and nobody else here")
def test_sudo_without_a_password(server: Sshd) -> None:
    with over(server, sudo=True) as host:
        assert host.run("id -u").stdout == "0\n"
        assert host.facts.memory is not None
    with over(server, sudo="nobody") as host:
        assert host.run('id -un; printf %s "$A"', env={"A": "se'cret"}).stdout == "nobody\nse'cret"
        with pytest.raises(CouldNotLook, match=r"did not finish within 0\.5 s"):
            host.run(f"sleep {LONG_S}", timeout_s=0.5)
    assert not sleeping(LONG_S)


def test_sudo_that_is_missing_or_wants_a_password(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("sh", "head", "cat", "sleep"):
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    with sshd(tmp_path / "a", path=f"{tmp_path}/bin") as server, over(server, sudo=True) as host:
        assert why_not(host) == "host app: sudo is not installed there"
    (tmp_path / "bin/sudo").write_text("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n")
    (tmp_path / "bin/sudo").chmod(0o755)
    with sshd(tmp_path / "b", path=f"{tmp_path}/bin") as server, over(server, sudo=True) as host:
        assert why_not(host).startswith("host app: sudo wants a password there, and none is ever sent")


def test_a_command_that_is_late_leaves_nothing_there(server: Sshd) -> None:
    with over(server) as host:
        with pytest.raises(CouldNotLook, match=r"^host app: a command did not finish within 0\.5 s$"):
            host.run(f"setsid sleep {LONG_S} & sleep {LONG_S} | (sleep {LONG_S}; echo)", timeout_s=0.5)
        assert not sleeping(LONG_S)
        assert host.run("echo still there").stdout == "still there\n"


def test_a_link_that_is_cut_leaves_nothing_there(server: Sshd) -> None:
    with over(server, timeout="30 s") as host:
        told: list[str] = []

        def look() -> None:
            with pytest.raises(CouldNotLook) as why:
                host.run(f"sleep {LONG_S} | sleep {LONG_S}")
            told.append(str(why.value))

        looking = threading.Thread(target=look)
        looking.start()
        await_sleep(LONG_S)
        server.cut()
        looking.join(5)
        assert told and told[0].startswith("host app: the connection broke off")
        assert not sleeping(LONG_S)


def test_a_connection_that_is_cut_during_the_visit_is_told_as_that(server: Sshd) -> None:
    asked, why = FileState(path="/etc/passwd"), "^host app: the connection broke off during the visit$"
    with over(server, timeout="30 s", cpu_window="20 s") as host:
        host.ask(asked)
        host.begin()
        time.sleep(2)  # the visit waits between its two readings
        server.cut()
        facts = host.facts
        assert facts.memory is not None and facts.load is not None
        for lost in ("cpu_percent", "file_systems", "ports", "interfaces", "clock", "failed_units"):
            with pytest.raises(CouldNotLook, match=why):
                facts.need(getattr(facts, lost), lost)
        with pytest.raises(CouldNotLook, match=why):
            host.answer(asked)
    with over(server) as host:
        host.ask(asked)
        assert host.facts.cpu_percent is not None and host.answer(asked)


def test_a_named_file_that_ssh_cannot_use_is_told(server: Sshd, tmp_path: Path) -> None:
    plain, absent, open_to_all = tmp_path / "plain", tmp_path / "absent", tmp_path / "open"
    plain.write_text(server.config.read_text().replace(f"IdentityFile {server.key}", "IdentityAgent none"))
    open_to_all.write_bytes(server.key.read_bytes())
    open_to_all.chmod(0o644)
    begins = "host app: cannot be reached by ssh://app: "
    for keys, why in (
        ({"identity_file": str(absent)}, f"identity_file {absent} is not there"),
        (
            {"identity_file": str(open_to_all)},
            f"identity_file {open_to_all} may be read by others (mode 0644), so ssh ignores it (chmod 600)",
        ),
        ({"identity_file": str(server.key), "known_hosts": str(absent)}, f"known_hosts {absent} is not there"),
        ({"identity_file": str(server.folder / "host")}, "it lets none of our keys in: "),
    ):
        with host_at("ssh://app", ssh_config=str(plain), **keys) as host:
            assert why_not(host).startswith(begins + why)
    open_to_all.chmod(0o600)
    given = {"identity_file": str(open_to_all), "known_hosts": str(server.known)}
    with host_at("ssh://app", ssh_config=str(plain), **given) as host:
        assert host.run("true").exit_code == 0


class Freezer:
    """Passes bytes on between a port of its own and another one, until it is told to be silent."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.is_frozen = threading.Event()

    def __call__(self, line: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._port)) as other:
            ways = [threading.Thread(target=self._pass_on, args=pair) for pair in ((line, other), (other, line))]
            for way in ways:
                way.start()
            for way in ways:
                way.join()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                if self.is_frozen.is_set():
                    return
                other.sendall(data)
        except OSError:
            return


def test_a_link_that_falls_silent_ends_within_the_time_out_on_both_sides(server: Sshd) -> None:
    freezer = Freezer(server.port)
    with rogue(freezer) as port:
        server.config.write_text(server.config.read_text().replace(f"Port {server.port}", f"Port {port}"))
        server.known.write_text(server.known.read_text().replace(str(server.port), str(port)))
        with over(server, timeout="3 s") as host:
            assert host.run("echo hi").stdout == "hi\n"
            told: list[str] = []

            def look() -> None:
                with pytest.raises(CouldNotLook) as why:
                    host.run(f"sleep {LONG_S} | sleep {LONG_S}")
                told.append(str(why.value))

            looking = threading.Thread(target=look)
            looking.start()
            await_sleep(LONG_S)
            freezer.is_frozen.set()
            began = time.monotonic()
            looking.join()
            assert time.monotonic() - began < 10
            assert told and told[0].startswith("host app: ")
            assert not sleeping(LONG_S)  # the server does not know that the link is dead; the command knows its time
            assert "host app: " in why_not(host)


@dataclass
class Run:
    """A whole pytest process against an environment of hosts, with a short temporary folder of its own."""

    folder: Path
    temporary: Path
    told: str = ""

    def write(self, hosts: dict[str, str], criteria: str = CRITERIA) -> None:
        """The environment: connection and options of each host, and criteria for each (NAME)."""
        (self.folder / "ready.txt").write_text("ready\n")
        text = criteria.replace("FILE", str(self.folder / "ready.txt"))
        (self.folder / "criteria.yaml").write_text("".join(text.replace("NAME", name) for name in hosts))
        lines = "".join(f"  {name}: {{{keys}}}\n" for name, keys in hosts.items())
        (self.folder / "shop.yaml").write_text(f"system: shop\nhosts:\n{lines}criteria: [criteria.yaml]\n")

    def command(self, *arguments: str) -> list[str]:
        options = [f"--env={self.folder / 'shop.yaml'}", f"--output={self.folder / 'out'}"]
        return [sys.executable, "-m", "pytest", *options, "-q", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "TMPDIR": str(self.temporary)}

    @property
    def left_behind(self) -> list[str]:
        """Folders of connections that are still there, and processes that hold one open."""
        said = subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True).stdout
        held = [line for line in said.splitlines() if f"ssh: {self.temporary}/" in line]
        return [*held, *(str(folder) for folder in self.temporary.glob("golive-*"))]

    def judged(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """What the criteria came to."""
        command, environment = self.command(*arguments), self.environment
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        self.told = done.stdout + done.stderr
        assert done.returncode in (0, 1), self.told
        return {o["criterion"]: o for o in self.results["outcomes"]}

    @property
    def results(self) -> dict[str, Any]:
        """What the run left in its results file."""
        found: dict[str, Any] = json.loads((self.folder / "out/shop/latest/results.json").read_text())
        return found


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with tempfile.TemporaryDirectory(prefix="gl", dir="/tmp") as temporary:
        yield Run(tmp_path, Path(temporary))


def keys(server: Sshd, name: str = "app", timeout: str = "5 s") -> str:
    return f"connect: 'ssh://{name}', ssh_config: {server.config}, timeout: {timeout}"


def outcomes(found: dict[str, dict[str, Any]], name: str = "app") -> set[str]:
    return {o["outcome"] for criterion, o in found.items() if f".{name}-" in criterion}


def test_a_run_over_ssh_takes_one_connection(run: Run, server: Sshd) -> None:
    run.write({"app": keys(server)})
    found = run.judged()
    assert outcomes(found) == {"pass"} and len(found) == 4
    assert server.accepted() == 1
    cost = run.results["cost"]["app"]
    assert (cost["connections"], cost["commands"]) == (1, 1)  # a visit answers everything
    assert cost["bytes_sent"] > 1000 and cost["bytes_received"] > 1000 and cost["seconds"] > 0
    assert "What watching costs the watched" in (run.folder / "out/shop/latest/report.html").read_text()
    assert run.left_behind == []


def test_workers_share_one_connection(run: Run, server: Sshd) -> None:
    quiet = (
        "- {id: shop.logs.quiet, says: nothing critical, check: logs/no_critical, logs: [app], severity: high}\n"
        "- {id: shop.logs.none, says: no errors, check: logs/error_count, logs: [app], critical: 1, severity: high}\n"
    )
    run.write({"app": keys(server)}, CRITERIA + quiet)
    (run.folder / "app.log").write_text("2026-01-01T00:00:00Z INFO ready\n")
    with (run.folder / "shop.yaml").open("a") as file:
        file.write(f"logs: {{app: {{kind: file, host: app, path: {run.folder}/app.log}}}}\n")
    found = run.judged("-n2")
    assert outcomes(found) == {"pass"} and len(found) == 6
    assert server.accepted() == run.results["cost"]["app"]["connections"] == 1
    assert run.results["cost"]["app"]["commands"] >= 2  # of both workers together
    assert run.left_behind == []


def test_a_host_that_is_cut_off_delays_nobody(run: Run, server: Sshd) -> None:
    with rogue(silent) as port:
        dead = f"connect: 'ssh://127.0.0.1:{port}', timeout: 4 s"
        run.write({"app": keys(server), "dead": dead, "gone": "connect: 'ssh://127.0.0.1:1', timeout: 4 s"})
        found = run.judged()
    # Both were read at once, and none waited for another: each took its own time and no more.
    cost = run.results["cost"]
    assert cost["app"]["seconds"] < 4 < cost["dead"]["seconds"] < 6
    assert cost["gone"]["seconds"] < 2
    begun = [o["started_at"] for o in found.values()]
    waited_s = (datetime.fromisoformat(max(begun)) - datetime.fromisoformat(min(begun))).total_seconds()
    assert waited_s < 8
    assert (outcomes(found), outcomes(found, "dead"), outcomes(found, "gone")) == ({"pass"}, {"unknown"}, {"unknown"})
    assert {o["message"] for name, o in found.items() if "dead" in name} == {
        f"host dead: cannot be reached by ssh://127.0.0.1:{port}: no answer within 4 s"
    }


def test_fifty_hosts_are_read_at_the_same_time(run: Run, tmp_path: Path) -> None:
    with ExitStack() as started:
        hosts: dict[str, str] = {}
        servers: list[Sshd] = []
        for part in range(4):
            names = [f"h{part}{letter}" for letter in "abcdefghijklm"]
            servers.append(started.enter_context(sshd(tmp_path / f"sshd{part}", *names)))
            hosts |= {name: keys(servers[-1], name, "20 s") for name in names}
        run.write(dict(list(hosts.items())[:50]), CRITERIA.splitlines()[1] + "\n")
        found = run.judged()
        assert len(found) == 50 and {o["outcome"] for o in found.values()} == {"pass"}
        assert sum(server.accepted() for server in servers) == 50


def test_an_interrupted_run_leaves_nothing_anywhere(run: Run, server: Sshd) -> None:
    slow = f"says: it waits, check: hosts/command, host: NAME, command: sleep {LONG_S}, timeout: 50 s, severity: low"
    run.write({"app": keys(server, timeout="60 s")}, f"- {{id: shop.a.slow, {slow}}}\n")
    for how in (signal.SIGINT, signal.SIGKILL):
        process = subprocess.Popen(run.command(), cwd=ROOT, env=run.environment, stdout=subprocess.DEVNULL)
        await_sleep(LONG_S)
        process.send_signal(how)
        process.wait(20)
        assert not sleeping(LONG_S)
        if how == signal.SIGINT:
            assert run.left_behind == []


def test_paramiko_reaches_a_host_with_the_same_keys(server: Sshd, tmp_path: Path) -> None:
    given = {"ssh_config": str(server.config), "known_hosts": str(server.known)}
    with host_at("paramiko://app", **given) as host:
        assert host.facts.memory is not None
        assert host.run(r"printf 'a\000\377'; echo problem >&2; exit 4", env={"A": "b"}).stdout_bytes == b"a\0\xff"
        result = host.run("head -c 3000000 /dev/zero; echo problem >&2; exit 4")
        assert (result.exit_code, len(result.stdout_bytes), result.stderr) == (4, 3_000_000, "problem\n")
        with pytest.raises(CouldNotLook, match=r"did not finish within 0\.5 s"):
            host.run(f"sleep {LONG_S} | sleep {LONG_S}", timeout_s=0.5)
        with pytest.raises(CouldNotLook, match="more than 1 MB of output"):
            host.run("yes", max_bytes=1_000_000)
        assert (host.cost.connections, server.accepted()) == (1, 1)
        server.cut()
        time.sleep(0.5)
        assert host.run("echo again").stdout == "again\n"
    assert not sleeping(LONG_S)
    server.known.write_text("")
    with host_at("paramiko://app", **given) as host:
        assert "its host key is not known here" in why_not(host)
    server.known.write_text(f"[127.0.0.1]:{server.port} {server.key.with_suffix('.pub').read_text()}")
    with host_at("paramiko://app", **given) as host:
        assert "host key" in why_not(host)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    (server.folder / "authorized").write_text((tmp_path / "other.pub").read_text())
    server.known.write_text(f"[127.0.0.1]:{server.port} {(server.folder / 'host.pub').read_text()}")
    with host_at("paramiko://app", **given) as host:
        assert "it lets none of our keys in" in why_not(host)


def test_paramiko_gives_up_on_a_server_that_freezes(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    paramiko = pytest.importorskip("paramiko")
    given = {"ssh_config": str(server.config), "known_hosts": str(server.known), "timeout": "1 s"}
    with host_at("paramiko://app", **given) as host:
        assert host.run("echo hi").stdout == "hi\n"
        opened = paramiko.Transport.open_session
        frozen = _below(server.process.pid)

        def open_and_freeze(transport: Any, *arguments: Any, **more: Any) -> Any:
            channel = opened(transport, *arguments, **more)
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            return channel

        monkeypatch.setattr(paramiko.Transport, "open_session", open_and_freeze)
        began = time.monotonic()
        try:
            assert "cannot be reached" in why_not(host)
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        assert time.monotonic() - began < 8


def test_paramiko_gives_up_on_what_does_not_answer() -> None:
    with rogue(silent) as port, host_at(f"paramiko://x@127.0.0.1:{port}", timeout="1 s") as host:
        began = time.monotonic()
        assert why_not(host).startswith("host app: cannot be reached by paramiko://x@127.0.0.1:")
        assert time.monotonic() - began < 4
    with host_at("paramiko://x@127.0.0.1:1") as host:
        assert "cannot be reached by paramiko://x@127.0.0.1:1: " in why_not(host)
