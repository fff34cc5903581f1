"""A host over a real sshd, run unprivileged on a high loopback port with keys of its own."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CRITERIA = """
- {id: shop.health.memory, says: memory is left, check: hosts/memory, critical: 99, severity: high}
- {id: shop.health.inodes, says: inodes are left, check: hosts/inodes, critical: 99.9, severity: high}
- {id: shop.health.disk, says: disk is left, check: hosts/disk, paths: [/], critical: 99.9, severity: high}
- {id: shop.health.clock, says: clock agrees, check: hosts/clock, critical: 5 s, severity: high}
- id: shop.health.file
  says: the file is there
  check: hosts/file
  path: FILE
  contains: ready
  severity: high
"""


@dataclass
class Sshd:
    """A running server and the client configuration that reaches it."""

    process: subprocess.Popen[bytes]
    port: int
    config: Path


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = shutil.which("sshd") or "/usr/sbin/sshd"
    assert Path(server).exists(), "install the package openssh-server"
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    (tmp_path / "authorized").write_text((tmp_path / "user.pub").read_text())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nAuthorizedKeysFile {tmp_path}/authorized\n"
        f"PidFile {tmp_path}/pid\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n"
    )
    known = f"[127.0.0.1]:{port} {(tmp_path / 'host.pub').read_text()}"
    (tmp_path / "known").write_text(known)
    config = tmp_path / "ssh_config"
    config.write_text(
        f"Host app\n HostName 127.0.0.1\n Port {port}\n User {getpass.getuser()}\n IdentityFile {tmp_path}/user\n"
        f" IdentitiesOnly yes\n StrictHostKeyChecking yes\n UserKnownHostsFile {tmp_path}/known\n"
    )
    if getpass.getuser() == "root":
        Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([server, "-D", "-e", "-f", str(tmp_path / "sshd_config")], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield Sshd(process, port, config)
    process.terminate()
    process.wait(10)


def verified(tmp_path: Path, sshd: Sshd) -> dict[str, dict[str, Any]]:
    (tmp_path / "ready.txt").write_text("ready\n")
    (tmp_path / "criteria.yaml").write_text(CRITERIA.replace("FILE", str(tmp_path / "ready.txt")))
    (tmp_path / "shop.yaml").write_text(
        f"system: shop\nhosts: {{app: {{connect: 'ssh://app', ssh_config: {sshd.config}, timeout: 5 s}}}}\n"
        "criteria: [criteria.yaml]\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--env={tmp_path / 'shop.yaml'}", f"--output={tmp_path / 'out'}", "-q"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = json.loads((tmp_path / "out/shop/latest/results.json").read_text())
    return {o["criterion"]: o for o in found["outcomes"]}


def test_host_over_ssh_is_read_and_judged(tmp_path: Path, sshd: Sshd) -> None:
    found = verified(tmp_path, sshd)
    assert {name: o["outcome"] for name, o in found.items()} == dict.fromkeys(found, "pass")
    assert len(found) == 5
    assert found["shop.health.memory"]["measurements"][0]["unit"] == "%"


def test_refused_connection_is_unknown_and_names_the_host(tmp_path: Path, sshd: Sshd) -> None:
    sshd.process.terminate()
    sshd.process.wait(10)
    found = verified(tmp_path, sshd)
    assert {o["outcome"] for o in found.values()} == {"unknown"}
    assert all("host app" in o["message"] and "refused" in o["message"].lower() for o in found.values())


def test_server_that_accepts_and_never_answers_is_unknown_within_its_time(tmp_path: Path, sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        sshd.config.write_text(sshd.config.read_text().replace(str(sshd.port), str(port)))
        began = time.monotonic()
        found = verified(tmp_path, sshd)
        assert time.monotonic() - began < 60
    assert {o["outcome"] for o in found.values()} == {"unknown"}


def test_changed_host_key_is_unknown(tmp_path: Path, sshd: Sshd) -> None:
    other = (tmp_path / "user.pub").read_text()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{sshd.port} {other}")
    found = verified(tmp_path, sshd)
    assert {o["outcome"] for o in found.values()} == {"unknown"}
    assert "host key" in found["shop.health.memory"]["message"].lower()
