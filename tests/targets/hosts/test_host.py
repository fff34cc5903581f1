"""Reaching a host: locally, over ssh, and not at all."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from golive.environment.sections import HostSection
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from tests.shims import local_host, shim

# Does what ssh does as far as a command goes: the last argument is run by a shell.
SSH_DOUBLE = 'echo "$@" >> {log}\neval "last=\\${{$#}}"\nexec sh -c "$last"'


def section(**more: Any) -> HostSection:
    return HostSection.model_validate({"connect": "local://", "cpu_window": "50 ms", **more})


def test_a_command_runs_and_its_exit_code_is_a_result() -> None:
    result = local_host().run("echo out; echo err >&2; exit 7")
    assert (result.exit_code, result.stdout, result.stderr) == (7, "out\n", "err\n")


def test_bytes_come_back_as_they_are() -> None:
    assert local_host().run(r"printf 'a\000\377\n'").stdout_bytes == b"a\x00\xff\n"


def test_folders_of_path_come_first(tmp_path: Path) -> None:
    shim(tmp_path / "b in", "df", "echo shim")
    assert local_host(tmp_path / "b in").run("df").stdout == "shim\n"


def test_a_command_that_takes_too_long_is_ended_and_told() -> None:
    began = time.monotonic()
    with pytest.raises(CouldNotLook, match=r"^host app: a command did not finish within 0\.3 s$"):
        local_host().run("sleep 60", timeout_s=0.3)
    assert time.monotonic() - began < 2


def test_endless_output_is_told() -> None:
    with pytest.raises(CouldNotLook, match="more than 1 MB of output"):
        local_host().run("yes", max_bytes=1_000_000)


def test_an_exit_code_of_timeout_alone_is_a_result() -> None:
    assert local_host().run("exit 124").exit_code == 124


def test_environment_is_in_no_argument_list() -> None:
    secret = "p w'\"$`x"
    result = local_host().run('printf %s "$PGPASSWORD"; ps -ww -eo args >&2', env={"PGPASSWORD": secret})
    assert result.stdout == secret
    assert "ps -ww" in result.stderr
    assert secret not in result.stderr and "p w'" not in result.stderr


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no name of an environment variable"):
        local_host().run("true", env={"A; rm -rf /": "x"})


def test_ssh_to_a_closed_port_is_could_not_look() -> None:
    host = Host("web", section(connect="ssh://nobody@127.0.0.1:1", timeout="2 s"))
    try:
        with pytest.raises(
            CouldNotLook, match=r"^host web: cannot be reached by ssh://nobody@127\.0\.0\.1:1: .*refused"
        ):
            host.run("true")
        with pytest.raises(CouldNotLook, match="host web: cannot be reached"):
            _ = host.facts
    finally:
        host.close()


def test_ssh_shares_one_connection_and_asks_no_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim(tmp_path / "bin", "ssh", SSH_DOUBLE.format(log=tmp_path / "log"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    host = Host("web", section(connect="ssh://deploy@shop.example:2222", identity_file="/keys/id", timeout="7 s"))
    result = host.run('printf %s "$TOKEN"; exit 5', env={"TOKEN": "se cret"})
    assert (result.exit_code, result.stdout) == (5, "se cret")
    asked = (tmp_path / "log").read_text()
    for words in ("BatchMode=yes", "ConnectTimeout=7", "ControlMaster=auto", "User=deploy", "Port=2222", "-i /keys/id"):
        assert words in asked
    assert "se cret" not in asked
    control = asked.partition("ControlPath=")[2].partition("/%C")[0]
    assert Path(control).stat().st_mode & 0o077 == 0
    assert len(control) < 60  # a socket's path may have a hundred characters, ssh adds forty of its own
    host.close()
    assert not Path(control).exists()


def test_a_banner_before_the_answer_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim(tmp_path / "bin", "ssh", "echo 'Welcome!'\n" + SSH_DOUBLE.format(log=tmp_path / "log"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert Host("web", section(connect="ssh://shop.example")).run("echo hi").stdout == "hi\n"


def test_a_shell_that_is_never_reached_is_could_not_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim(tmp_path / "bin", "docker", "echo 'Error: No such container: shop' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with pytest.raises(
        CouldNotLook, match=r"^host web: cannot be reached by docker://shop: Error: No such container: shop$"
    ):
        Host("web", section(connect="docker://shop")).run("true")


def test_docker_is_given_standard_input_when_there_is_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim(tmp_path / "bin", "docker", SSH_DOUBLE.format(log=tmp_path / "log"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    host = Host("web", section(connect="docker://shop"))
    assert host.run('printf %s "$A"', env={"A": "b"}).stdout == "b"
    assert (tmp_path / "log").read_text().startswith("exec -i shop ")


def test_a_program_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CouldNotLook, match=r"^host web: `kubectl` is not installed here, and kubectl:// needs it$"):
        Host("web", section(connect="kubectl://pod")).run("true")


def test_an_unknown_way_is_could_not_look() -> None:
    with pytest.raises(CouldNotLook, match=r"^host web: smoke://x cannot be opened: "):
        Host("web", section(connect="smoke://x")).run("true")


def test_the_probe_runs_once_and_within_its_time() -> None:
    host = local_host(window="300 ms")
    host.begin()
    began = time.monotonic()
    facts = host.facts
    assert time.monotonic() - began < 3
    assert host.facts is facts
    assert facts.problems.keys() <= {"failed_units", "own_cpu"}
    assert facts.memory is not None and facts.memory.total_bytes > 0
    assert facts.clock is not None and abs(facts.clock.offset_s) <= facts.clock.uncertainty_s + 0.05
    assert os.getpid() in facts.processes and os.getpid() in facts.own_pids
    started = facts.processes[os.getpid()].started_at
    assert started is not None and 0 <= time.time() - started.timestamp() < 36_000
    assert {"/"} <= {f.mount for f in facts.file_systems or ()}


def test_own_processes_are_not_counted_against_the_host() -> None:
    host = local_host(window="500 ms")
    host.begin()
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        sum(range(1000))
    own = host.facts.own_cpu_percent
    assert own is not None and host.facts.cpu_count is not None
    assert own > 60 / host.facts.cpu_count


def test_a_part_that_hangs_is_given_up_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "golive.targets.hosts.probe._STILL", "part df limit 0.3 df -P -B1\npart load quiet cat /proc/loadavg\n"
    )
    shim(tmp_path / "bin", "df", "sleep 60")
    facts = local_host(tmp_path / "bin").facts
    assert facts.file_systems is None and facts.load is not None
    with pytest.raises(CouldNotLook, match="host app: file systems could not be read"):
        facts.need(facts.file_systems, "file_systems")
