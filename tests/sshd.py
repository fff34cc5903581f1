"""A real sshd on loopback, with host and user keys of its own and a client configuration that reaches it.

    with sshd(tmp_path, "app", "db") as server:        # one port a name, one process for up to sixteen
        ssh -F server.config app …
        HostSection(connect="ssh://app", ssh_config=str(server.config))

It runs as whoever runs the tests, in the foreground, and ends with the block. `accepted()` counts the
connections that were let in, `log` is what it told.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_SERVER = """\
{listen}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile {folder}/pid
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
# The post-quantum exchange of newer versions takes the client most of its time; here there is nothing to keep.
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256
MaxStartups 500
MaxSessions 100
SetEnv {environment}
{more}
"""
_CLIENT = """\
Host {name}
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
"""
_PORTS_A_PROCESS = 16
# For a command over ssh bash reads the ~/.bashrc of whoever runs the tests, unless it believes to be a nested shell.
_ENVIRONMENT = {"SHLVL": "2"}


@dataclass
class Sshd:
    """A running server: its ports by name, its client configuration, and what it logged."""

    folder: Path
    ports: Mapping[str, int]
    process: subprocess.Popen[bytes]

    @property
    def config(self) -> Path:
        """The client configuration (`ssh -F`), to which a test may add."""
        return self.folder / "ssh_config"

    @property
    def known(self) -> Path:
        """The file of known host keys that the client configuration names."""
        return self.folder / "known"

    @property
    def key(self) -> Path:
        """The private key that is let in."""
        return self.folder / "user"

    @property
    def port(self) -> int:
        """The first port."""
        return next(iter(self.ports.values()))

    @property
    def log(self) -> str:
        """What the server logged so far."""
        return (self.folder / "log").read_text(errors="replace")

    def accepted(self) -> int:
        """How many connections were let in."""
        return self.log.count("Accepted publickey")

    def cut(self) -> None:
        """Cut every connection; what they had begun to run is not touched, and new ones are let in."""
        for pid, command in _below(self.process.pid).items():
            if "sshd" in command:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End the server with its connections; connections to it are refused from then on."""
        self.process.send_signal(signal.SIGSTOP)
        self.cut()
        self.process.kill()
        self.process.wait(10)


@contextmanager
def sshd(folder: Path, *names: str, more: str = "", path: str = "") -> Iterator[Sshd]:
    """A server that can be reached by these names ("app" if none is given).

    `more` are lines of its configuration, `path` the PATH of its sessions if not the usual one.
    """
    names = names or ("app",)
    if len(names) > _PORTS_A_PROCESS:
        raise ValueError(f"one sshd listens on {_PORTS_A_PROCESS} ports at most")
    folder.mkdir(parents=True, exist_ok=True)
    _make_keys(folder)
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    listen = "\n".join(f"ListenAddress 127.0.0.1:{port}" for port in ports.values())
    variables = _ENVIRONMENT | ({"PATH": path} if path else {})
    environment = " ".join(f"{name}={value}" for name, value in variables.items())
    written = _SERVER.format(listen=listen, folder=folder, environment=environment, more=more)
    (folder / "sshd_config").write_text(written)
    key = (folder / "host.pub").read_text().strip()
    (folder / "known").write_text("".join(f"[127.0.0.1]:{port} {key}\n" for port in ports.values()))
    user = getpass.getuser()
    clients = (_CLIENT.format(name=name, port=port, user=user, folder=folder) for name, port in ports.items())
    (folder / "ssh_config").write_text("\n".join(clients))
    process = subprocess.Popen([_program(), "-D", "-E", str(folder / "log"), "-f", str(folder / "sshd_config")])
    server = Sshd(folder=folder, ports=ports, process=process)
    try:
        for port in ports.values():
            _await_port(process, port, server)
        yield server
    finally:
        if process.poll() is None:
            server.stop()


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens on right now, each another one."""
    with ExitStack() as held:
        taken = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(server.getsockname()[1]) for server in taken]


def _program() -> str:
    server = shutil.which("sshd") or "/usr/sbin/sshd"
    assert Path(server).exists(), "install the package openssh-server"
    if getpass.getuser() == "root":
        Path("/run/sshd").mkdir(exist_ok=True)
    return server


def _make_keys(folder: Path) -> None:
    for name in ("host", "user"):
        if not (folder / name).exists():
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
            subprocess.run(command, check=True)
    (folder / "authorized").write_text((folder / "user.pub").read_text())


def _await_port(process: subprocess.Popen[bytes], port: int, server: Sshd) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        assert process.poll() is None, f"sshd ended: {server.log}"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"sshd does not listen on {port}: {server.log}")


def _below(pid: int) -> dict[int, str]:
    """The commands of all processes below `pid`."""
    said = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = {int(row[0]): (int(row[1]), row[2]) for row in (line.split(None, 2) for line in said.splitlines())}
    found: dict[int, str] = {}
    parents = [pid]
    for parent in parents:
        for child, (above, command) in rows.items():
            if above == parent:
                found[child] = command
                parents.append(child)
    return found
