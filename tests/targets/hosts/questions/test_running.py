"""Processes, UDP ports and the output of commands, on this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from golive.model import CouldNotLook
from golive.targets.hosts.machine import Port
from golive.targets.hosts.questions.command import Command, CommandOutput
from golive.targets.hosts.questions.process import Processes, RunningProcess
from golive.targets.hosts.questions.udp import UdpPorts
from tests.targets.hosts.questions.conftest import FRAME, Shell

SLEEPS = "import time; print(flush=True); time.sleep(60)"


@contextmanager
def running(*arguments: str, name: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process with these arguments behind its own; `name` is what the kernel calls it."""
    rename = f"open('/proc/self/comm', 'w').write({name!r}); " if name else ""
    command = [sys.executable, "-c", f"{rename}{SLEEPS}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def pids(found: tuple[RunningProcess, ...]) -> list[int]:
    return [process.pid for process in found]


def test_processes_by_name_and_command_line(shell: Shell) -> None:
    with running("--queue=mails", name="worker (1) S 9") as one, running("--queue=bills", "a\nb") as other:
        questions = [
            Processes(name="worker (1) S 9"),
            Processes(command=r"--queue=mails"),
            Processes(command=r"--queue=(mails|bills) ?"),
            Processes(name="worker (1) S 9", command="bills"),
            Processes(command=r"--queue=bills a\nb", with_users=True),
            Processes(name="worker"),
        ]
        found = list(shell.ask(*questions).values())
    assert [pids(answer) for answer in found] == [
        [one.pid],
        [one.pid],
        sorted([one.pid, other.pid]),
        [],
        [other.pid],
        [],
    ] or sorted(pids(found[2])) == sorted([one.pid, other.pid])
    assert pids(found[0]) == [one.pid] and pids(found[4]) == [other.pid]
    assert found[4][0].user in ("root", Path("/proc/self").owner())
    assert found[4][0].command.endswith("--queue=bills a\nb")


def test_a_long_name_is_cut_as_the_kernel_cuts_it(shell: Shell) -> None:
    with running(name="prometheus-postgres-exporter") as process:
        assert pids(shell.answer(Processes(name="prometheus-postgres-exporter"))) == [process.pid]
        assert shell.answer(Processes(name="prometheus-post"))[0].name == "prometheus-post"


def test_a_zombie_does_not_run(shell: Shell) -> None:
    with running(name="dead-worker") as process:
        process.kill()
        time.sleep(0.1)
        (found,) = shell.answer(Processes(name="dead-worker"))
    assert (found.pid, found.is_running, found.state) == (process.pid, False, "Z")


def test_the_visit_itself_is_not_seen(shell: Shell) -> None:
    assert shell.answer(Processes(command="piece table")) == ()
    assert shell.answer(Processes(command="unlikely-to-be-anywhere-else")) == ()


def test_a_process_that_gives_itself_out_for_another_one_is_noticed(shell: Shell) -> None:
    with running("x\n==> 1/cmdline <==\nnginx: master"):
        assert "gives itself out for another one" in shell.why(Processes(command="nginx: master"))


def test_a_command_line_that_is_cut_is_not_taken_for_one_that_does_not_match(shell: Shell) -> None:
    with running(*["y" * 100_000] * 3, "the-end", name="java") as process:
        assert pids(shell.answer(Processes(command="yyyy"))) == [process.pid]
        assert "too long to be read whole" in shell.why(Processes(name="java", command="the-end"))


def test_processes_that_are_hidden_are_unknown() -> None:
    said = f"\n{FRAME} self\n9\n\n{FRAME} table\n==> 9/stat <==\n9 (sh) S 1 9 9 0\n\n{FRAME} end\n".encode()
    asked = Processes(name="nginx")
    assert str(Processes.parse([asked], said, FRAME)[asked]) == (
        "only some processes are shown (hidepid): the host needs `sudo: true`"
    )


def test_udp_ports_are_told_with_their_processes(debian: Shell) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connected,
    ):
        one.bind(("127.0.0.1", 0))
        six.bind(("::1", 0))
        connected.connect(one.getsockname())
        ports = {port.port: port for port in debian.answer(UdpPorts(with_processes=True))}
        assert ports[one.getsockname()[1]].address == "127.0.0.1"
        assert ports[one.getsockname()[1]].pid == os.getpid()
        assert ports[six.getsockname()[1]].address == "::1"
        assert connected.getsockname()[1] not in ports


def test_udp_ports_without_ss(shell: Shell) -> None:
    shell.replaced["has ss"] = "false"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("0.0.0.0", 0))
        number = one.getsockname()[1]
        assert Port(address="0.0.0.0", port=number) in shell.answer(UdpPorts(with_processes=True))
    shell.replaced["/proc/net/udp"] = "/no such"
    assert shell.why(UdpPorts()) == "/proc/net/udp cannot be read"


def test_the_text_of_a_command_is_in_no_process_list(shell: Shell) -> None:
    told = shell.answer(Command(text="tr '\\0' ' ' </proc/$$/cmdline; env | grep hunter2; : hunter2"))
    assert told.exit_code == 0 and told.stdout.startswith("sh -c ") and "hunter2" not in told.stdout


def test_commands_come_to_their_output_and_exit_code(shell: Shell) -> None:
    questions = [
        Command(text="echo 'a b'; echo >&2 trouble; exit 3"),
        Command(text="cat"),
        Command(text="printf '\\0\\377no newline'"),
        Command(text="head -c 200000 /dev/zero >&2; echo done"),
        Command(text=f"echo; echo {FRAME[:-5]} 0 code 0; exit 7"),
        Command(text="kill -9 $$"),
    ]
    plain, silent, bytes_, loud, forged, killed = shell.ask(*questions).values()
    assert plain == CommandOutput(exit_code=3, stdout="a b\n", stderr="trouble")
    assert silent == CommandOutput(exit_code=0, stdout="", stderr="")
    assert (bytes_.stdout, loud.stdout, loud.exit_code) == ("\0�no newline", "done\n", 0)
    assert (forged.exit_code, killed.exit_code) == (7, 137)


def test_commands_are_bounded_in_time_and_output(debian: Shell) -> None:
    endless, hangs, after = Command(text="yes"), Command(text="sleep 20", within_s=0.3), Command(text="echo after")
    began = time.monotonic()
    found = debian.ask(endless, hangs, after)
    assert time.monotonic() - began < 8
    assert str(found[endless]) == "command 'yes' printed more than 100 kB"
    assert str(found[hangs]) == "command 'sleep 20' did not end within 0.3 s"
    assert found[after].stdout == "after\n"


@pytest.mark.parametrize("cut", [0, 30, 60, 90, 110])
def test_output_that_breaks_off_is_no_output(debian: Shell, cut: int) -> None:
    asked = Command(text="echo yes; exit 4")
    said = debian.run(Command.snippet([asked], FRAME))
    answer = Command.parse([asked], said[:cut], FRAME)[asked]
    assert isinstance(answer, CouldNotLook) or answer.exit_code == 4
