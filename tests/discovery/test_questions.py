"""What discovery asks, of this machine and of stand-ins for its commands; and rubbish for an answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive.discovery.questions import Survey, rows
from golive.discovery.questions.certificates import CertificateFiles
from golive.discovery.questions.containers import ComposeFile, Container, Containers, Declared, Published
from golive.discovery.questions.log_files import LogFile, LogFiles
from golive.discovery.questions.logins import Group, Groups, Login, Logins
from golive.discovery.questions.packages import Package, Packages
from golive.discovery.questions.schedules import CronTables
from golive.discovery.questions.supervisors import Supervisor, Supervisors
from golive.discovery.questions.units import Unit, Units
from golive.model import CouldNotLook
from tests.shims import local_host, says, shim
from tests.supervised import supervised

FRAME = "golive-1234-part"
ALL: list[Survey[Any]] = [
    Units(), Supervisors(), LogFiles(), CertificateFiles(), Logins(), Groups(), CronTables(), Packages(), Containers(),
    ComposeFile(path="/srv/shop"),
]  # fmt: skip
MARKER = "hunter2-planted-9d31"


def told(question: Survey[Any], *lines: str) -> Any:
    said = "".join(f"{FRAME}\t{line}\n" for line in lines).encode()
    return type(question).parse([question], said, FRAME)[question]


@pytest.mark.parametrize("question", ALL, ids=lambda q: type(q).__name__)
def test_text_is_posix_shell(question: Survey[Any]) -> None:
    text = type(question).snippet([question], FRAME)
    for shell in (["dash", "-n"], ["busybox", "sh", "-n"], ["bash", "--posix", "-n"]):
        done = subprocess.run(shell, input=text, text=True, capture_output=True, check=False)
        assert done.stderr == ""


@pytest.mark.parametrize("question", ALL, ids=lambda q: type(q).__name__)
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(said=st.binary(max_size=300))
def test_rubbish_is_survived(question: Survey[Any], said: bytes) -> None:
    for text in (said, FRAME.encode() + b"\t" + said, (f"\n{FRAME}\t".encode()).join(said.split(b"a"))):
        assert question in type(question).parse([question], text, FRAME)


@pytest.mark.parametrize("question", ALL, ids=lambda q: type(q).__name__)
def test_no_answer_is_no_empty_answer(question: Survey[Any]) -> None:
    silent = type(question).parse([question], b"", FRAME)[question]
    assert isinstance(silent, CouldNotLook)
    assert isinstance(told(question, "none\tnot to be had here"), CouldNotLook)
    assert str(told(question, "none\tnot to be had here")) == "not to be had here"


def test_rows_keep_line_ends_in_their_last_field() -> None:
    said = f"noise\n{FRAME}\tfile\ta\nb\n{FRAME}\tend\n".encode()
    assert rows(said, FRAME) == [["file", "a\nb"], ["end"]]


# systemd


def test_units_are_told_in_the_words_of_systemd() -> None:
    found = told(
        Units(),
        "unit\tactive\trunning\tenabled\tsimple\tssh.service",
        "unit\tfailed\tfailed\tenabled\tsimple\tapi.service",
        "unit\tcut",
        "end",
    )
    assert [(u.name, u.is_enabled, u.is_running) for u in found] == [
        ("api.service", True, False),
        ("ssh.service", True, True),
    ]


BLOCKS = """\
Type=simple
Id=api.service
ActiveState=active
SubState=running
UnitFileState=enabled

