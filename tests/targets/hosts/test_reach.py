"""Ways to a host: what is run here to get there, and hosts that are not there, ask back, or talk nonsense."""

from __future__ import annotations

import getpass
import json
import os
import shlex
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from golive.environment.sections import HostSection
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from tests.rogues import rogue, silent
from tests.shims import says, shim

# Does what ssh and docker do as far as a command goes: the last argument is run by a shell.
DOUBLE = 'echo "$@" >> {log}\ncase " $* " in *" -N "*) exit 0 ;; esac\neval "last=\\${{$#}}"\nexec sh -c "$last"'


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose commands come before those of this machine."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return tmp_path / "bin"


def section(**more: Any) -> HostSection:
    return HostSection.model_validate({"connect": "local://", "cpu_window": "50 ms", **more})


def asked(log: Path) -> list[list[str]]:
    """The arguments of each call of a double."""
    return [shlex.split(line) for line in log.read_text().splitlines() if line]


def test_ssh_asks_nobody_and_shares_one_private_connection(bin_: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    shim(bin_, "ssh", DOUBLE.format(log=log))
    given = {"identity_file": "~/id", "ssh_config": "/c", "known_hosts": "/k h", "timeout": "9 s"}
    host = Host("web", section(connect="ssh://deploy@shop.example:2222", **given))
    result = host.run('printf %s "$TOKEN"; exit 5', env={"TOKEN": "se cret"})
    assert (result.exit_code, result.stdout) == (5, "se cret")
    said = log.read_text()
    for words in ("BatchMode=yes", "ConnectTimeout=9", "ServerAliveInterval=3", "ForwardAgent=no", "-l deploy -p 2222"):
        assert said.count(words) == 2  # for the connection, and for the command within it
    for words in (f"-i {Path.home()}/id", "-F /c", 'UserKnownHostsFile="/k h"', "StrictHostKeyChecking=yes"):
        assert words in said
    assert "ControlMaster=yes" in said.splitlines()[0]
    assert "se cret" not in said
    control = said.partition('ControlPath="')[2].partition('"')[0]
    assert Path(control).parent.stat().st_mode & 0o077 == 0
    assert len(control) < 70  # a socket's path may have a hundred characters, ssh adds some of its own
    host.close()
    assert not Path(control).parent.exists()


def test_a_jump_host_is_reached_with_the_same_key_and_asks_nobody(bin_: Path, tmp_path: Path) -> None:
    shim(bin_, "ssh", DOUBLE.format(log=tmp_path / "log"))
    given = {"identity_file": "/keys/my id", "jump": "a.example,ops@b.example:2200"}
    Host("web", section(connect="ssh://shop.example", **given)).run("true")
    command = shlex.split((tmp_path / "log").read_text().partition("ProxyCommand=")[2].partition(" -o Control")[0])
    assert command[:3] == ["ssh", "-i", "/keys/my id"]
    assert "BatchMode=yes" in command and "UpdateHostKeys=no" in command
    assert command[-10:] == ["-J", "a.example", "-l", "ops", "-p", "2200", "-W", "[%h]:%p", "--", "b.example"]


def test_greetings_around_the_answer_do_no_harm(bin_: Path) -> None:
    noise = 'echo "Welcome! \033[31m"; printf "no end of line"'
    shim(bin_, "docker", f'{noise}\neval "last=\\${{$#}}"\nsh -c "$last"\necho goodbye; exit 3')
    result = Host("web", section(connect="docker://shop")).run("echo hi; exit 4")
    assert (result.stdout, result.exit_code) == ("hi\n", 4)


@pytest.mark.parametrize(
    ("connect", "begins"),
    [
        ("docker://root@shop", "exec --interactive --user root shop /bin/sh -c exec /bin/sh -c "),
        ("podman://shop", "exec --interactive shop /bin/sh -c exec /bin/sh -c "),
        (
            "kubectl://api-0?namespace=shop&container=api&context=prod&kubeconfig=/k",
            "--kubeconfig=/k --context=prod --namespace=shop exec --stdin --container=api api-0 -- /bin/sh -c exec ",
        ),
    ],
)
def test_containers_are_entered_by_their_own_program(connect: str, begins: str, bin_: Path, tmp_path: Path) -> None:
    program = connect.partition(":")[0]
    shim(bin_, program, DOUBLE.format(log=tmp_path / "log"))
    assert Host("web", section(connect=connect)).run('printf %s "$A"', env={"A": "b"}).stdout == "b"
    assert (tmp_path / "log").read_text().startswith(begins)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            "echo 'Error: No such container: shop' >&2; exit 1",
            "cannot be reached by docker://shop: Error: No such container: shop",
        ),
        ("exit 7", "cannot be reached by docker://shop: exit code 7"),
        ("exit 0", "it does not run the command that it is sent: it said nothing"),
        (
            says("\033[2J<script>alert(1)</script>"),
            "it does not run the command that it is sent: <script>alert(1)</script>",
        ),
        ("echo 'golive-0123456789abcdef begin'; echo hi", "it does not run the command that it is sent: hi"),
        ("sleep 60", "no answer within 0.5 s"),
        ("exec yes", "more than 1 MB of output, which is not read"),
        ("head -c 900000 /dev/urandom", "it does not run the command that it is sent: "),
    ],
)
def test_a_host_that_answers_otherwise_is_could_not_look(script: str, why: str, bin_: Path) -> None:
    shim(bin_, "docker", script)
    host = Host("web", section(connect="docker://shop"))
    began = time.monotonic()
    with pytest.raises(CouldNotLook) as told:
        host.run("true", timeout_s=0.5, max_bytes=1_000_000)
    assert str(told.value).startswith(f"host web: {why}")
    assert "\033" not in str(told.value)
    assert time.monotonic() - began < 6


