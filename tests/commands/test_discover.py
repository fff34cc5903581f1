"""`golive discover` as a user types it, against this machine: what it writes, what it refuses, what it leaves."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sessions import BIN, LIMIT_S, ROOT, run, surroundings

MARKER = "hunter2-planted-5e77"
SERVER = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
log = open(sys.argv[2], "w")
log.write('{"level": "info", "token": "MARKER"}\\n' * 30)
log.flush()
print("ready", flush=True)
time.sleep(600)
""".replace("MARKER", MARKER)


@dataclass
class Live:
    """A process of the tests that listens, writes a log, and has a secret in its command line and environment."""

    process: subprocess.Popen[str]
    port: int
    log: Path


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    port, log = _port_below_the_ephemeral(), tmp_path / "till.log"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port), str(log), f"--password={MARKER}"],
        env={**os.environ, "API_TOKEN": MARKER},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield Live(process, port, log)
    process.kill()
    process.wait()
    process.stdout.close()


def _port_below_the_ephemeral() -> int:
    for port in range(21_000 + os.getpid() % 5_000, 32_000):
        with socket.socket() as free:
            if free.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("no port is free")


def discover(*args: str) -> tuple[int, str]:
    done = run([str(BIN / "golive"), "discover", *args])
    return done.returncode, done.stdout


def golive(*args: str) -> tuple[int, str]:
    done = run([str(BIN / "golive"), *args])
    return done.returncode, done.stdout


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def judged(environment: Path, *args: str) -> tuple[int, str]:
    output = f"--output={environment.parent / 'output'}"
    done = run([str(BIN / "pytest"), f"--env={environment}", output, "-p", "no:cacheprovider", *args])
    return done.returncode, done.stdout


def test_this_machine_becomes_an_environment_that_is_valid_and_green_and_notices_a_closed_port(
    tmp_path: Path, live: Live
) -> None:
    file = tmp_path / "new" / "till.yaml"
    code, out = discover("local", f"--output={file}", "--no-probe-http")
    assert code == 0, out
    assert files(tmp_path / "new") == {"till.yaml", "criteria/till/discovered.yaml"}
    assert "written, after it was loaded as a run loads it:" in out
    assert f"golive validate --env={file}" in out
    assert f"pytest --env={file} -m smoke" in out

    environment, criteria = file.read_text(), (file.parent / "criteria/till/discovered.yaml").read_text()
    assert f"'{live.port}': {{port: {live.port}, addresses: [127.0.0.1]" in criteria
    assert MARKER not in out + environment + criteria

    code, out = golive("validate", f"--env={file}")
    assert code == 0, out
    code, out = golive("criteria", f"--env={file}")
    assert f"till.ports.listening[{live.port}]\thigh\tcheck\thosts/port" in out
    assert "till.health.disk[/]\thigh\tcheck\thosts/disk" in out

    wanted = f"health.disk or health.inodes or health.memory or listening[{live.port}]"
    code, out = judged(file, "-m", "checkpoint", "-k", wanted)
    assert code == 0, out
    live.process.kill()
    live.process.wait()
    code, out = judged(file, "-m", "smoke", "-k", f"listening[{live.port}]")
    assert code == 1, out
    assert f"port {live.port}/tcp of host app is not listened on" in " ".join(out.split())


def test_what_is_there_is_not_overwritten_unless_that_is_wished(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    own = tmp_path / "criteria/shop/own.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("- {id: shop.own.one, says: It holds, severity: low, not_applicable: there is none}\n")
    file.write_text("mine")
    words = ("local", f"--output={file}", "--no-probe-http")
    code, out = discover(*words)
    assert code == 2
    assert out == f"golive discover: {file} is there already: give --force, or another --env or --output\n"
    assert file.read_text() == "mine"
    code, out = discover(*words, "--force")
    assert code == 0, out
    assert files(tmp_path) == {"shop.yaml", "criteria/shop/discovered.yaml", "criteria/shop/own.yaml"}
    assert "shop.own.one" in golive("criteria", f"--env={file}")[1]


def test_stdout_prints_both_files_and_writes_nothing(tmp_path: Path) -> None:
    done = said("docker", f"--output={tmp_path / 'shop.yaml'}", "--stdout")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# shop.yaml\n")
    assert "\n---\n# discovered.yaml\n" in done.stdout
    assert "system: shop\n" in done.stdout
    assert files(tmp_path) == set()


def said(*words: str) -> subprocess.CompletedProcess[str]:
    """Both outputs apart."""
    return subprocess.run(
        [str(BIN / "golive"), "discover", *words],
        cwd=ROOT,
        env=surroundings({}),
        text=True,
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("shh://x",), "unknown scheme 'shh'. Did you mean 'ssh'?"),
        (("nowhere",), "'nowhere' is no target: give local, ssh://user@host, docker, docker://NAME or compose FILE"),
        (("ssh://ann:hunter2@shop",), "no password in a connection"),
        (("compose",), "compose: which project?"),
        (("compose", "/no/such/folder"), "compose /no/such/folder: "),
        (("local", "--env=Shop"), "--env=Shop: an environment is NAME.yaml"),
        (("local", "--output=/tmp/x.json"), "--output=/tmp/x.json: an environment is NAME.yaml"),
        (("local", "--env=a", "--output=b.yaml"), "name two environments"),
        (("local", "--jump=bastion"), "'jump' does not apply to local://"),
        (("ssh://127.0.0.1:1", "--env=nobody"), "cannot be reached"),
        (("docker://no-such-container-here", "--env=nobody"), "no-such-container-here"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(words: tuple[str, ...], says: str) -> None:
    before = files(ROOT / "environments")
    done = said(*words)
    told = [line for line in done.stderr.splitlines() if not line.endswith(" …")]
    assert done.returncode == 2
    assert len(told) == 1
    assert told[0].startswith("golive discover: ")
    assert says in told[0]
    assert "hunter2" not in done.stdout + done.stderr
    assert files(ROOT / "environments") == before


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "criteria").write_text("a file where a folder is needed")
    code, out = discover("local", f"--output={tmp_path / 'shop.yaml'}", "--no-probe-http")
    assert code == 2
    assert f"golive discover: {tmp_path / 'shop.yaml'} cannot be written: " in out
    assert files(tmp_path) == {"criteria"}


@pytest.mark.parametrize("after_s", [0.6, 2.0])
def test_ctrl_c_leaves_nothing(tmp_path: Path, after_s: float) -> None:
    place, scratch = tmp_path / "place", tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [str(BIN / "golive"), "discover", "local", f"--output={place / 'shop.yaml'}", "--no-probe-http"],
        cwd=ROOT,
        env=surroundings({"TMPDIR": str(scratch)}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after_s)
    process.send_signal(signal.SIGINT)
    code = process.wait(LIMIT_S)
    if code == 0:  # it was faster than we were
        assert files(place) == {"shop.yaml", "criteria/shop/discovered.yaml"}
    else:
        assert code in (130, -signal.SIGINT)
        assert not place.exists()
    assert list(scratch.iterdir()) == []
