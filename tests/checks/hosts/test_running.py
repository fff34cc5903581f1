"""Checks of processes, ports and commands on this machine."""

import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from checks.hosts import command, port, port_reached, process
from golive.model import CouldNotLook, Status
from golive.targets import network
from tests.checks.hosts.conftest import Machine, params
from tests.judged import Judged, written
from tests.shims import says


@contextmanager
def worker(name: str = "queue-worker", *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of this name as the kernel knows it."""
    script = f"import time; open('/proc/self/comm', 'w').write({name!r}); print(flush=True); time.sleep(60)"
    command_line = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command_line, stdout=subprocess.PIPE, start_new_session=True) as started:
        assert started.stdout is not None
        started.stdout.readline()
        try:
            yield started
        finally:
            started.kill()


@pytest.fixture
def stranger(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """This machine, on which the processes of these tests count as its own."""
    monkeypatch.setattr("golive.targets.hosts.facts.own_tree", lambda *_: frozenset())
    return machine


def look_process(machine: Machine, **more: Any) -> Judged:
    check = process.test_process_runs_as_it_should_or_does_not_run
    return machine.look(check, params(process.Params, **more))


def test_a_process_that_runs_and_one_that_does_not(stranger: Machine) -> None:
    me = pwd.getpwuid(0).pw_name
    gone = look_process(stranger, name="queue-worker")
    assert (gone.status, gone.message) == (
        Status.FAIL,
        "queue-worker on host app: 0 processes, at least 1 processes needed",
    )
    assert look_process(stranger, name="queue-worker", running=False).status is Status.PASS
    with worker("queue-worker", "--queue=mails") as one:
        fine = look_process(stranger, name="queue-worker", command=r"--queue=\w+$", user=me, at_most=1)
        assert (fine.status, fine.value("processes")) == (Status.PASS, 1)
        assert f"({one.pid} queue-worker of {me})" in fine.message and "--queue=mails" in fine.seen
        assert look_process(stranger, command="--queue=bills").status is Status.FAIL
        there = look_process(stranger, name="queue-worker", running=False)
        assert there.status is Status.FAIL and "1 processes, at most 0 processes needed" in there.message
        stranger_user = look_process(stranger, name="queue-worker", user="www-data")
        assert stranger_user.status is Status.FAIL
        assert f"does not run as www-data: {one.pid} queue-worker of {me}" in stranger_user.message
        with worker():
            twice = look_process(stranger, name="queue-worker", at_most=1)
            assert twice.status is Status.FAIL and "2 processes, at most 1 processes needed" in twice.message


def test_a_zombie_does_not_count(stranger: Machine) -> None:
    with worker("half-dead") as dead:
        dead.kill()
        time.sleep(0.1)
        found = look_process(stranger, name="half-dead")
    assert found.status is Status.FAIL
    assert "0 processes" in found.message and "1 ended but not yet buried" in found.message


def test_a_stopped_process_is_there_and_does_nothing(stranger: Machine) -> None:
    with worker("frozen") as one:
        one.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        found = look_process(stranger, name="frozen", at_most=1)
        there = look_process(stranger, name="frozen", running=False)
    assert (found.status, "0 processes, at least 1" in found.message) == (Status.FAIL, True)
    assert "1 stopped" in found.message and found.value("most processes") == 1
    assert there.status is Status.FAIL


def test_processes_of_the_suite_itself_do_not_count(machine: Machine) -> None:
    with worker():
        assert look_process(machine, name="queue-worker").status is Status.FAIL


def test_processes_that_cannot_be_seen_are_unknown(stranger: Machine) -> None:
    stranger.fake("head", "exit 1")
    assert look_process(stranger, name="queue-worker").status is Status.UNKNOWN
    assert look_process(stranger, name="queue-worker", running=False).status is Status.UNKNOWN


def test_a_process_without_a_wish_is_refused() -> None:
    assert params(process.Params).asserts_nothing() == "neither 'name' nor 'command' says which process is meant"
    assert params(process.Params, name="a", at_least=0).asserts_nothing() == "there are always at least 0"
    assert params(process.Params, name="a", at_least=0, at_most=3).asserts_nothing() is None
    assert params(process.Params, name="a", running=False, user="b").asserts_nothing() is not None
    with pytest.raises(ValueError, match="is no regular expression"):
        params(process.Params, command="(")


@contextmanager
def listening(address: str = "127.0.0.1", kind: str = "STREAM") -> Iterator[int]:
    """Another process that listens on a port of its own."""
    family = "AF_INET6" if ":" in address else "AF_INET"
    listen = "s.listen(); " if kind == "STREAM" else ""
    script = (
        f"import socket, time; s = socket.socket(socket.{family}, socket.SOCK_{kind}); s.bind(({address!r}, 0)); "
        f"{listen}print(s.getsockname()[1], flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def look_port(machine: Machine, number: int, **more: Any) -> Judged:
    check = port.test_port_is_listened_on_as_it_should_be_or_not_at_all
    return machine.look(check, params(port.Params, port=number, **more))


@pytest.mark.parametrize(("protocol", "kind"), [("tcp", "STREAM"), ("udp", "DGRAM")])
def test_a_port_on_the_loopback(machine: Machine, protocol: str, kind: str) -> None:
    own = subprocess.run(["cat", "/proc/self/comm"], capture_output=True, text=True, check=True).stdout.strip()
    with listening(kind=kind) as number:
        wish = {"addresses": ["127.0.0.1"], "loopback_only": True}
        fine = look_port(machine, number, protocol=protocol, **wish)
        assert fine.status is Status.PASS
        assert f"port {number}/{protocol} of host app is listened on: 127.0.0.1:{number}" in fine.message
        there = look_port(machine, number, protocol=protocol, listening=False)
        assert there.status is Status.FAIL and "is listened on: 127.0.0.1" in there.message
        elsewhere = look_port(machine, number, protocol=protocol, addresses=["0.0.0.0", "127.0.0.1"])
        assert elsewhere.status is Status.FAIL and "0.0.0.0, 127.0.0.1 needed" in elsewhere.message
        assert (
            look_port(machine, number, protocol=protocol, listening=False, addresses=["10.0.0.1"]).status is Status.PASS
        )
        other = look_port(machine, number, protocol=protocol, process=f"not-{own}")
        assert other.status is Status.FAIL and f"not-{own} needed" in other.message
        name = other.message.partition("(")[2].partition(")")[0]
        assert look_port(machine, number, protocol=protocol, process=name).status is Status.PASS
    gone = look_port(machine, number, protocol=protocol)
    assert (gone.status, gone.message) == (Status.FAIL, f"port {number}/{protocol} of host app is not listened on")
    assert look_port(machine, number, protocol=protocol, listening=False).status is Status.PASS


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_a_port_on_every_address_is_not_only_for_the_host_itself(machine: Machine, address: str) -> None:
    with listening(address) as number:
        assert look_port(machine, number, addresses=address).status is Status.PASS
        found = look_port(machine, number, loopback_only=True)
    assert found.status is Status.FAIL
    assert "is listened on for others than the host itself" in found.message


def test_a_port_on_every_address_listens_on_each_of_them(machine: Machine) -> None:
    with listening("0.0.0.0") as number:
        found = look_port(machine, number, listening=False, addresses="10.0.0.1")
        assert (found.status, f"is listened on: 0.0.0.0:{number}" in found.message) == (Status.FAIL, True)
        assert look_port(machine, number, listening=False, addresses="fd00::1").status is Status.PASS
    with listening("::") as number:
        for address in ("0.0.0.0", "127.0.0.1", "fd00::1"):
            assert look_port(machine, number, listening=False, addresses=address).status is Status.FAIL


def test_a_process_whose_name_the_kernel_cuts_holds_its_port(machine: Machine) -> None:
    with listening() as number:
        held = f'LISTEN 0 5 127.0.0.1:{number} 0.0.0.0:* users:(("postgres-export",pid=77,fd=3))'
        machine.fake("ss", says(held))
        assert look_port(machine, number, process="postgres-exporter").status is Status.PASS
        assert look_port(machine, number, process="postgres").status is Status.FAIL


def test_who_holds_a_port_is_unknown_where_it_is_not_told(machine: Machine) -> None:
    machine.fake("ss", "exit 1")
    with listening() as number:
        assert look_port(machine, number).status is Status.PASS
        found = look_port(machine, number, process="postgres")
    assert found.status is Status.UNKNOWN
    assert found.message.endswith("which process holds it is not told: that needs `ss` there and `sudo: true`")


def test_ports_that_cannot_be_read_are_unknown(machine: Machine) -> None:
    machine.fake("cat", 'case "$*" in */proc/net/*) exit 1;; *) exec {real} "$@";; esac')
    for protocol in ("tcp", "udp"):
        assert look_port(machine, 1, protocol=protocol).status is Status.UNKNOWN
        assert look_port(machine, 1, protocol=protocol, listening=False).status is Status.UNKNOWN


def test_wishes_of_a_port_that_mean_nothing_are_refused() -> None:
    assert params(port.Params, port=1, addresses="localhost").asserts_nothing() == "'localhost' is no address"
    assert params(port.Params, port=1, listening=False, process="a").asserts_nothing() is not None
    with pytest.raises(ValueError, match="65535"):
        params(port.Params, port=70000)


def look_reached(machine: Machine, number: int, **more: Any) -> Judged:
    return machine.look(
        port_reached.test_port_is_reached_from_here_or_is_not, params(port_reached.Params, port=number, **more)
    )


@contextmanager
def silent() -> Iterator[int]:
    """A port that answers nobody: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        held = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            held.append(one)
        yield address[1]
        for one in held:
            one.close()


def test_open_refused_and_filtered_are_told_apart(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        assert look_reached(machine, number, expect="open").status is Status.PASS
        for expected in ("refused", "filtered", "closed"):
            found = look_reached(machine, number, expect=expected)
            told = f"port {number} of host app (127.0.0.1) is open from here, {expected} needed"
            assert (found.status, found.message) == (Status.FAIL, told)
    for expected in ("refused", "closed"):
        assert look_reached(machine, number, expect=expected).status is Status.PASS
    found = look_reached(machine, number, expect="open")
    assert (found.status, "is refused from here, open needed" in found.message) == (Status.FAIL, True)


def test_silence_is_a_filter_only_where_the_host_answers_otherwise(machine: Machine) -> None:
    with silent() as number, socket.create_server(("127.0.0.1", 0)) as server:
        control = server.getsockname()[1]
        fine = look_reached(machine, number, expect="filtered", control_port=control, timeout="200 ms")
        assert (fine.status, fine.message) == (
            Status.PASS,
            f"port {number} of host app (127.0.0.1) is filtered from here",
        )
        assert look_reached(machine, number, expect="open", timeout="200 ms").status is Status.FAIL
        alone = look_reached(machine, number, expect="closed", timeout="200 ms")
        assert (alone.status, "no 'control_port' shows" in alone.message) == (Status.UNKNOWN, True)
        dead = look_reached(machine, number, expect="closed", control_port=number, timeout="200 ms")
        assert dead.status is Status.UNKNOWN
        assert dead.message == f"host app: 127.0.0.1 does not answer on its port {number} either"


def test_an_address_that_is_not_known_is_unknown(machine: Machine) -> None:
    found = look_reached(machine, 1, expect="closed", address="no.such.invalid")
    assert (found.status, found.message) == (Status.UNKNOWN, "the name no.such.invalid is not known here")


@pytest.mark.parametrize(
    ("connect", "address"),
    [
        ("ssh://deploy@db.example:2222", ("db.example", 2222)),
        ("ssh://db.example", ("db.example", 22)),
        ("ssh://deploy@[::1]:2200", ("::1", 2200)),
        ("paramiko://deploy@db.example", ("db.example", 22)),
        ("local://", ("127.0.0.1", None)),
    ],
)
def test_where_a_host_is_reached(connect: str, address: tuple[str, int | None]) -> None:
    from golive.environment.sections import HostSection

    assert network.address_of_host(written(HostSection, connect=connect)) == address


def test_where_a_host_is_reached_by_the_configuration_of_ssh(machine: Machine) -> None:
    from golive.environment.sections import HostSection

    config = machine.folder / "config"
    config.write_text("Host db\n  HostName 10.0.0.7\n  Port 2022\n")
    section = written(HostSection, connect="ssh://db", ssh_config=str(config))
    assert network.address_of_host(section) == ("10.0.0.7", 2022)
    with pytest.raises(CouldNotLook, match="does not tell its address: write it as 'address'"):
        network.address_of_host(written(HostSection, connect="docker://shop"))


def look_command(machine: Machine, text: str, **more: Any) -> Judged:
    return machine.look(command.test_command_comes_to_what_it_should, params(command.Params, command=text, **more))


def test_a_command_that_comes_to_what_it_should(machine: Machine) -> None:
    text = "echo 'state: clean'; echo 'free: 12.5 GB'"
    wish = {"contains": "clean", "contains_not": ["degraded"], "matches": "^state: (clean|active)$"}
    found = look_command(machine, text, number=r"free: ([\d.]+)", unit="GB", at_least=10, at_most=20, **wish)
    assert (found.status, found.value("number"), found.value("least number")) == (Status.PASS, 12.5, 12.5)
    assert "free: 12.5 GB" in found.seen
    assert look_command(machine, "echo trouble >&2; exit 3", exit_code=3).status is Status.PASS
    assert look_command(machine, "echo -5", at_most=-1).status is Status.PASS


@pytest.mark.parametrize(
    ("text", "wish", "told"),
    [
        ("echo no disk >&2; exit 2", {}, "on host app ended with exit code 2, 0 needed: no disk"),
        ("true", {"exit_code": 1}, "ended with exit code 0, 1 needed"),
        ("echo degraded", {"contains": "clean"}, "does not print 'clean'"),
        ("echo degraded", {"contains_not": "degraded"}, "prints 'degraded'"),
        ("echo degraded", {"matches": "^clean"}, "prints nothing that matches '^clean'"),
        ("echo 7 of 9", {"at_least": 8, "unit": "disks"}, "7 disks, at least 8 disks needed"),
        ("echo 7 of 9", {"at_most": 6}, "7, at most 6 needed"),
        ("exit 3", {"exit_code": None, "contains": "a"}, "does not print 'a'"),
    ],
)
def test_a_command_that_does_not(machine: Machine, text: str, wish: dict[str, Any], told: str) -> None:
    found = look_command(machine, text, **wish)
    assert found.status is Status.FAIL
    assert told in found.message


def test_a_number_between_warning_and_limit_warns(machine: Machine) -> None:
    assert look_command(machine, "echo 7", warning=5, at_most=9).status is Status.WARN
    assert look_command(machine, "echo 7", warning=8, at_least=5).status is Status.WARN
    assert look_command(machine, "echo 7", warning=8, at_most=9).status is Status.PASS


@pytest.mark.parametrize(
    ("text", "wish", "told"),
    [
        ("no-such-tool --status", {}, "cannot be run there (exit code 127"),
        ("sleep 20", {"timeout": "200 ms"}, "did not end within 0.2 s"),
        ("yes", {}, "printed more than 100 kB"),
        ("echo none", {"at_least": 3}, "prints no number (none)"),
        ("echo 1e999", {"at_least": 3, "number": "(.*)"}, "prints no number"),
    ],
)
def test_a_command_that_cannot_be_judged_is_unknown(
    machine: Machine, text: str, wish: dict[str, Any], told: str
) -> None:
    found = look_command(machine, text, **wish)
    assert found.status is Status.UNKNOWN
    assert told in found.message


def test_a_command_leaves_nothing_behind(machine: Machine) -> None:
    assert look_command(machine, "sleep 4711 & sleep 4712", timeout="200 ms").status is Status.UNKNOWN
    for _ in range(30):
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
        if not {"sleep 4711", "sleep 4712"} & set(listed):
            break
        time.sleep(0.1)
    assert not {"sleep 4711", "sleep 4712"} & set(listed)


def test_hostile_output_is_shown_as_plain_text(machine: Machine) -> None:
    machine.fake("raid", says("\x1b[2J\x1b]0;owned\x07<script>alert(1)</script>"))
    found = look_command(machine, "raid >&2; exit 1")
    assert found.status is Status.FAIL
    assert "\x1b" not in found.message and "\x07" not in found.message


def test_commands_without_a_wish_are_refused() -> None:
    assert params(command.Params, command="x", exit_code=None).asserts_nothing() is not None
    assert params(command.Params, command="x", number="a", at_least=1).asserts_nothing() == (
        "'number' has no group: put what is the number into parentheses, as in 'free: (a)'"
    )
    assert params(command.Params, command="x").asserts_nothing() is None


def test_names_are_looked_up_here_within_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "127.0.0.1" in network.addresses_of("localhost", within_s=3)
    waiting = threading.Event()
    monkeypatch.setattr("golive.targets.network.socket.getaddrinfo", lambda *_: waiting.wait(5) and [])
    with pytest.raises(CouldNotLook, match=r"a\.example cannot be looked up here: no answer within 0\.1 s"):
        network.addresses_of("a.example", within_s=0.1)
    waiting.set()


def test_a_name_server_that_fails_is_not_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(code: int) -> Any:
        def look(*_: Any) -> None:
            raise socket.gaierror(code, "Temporary failure in name resolution")

        return look

    monkeypatch.setattr("golive.targets.network.socket.getaddrinfo", failing(socket.EAI_AGAIN))
    with pytest.raises(CouldNotLook, match="temporary failure"):
        network.addresses_of("a.example", within_s=1)
    monkeypatch.setattr("golive.targets.network.socket.getaddrinfo", failing(socket.EAI_NONAME))
    assert network.addresses_of("a.example", within_s=1) == ()