def test_a_connection_that_breaks_in_the_middle_is_could_not_look(bin_: Path) -> None:
    shim(bin_, "docker", 'eval "last=\\${$#}"\nsh -c "$last" | head -c 60; echo "lost it" >&2; exit 255')
    with pytest.raises(CouldNotLook, match=r"^host web: the connection broke off: lost it$"):
        Host("web", section(connect="docker://shop")).run("head -c 5000 /dev/zero; sleep 1")


def test_a_program_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CouldNotLook, match=r"kubectl://pod: `kubectl` is not installed here, and kubectl:// needs it$"):
        Host("web", section(connect="kubectl://pod")).run("true")


def test_a_closed_port_is_could_not_look_and_not_knocked_at_again() -> None:
    host = Host("web", section(connect="ssh://nobody@127.0.0.1:1", timeout="2 s"))
    with pytest.raises(CouldNotLook, match=r"^host web: cannot be reached by ssh://nobody@127\.0\.0\.1:1: .*refused"):
        host.run("true")
    began = time.monotonic()
    with pytest.raises(CouldNotLook, match="host web: cannot be reached"):
        _ = host.facts
    assert time.monotonic() - began < 0.1
    assert (host.cost.commands, host.cost.connections) == (0, 0)
    host.close()


def test_threads_that_ask_at_once_wait_for_one_attempt_only() -> None:
    with rogue(silent) as port:
        host = Host("web", section(connect=f"ssh://nobody@127.0.0.1:{port}", timeout="1 s"))
        told: list[str] = []

        def ask() -> None:
            with pytest.raises(CouldNotLook) as why:
                host.run("true")
            told.append(str(why.value))

        began = time.monotonic()
        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 2.5
        assert len(told) == 5 and len(set(told)) == 1
        host.close()


@pytest.mark.parametrize(
    ("sudo", "script", "why"),
    [
        (True, "echo 'sh: 1: exec: sudo: not found' >&2; exit 127", "sudo is not installed there"),
        (
            True,
            "echo 'sudo: a password is required' >&2; exit 1",
            "sudo wants a password there, and none is ever sent: allow /bin/sh as root with NOPASSWD",
        ),
        (
            "app",
            "echo 'sudo: a terminal is required to read the password' >&2; exit 1",
            "sudo wants a password there, and none is ever sent: allow /bin/sh as app with NOPASSWD",
        ),
        (
            "app",
            "echo 'sudo: unknown user app' >&2; exit 1",
            "sudo refuses there to run /bin/sh as app: sudo: unknown user app",
        ),
    ],
)
def test_sudo_that_does_not_work_is_could_not_look(bin_: Path, sudo: object, script: str, why: str) -> None:
    shim(bin_, "sudo", script)
    with pytest.raises(CouldNotLook) as told:
        Host("web", section(sudo=sudo)).run("true")
    assert str(told.value) == f"host web: {why}"


def test_sudo_looks_as_whom_it_is_told_and_never_asks(bin_: Path, tmp_path: Path) -> None:
    shim(bin_, "sudo", f'printf "%s\\n" "$*" >> {tmp_path}/log; while [ "$1" != -- ]; do shift; done; shift; exec "$@"')
    assert Host("web", section(sudo=True)).run("echo $0").stdout == "/bin/sh\n"
    assert Host("web", section(sudo="app user")).run("exit 3").exit_code == 3
    first, second = (line.partition(" -c ")[0] for line in (tmp_path / "log").read_text().splitlines())
    assert (first, second) == ("-n -- /bin/sh", "-n -u app user -- /bin/sh")


def inventory(bin_: Path, tmp_path: Path, **variables: object) -> Host:
    """A host that an inventory describes so; ssh, docker and podman are doubles."""
    shim(bin_, "ansible-inventory", f'echo "$@" > {tmp_path}/inventory-log\n' + says(json.dumps(variables)))
    for program in ("ssh", "docker", "podman"):
        shim(bin_, program, f"echo {program} >> {tmp_path}/log\n" + DOUBLE.format(log=tmp_path / "log"))
    return Host("web", section(connect="ansible://web-1?ansible_inventory=/inv"))