Id=backup.timer
ActiveState=active
SubState=waiting
UnitFileState=enabled
"""


def test_units_of_a_systemctl_are_read(tmp_path: Path) -> None:
    shim(tmp_path, "systemctl", says(BLOCKS))
    assert local_host(tmp_path).answer(Units()) == (
        Unit(name="api.service", active="active", sub="running", file_state="enabled", type="simple"),
        Unit(name="backup.timer", active="active", sub="waiting", file_state="enabled"),
    )
    shim(tmp_path, "systemctl", "echo 'System has not been booted with systemd' >&2; exit 1")
    with pytest.raises(CouldNotLook, match="systemd does not run there, or does not answer"):
        local_host(tmp_path).answer(Units())


# supervisor


def test_supervisors_are_found_with_their_programs(tmp_path: Path) -> None:
    with supervised(tmp_path / "s", ["api", "worker"]) as running:
        found = local_host(running.bin).answer(Supervisors())
        (one,) = [s for s in found if s.config == str(running.folder / "s.conf")]
    assert one.programs == (("api", "RUNNING"), ("worker", "RUNNING"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user too")
def test_no_program_of_another_user_is_run(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="gl-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        shim(folder, "supervisorctl", f"id > {folder}/ran; echo 'api RUNNING pid 1'")
        (folder / "s.conf").touch()
        # A process that calls itself supervisord: `grep` waits for its standard input.
        words = [f"{folder}/supervisord", "-c", f"{folder}/s.conf"]
        for user in (65534, 0):
            process = subprocess.Popen(words, executable=shutil.which("grep"), stdin=subprocess.PIPE, user=user)
            try:
                found = local_host(tmp_path).answer(Supervisors())
            finally:
                process.kill()
                process.communicate()
            told = [one for one in found if one.config == f"{folder}/s.conf"]
            assert told == ([Supervisor(config=f"{folder}/s.conf", programs=())] if user else [])
            assert not (folder / "ran").exists()


def test_programs_belong_to_the_supervisor_before_them() -> None:
    found = told(
        Supervisors(), "program\tRUNNING\tlost", "supervisor\t\t/a.conf", "program\tRUNNING\tapi",
        "supervisor\t/opt/bin\t/b.conf", "program\tFATAL\tjob",
    )  # fmt: skip
    assert found == (
        Supervisor(config="/a.conf", programs=(("api", "RUNNING"),)),
        Supervisor(config="/b.conf", programs=(("job", "FATAL"),), tools="/opt/bin"),
    )


# log files


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    """A log that this process holds open, and whose lines hold a secret."""
    file = tmp_path / "own app.log"
    with file.open("w") as open_file:
        open_file.write(f'{{"level": "info", "token": "{MARKER}"}}\n' * 3)
        open_file.flush()
        yield file


def test_files_that_are_held_open_are_found_and_nothing_of_their_lines_is_told(written: Path) -> None:
    host = local_host()
    host.ask(LogFiles())
    found = {file.path: file for file in host.answer(LogFiles())}
    one = found[str(written)]
    assert (one.readable, one.is_json, one.size_bytes) == (True, True, written.stat().st_size)
    assert one.process
    said = host.run(LogFiles.snippet([LogFiles()], FRAME)).stdout
    assert str(written) in said
    assert MARKER not in said


def test_text_is_told_from_json() -> None:
    found = told(
        LogFiles(), "file\tyes\t10 1700000000\t{{{{\tapi\t/a.log", "file\tyes\t10 1700000000\t22{2\t\t/b.log",
        "file\tno\t10 1700000000\t\t\t/c.log", "file\tyes\tx y\t\t\t/d.log", "file\tyes\t10 1\t\tapi\t/b.log",
    )  # fmt: skip
    assert [(f.path, f.is_json, f.readable, f.process) for f in found] == [
        ("/a.log", True, True, "api"),
        ("/b.log", False, True, "api"),
        ("/c.log", None, False, ""),
    ]
    assert found[0] == LogFile(
        path="/a.log", size_bytes=10, changed_at=1_700_000_000, readable=True, starts="{{{{", process="api"
    )


# accounts, cron, packages


def test_accounts_with_a_shell_are_found(tmp_path: Path) -> None:
    table = "root:x:0:0:root:/root:/bin/bash\nwww:x:33:33::/:/usr/sbin/nologin\nold:x:1001:1001::/:\nbroken:x"
    shim(tmp_path, "getent", says(table))
    host = local_host(tmp_path)
    assert host.answer(Logins()) == (
        Login(name="root", uid=0, shell="/bin/bash"),
        Login(name="old", uid=1001, shell="/bin/sh"),
    )


def test_groups_that_lead_to_root_are_found(tmp_path: Path) -> None:
    shim(tmp_path, "getent", says("root:x:0:\nsudo:x:27:bea,ann\ndocker:x:99:\nusers:x:100:ann"))
    assert local_host(tmp_path).answer(Groups()) == (
        Group(name="docker", members=()),
        Group(name="sudo", members=("ann", "bea")),
    )


def test_cron_tables_are_counted_and_their_commands_stay_there() -> None:
    host = local_host()
    assert all(table.entries > 0 for table in host.answer(CronTables()))
    said = host.run(CronTables.snippet([CronTables()], FRAME)).stdout
    assert all(line.count("\t") == 3 for line in said.splitlines() if "\ttable\t" in line)


def test_packages_are_named_once() -> None:
    found = told(Packages(), "package\t1.2-3\tnginx", "package\t1.2-3\tnginx", "package\t\tbroken", "end")
    assert found == (Package(name="nginx", version="1.2-3"),)


# certificates


def test_certificates_that_a_command_line_names_are_found(tmp_path: Path) -> None:
    for name, text in (
        ("cert.pem", "-----BEGIN CERTIFICATE-----\n"),
        ("key.pem", "-----BEGIN PRIVATE KEY-----\n"),
        ("roots.pem", "-----BEGIN CERTIFICATE-----\n" * 50),
    ):
        (tmp_path / name).write_text(text)
    arguments = [f"--cert={tmp_path}/cert.pem", f"{tmp_path}/key.pem", f"{tmp_path}/roots.pem", f"--password={MARKER}"]
    process = subprocess.Popen(["/bin/sh", "-c", "sleep 60; :", "server", *arguments], start_new_session=True)
    try:
        host = local_host()
        found = [file.path for file in host.answer(CertificateFiles())]
        said = host.run(CertificateFiles.snippet([CertificateFiles()], FRAME)).stdout
    finally:
        os.killpg(process.pid, 9)
        process.wait()
    assert [path for path in found if path.startswith(str(tmp_path))] == [str(tmp_path / "cert.pem")]
    assert MARKER not in said


# containers


def row(**values: Any) -> str:
    known = {"id": "1a", "name": "/shop_api_1", "image": "shop:1", "status": "running", "exit": 3, "log": "json-file",
             "project": "shop", "service": "api", "oneoff": "False", "folder": "/srv/shop",
             "ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": None,
                       "53/udp": [{"HostIp": "", "HostPort": "53"}]}}  # fmt: skip
    return f"container\tdocker\t{json.dumps({**known, **values})}"


def test_containers_are_read_from_what_was_asked_of_them() -> None:
    (found,) = told(Containers(), "engine\tdocker", row())
    assert found == Container(
        engine="docker",
        id="1a",
        name="shop_api_1",
        image="shop:1",
        status="running",
        exit_code=3,
        log="json-file",
        project="shop",
        service="api",
        folder="/srv/shop",
        published=(Published(inner=80, address="0.0.0.0", port=8080),),
    )


def test_containers_in_another_form_are_passed_over() -> None:
    found = told(
        Containers(), "engine\tdocker", "container\tdocker\tnot json", "container\tdocker\t[]", row(name=None),
        row(ports=["x"], labels=3, project=None, oneoff="True"), "container\tcut",
    )  # fmt: skip
    assert [(c.name, c.published, c.project, c.is_oneoff) for c in found] == [("shop_api_1", (), "", True)]


def test_an_engine_without_containers_is_no_missing_engine() -> None:
    assert told(Containers(), "engine\tdocker") == ()
    refused = told(Containers(), "none\tdocker: permission denied", "none\tno container engine answers there")
    assert str(refused) == "docker: permission denied"


def test_environment_and_command_of_a_container_are_not_asked_for() -> None:
    text = Containers.snippet([Containers()], FRAME)
    assert not any(word in text for word in (".Env", ".Cmd", ".Args", ".Entrypoint", "{{json .Config}}", "{{json .}}"))


def test_compose_tells_what_its_file_declares(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text("x")
    shim(tmp_path / "bin", "docker", "exit 1")
    shim(tmp_path / "bin", "docker-compose", 'case "$*" in *services) echo api; echo db ;; *ps*) echo 1a ;; esac')
    found = local_host(tmp_path / "bin").answer(ComposeFile(path=str(tmp_path)))
    assert found == Declared(services=("api", "db"), ids=("1a",), folder=str(tmp_path.resolve()))
    shim(tmp_path / "bin", "docker-compose", "echo 'yaml: line 3: nonsense' >&2; exit 14")
    with pytest.raises(CouldNotLook, match="line 3: nonsense"):
        local_host(tmp_path / "bin").answer(ComposeFile(path=str(tmp_path / "docker-compose.yml")))
    with pytest.raises(CouldNotLook, match="there is no /no/such"):
        local_host().answer(ComposeFile(path="/no/such/folder"))