def test_ansible_is_asked_how_a_host_is_reached(bin_: Path, tmp_path: Path) -> None:
    told = {"ansible_host": "10.0.0.7", "ansible_user": "ops", "ansible_port": 2022, "ansible_private_key_file": "/k"}
    common = "-o ProxyJump=bastion -o ControlPath=/elsewhere"
    host = inventory(bin_, tmp_path, **told, ansible_ssh_common_args=common, ansible_become=True)
    shim(bin_, "sudo", 'shift 2; exec "$@"')
    assert host.run("echo hi").stdout == "hi\n"
    said = (tmp_path / "log").read_text()
    assert (tmp_path / "inventory-log").read_text() == "--host web-1 -i /inv\n"
    assert "-l ops -p 2022" in said and "-i /k" in said and "-- 10.0.0.7" in said and "exec sudo -n -- /bin/sh" in said
    assert said.index("ControlPath=") < said.index("ProxyJump=bastion") < said.index("/elsewhere")  # the first counts
    host.close()


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"ansible_connection": "winrm"}, "ansible_connection 'winrm' is not known here: docker, "),
        ({"ansible_host": "-oProxyCommand=evil"}, "'-oProxyCommand=evil' is no name of a host"),
        (
            {"ansible_user": "{{ lookup('x') }}"},
            "the inventory's ansible_user is a template, which only",
        ),
        ({"ansible_port": "ssh"}, "the inventory's ansible_port is 'ssh'"),
        (
            {"ansible_become": "yes", "ansible_become_method": "su"},
            "ansible_become_method 'su' is not known here",
        ),
        ({"ansible_ssh_extra_args": "-o 'x"}, "the inventory's ansible_ssh_extra_args cannot be taken apart"),
    ],
)
def test_an_inventory_that_does_not_say_is_could_not_look(
    bin_: Path, tmp_path: Path, variables: dict[str, object], why: str
) -> None:
    with pytest.raises(CouldNotLook) as told:
        inventory(bin_, tmp_path, **variables).run("true")
    assert str(told.value).startswith(f"host web: cannot be reached by ansible://web-1?ansible_inventory=/inv: {why}")


def test_an_inventory_may_lead_into_a_container_or_stay_here(bin_: Path, tmp_path: Path) -> None:
    entered = inventory(bin_, tmp_path, ansible_connection="community.docker.docker", ansible_host="shop")
    assert entered.run("echo in").stdout == "in\n"
    assert (tmp_path / "log").read_text().startswith("docker\nexec --interactive shop ")
    assert inventory(bin_, tmp_path, ansible_connection="local").run("echo here").stdout == "here\n"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'ERROR! no host' >&2; exit 1", "ansible-inventory: ERROR! no host"),
        ("echo '<html>'", "ansible-inventory prints no JSON"),
        ("sleep 60", "ansible-inventory does not come to an end"),
    ],
)
def test_an_inventory_that_fails_is_could_not_look(bin_: Path, script: str, why: str) -> None:
    shim(bin_, "ansible-inventory", script)
    with pytest.raises(CouldNotLook) as told:
        Host("web", section(connect="ansible://web-1", timeout="500 ms")).run("true")
    assert str(told.value) == f"host web: cannot be reached by ansible://web-1: {why}"


def test_paramiko_that_is_not_installed_is_could_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paramiko", None)
    with pytest.raises(CouldNotLook, match=r"the library `paramiko` is not installed here, and paramiko:// needs it$"):
        Host("web", section(connect="paramiko://shop")).run("true")


def test_testinfra_goes_over_the_same_connection() -> None:
    host = Host("app", section())
    infra = host.testinfra
    assert infra.file("/etc/passwd").exists and not infra.file("/nowhere").exists
    assert infra.check_output("printf %s", getpass.getuser()) == getpass.getuser()
    assert infra.run("exit 3").rc == 3
    assert host.cost.commands > 3


def test_testinfra_is_bounded_like_everything_else(bin_: Path) -> None:
    shim(bin_, "sudo", 'printf "%s\\n" "$*" >&2; exit 1')
    host = Host("app", section(timeout="300 ms"))
    with pytest.raises(CouldNotLook, match=r"^host app: a command did not finish within 0\.3 s$"):
        host.testinfra.run("sleep 60")
    with host.testinfra.sudo():
        assert host.testinfra.run("true").stderr == "-n /bin/sh -c true\n"


def test_what_a_host_costs_is_counted() -> None:
    host = Host("app", section())
    assert host.cost.commands == 0
    host.run("head -c 5000 /dev/zero; echo error >&2")
    cost = host.cost
    assert (cost.connections, cost.commands) == (0, 1)  # nothing is connected to on this machine
    assert 5006 < cost.bytes_received < 5200
    assert 500 < cost.bytes_sent < 3000
    assert 0 < cost.seconds < 5
    assert (cost + cost).as_data()["commands"] == 2
    assert type(cost).from_data(cost.as_data()).bytes_sent == cost.bytes_sent


def test_a_socket_whose_server_died_is_not_taken_for_a_connection(tmp_path: Path) -> None:
    from golive.targets.hosts.reach.connections import end_all, is_open, make_folder

    folder = make_folder()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "a.sock"))
        server.listen()
        assert is_open(folder / "a.sock")
    assert not is_open(folder / "a.sock") and (folder / "a.sock").exists()
    end_all(folder)
    assert not folder.exists()
