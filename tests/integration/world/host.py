"""A host for the tests: this machine seen from a mount namespace, entered over SSH by a user without rights.

In there are accounts, rights, /home and /srv of the host's own; the rest is this machine, its Docker engine included.
What is done to the host (a full /home, a rule of sudo taken away) is done in there, and gone with its last process.
With a network of its own (`Cable`) it can be cut off as a machine can. Needs root.
"""

from __future__ import annotations

import ipaddress
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

USER, UID = "verifier", 10002
HOME_BYTES, HOME_INODES = 8_000_000, 400
_ANSWERS_WITHIN_S = 15
_ACCOUNTS = f"""\
root:x:0:0:root:/root:/bin/bash
sshd:x:101:65534::/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
{USER}:x:{UID}:{UID}:Looks and changes nothing:/home/{USER}:/bin/sh
"""


@dataclass(frozen=True, kw_only=True)
class Cable:
    """A network of two addresses: ours, and the host's."""

    name: str
    ours: str
    theirs: str

    @classmethod
    def free(cls, name: str) -> Cable:
        """Addresses of a range that nothing else on this machine routes to."""
        routes = subprocess.run(["ip", "-4", "route"], capture_output=True, text=True, check=True).stdout
        for net in ipaddress.ip_network("198.18.0.0/24").subnets(new_prefix=30):  # for tests between networks, RFC 2544
            ours, theirs = (str(address) for address in net.hosts())
            if str(net) not in routes:
                return cls(name=name, ours=ours, theirs=theirs)
        raise AssertionError("no free network among 198.18.0.0/24")


class PretendedHost:
    """Its namespaces, held by a process that does nothing else, and an sshd in them."""

    def __init__(self, folder: Path, name: str = "app", *, cable: Cable | None = None) -> None:
        self.folder = folder
        self.name = name
        self.cable = cable
        self.address = cable.theirs if cable else "127.0.0.1"
        self.port = 22 if cable else _free_port()
        self.client_config = folder / "ssh_config"
        self._holder: subprocess.Popen[bytes] | None = None
        self._sshd: subprocess.Popen[bytes] | None = None

    def start(self, mounts: dict[str, Path] | None = None, *, groups: Sequence[int] = (), rules: str = "") -> None:
        """Furnish it and let it in.

        `mounts` are folders of this machine by their place on the host, `groups` ids of groups that its user is in,
        `rules` what stands in sudoers.
        """
        self.folder.mkdir(mode=0o755)
        self._keys()
        members = "".join(f"group{gid}:x:{gid}:{USER}\n" for gid in groups)
        self._file("passwd", _ACCOUNTS)
        self._file("shadow", f"root:*:20000::::::\n{USER}:*:20000::::::\n", 0o600)
        self._file("group", f"root:x:0:\nnogroup:x:65534:\n{USER}:x:{UID}:\n{members}")
        self.allow(rules)
        self.client_config.write_text(self.client(), encoding="utf-8")
        Path("/run/sshd").mkdir(exist_ok=True)  # where an sshd of root locks its children in
        self._hold(mounts or {})
        if self.cable:
            self._plug_in(self.cable)
        self.let_in()

    def stop(self) -> None:
        """End everything in there; the namespaces go with it."""
        self.let_nobody_in()
        if self._holder is not None:
            for pid in self._inside():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._holder.kill()
            self._holder.wait(10)

    def client(self) -> str:
        """Its part of an ssh_config."""
        return (
            f"Host {self.name}\n HostName {self.address}\n Port {self.port}\n User {USER}\n"
            f" IdentityFile {self.folder}/user\n IdentitiesOnly yes\n StrictHostKeyChecking yes\n"
            f" UserKnownHostsFile {self.folder}/known\n"
        )

    def allow(self, rules: str) -> None:
        """What its user may do through sudo, from now on."""
        path = self.folder / "sudoers"
        path.touch()
        path.write_text(
            f"Defaults !lecture, !syslog, !pam_session\n{rules}\n", encoding="utf-8"
        )  # in place: it is mounted
        path.chmod(0o440)

    def inside(self, script: str) -> str:
        """What a shell of root prints on the host."""
        done = subprocess.run(
            [*self._enter(), "sh", "-eu", "-c", script], capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, f"{script}: {done.stderr}"
        return done.stdout

    def let_in(self) -> None:
        """Start its sshd, and return when it answers."""
        server = shutil.which("sshd") or "/usr/sbin/sshd"
        with (self.folder / "log").open("ab") as log:
            self._sshd = subprocess.Popen(
                [*self._enter(), server, "-D", "-e", "-f", f"{self.folder}/sshd_config"], stdout=log, stderr=log
            )
        self._wait(self._sshd)

    def let_nobody_in(self) -> None:
        """End its sshd: from now on connections are refused. What came in before may stay."""
        if self._sshd is not None:
            self._sshd.terminate()
            self._sshd.wait(10)
            self._sshd = None

    def accepted(self) -> int:
        """How many connections were let in so far."""
        return (self.folder / "log").read_text(errors="replace").count("Accepted publickey")

    def running(self, uid: int) -> list[str]:
        """What a user has running there, without the sshd that it came in by."""
        found = [Path(f"/proc/{pid}") for pid in self._inside()]
        names = [_name(process) for process in found if _owner(process) == uid]
        return [name for name in names if name not in ("sshd", "")]

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens."""
        self.let_nobody_in()
        try:
            yield
        finally:
            self.let_in()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes connections (the kernel does) and never says a word."""
        assert self._sshd is not None
        self._sshd.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._sshd.send_signal(signal.SIGCONT)

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Not a packet comes through, in connections that are open as little as in new ones."""
        self.inside("iptables -I INPUT -j DROP; iptables -I OUTPUT -j DROP")
        try:
            yield
        finally:
            self.inside("iptables -D INPUT -j DROP; iptables -D OUTPUT -j DROP")

    def _keys(self) -> None:
        for name in ("host", "user"):
            key = str(self.folder / name)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self._file("authorized", (self.folder / "user.pub").read_text())
        where = self.address if self.port == 22 else f"[{self.address}]:{self.port}"
        self._file("known", f"{where} {(self.folder / 'host.pub').read_text()}")
        self._file(
            "sshd_config",
            f"Port {self.port}\nListenAddress {self.address}\nHostKey {self.folder}/host\nPidFile none\nUsePAM no\n"
            f"StrictModes no\nAuthorizedKeysFile {self.folder}/authorized\nPasswordAuthentication no\n"
            "PermitRootLogin no\nUseDNS no\n",
        )

    def _hold(self, mounts: dict[str, Path]) -> None:
        self._file("furnish", self._furnishing(mounts))
        spaces = ["--mount", "--propagation", "private", *(["--net"] if self.cable else [])]
        with (self.folder / "log").open("ab") as log:
            self._holder = subprocess.Popen(
                ["unshare", *spaces, "sh", "-eu", f"{self.folder}/furnish"], stdout=subprocess.PIPE, stderr=log
            )
        assert self._holder.stdout is not None
        with self._holder.stdout as told:
            assert told.readline() == b"ready\n", (self.folder / "log").read_text(errors="replace")

    def _furnishing(self, mounts: dict[str, Path]) -> str:
        lines = [f"mount --bind {self.folder}/{name} /etc/{name}" for name in ("passwd", "shadow", "group", "sudoers")]
        # Bound twice, as what is bound may lie where /srv or /home is covered in between.
        for number, source in enumerate(mounts.values()):
            lines += [
                f"mkdir {self.folder}/{number}",
                f"mount --bind {shlex.quote(str(source))} {self.folder}/{number}",
            ]
        lines += [
            f"mount -t tmpfs -o size={HOME_BYTES},nr_inodes={HOME_INODES},mode=755 home /home",
            f"install -d -o {UID} -g {UID} /home/{USER}",
            "mkdir -p /srv",
            "mount -t tmpfs -o size=1m,mode=755 srv /srv",
        ]
        for number, place in enumerate(mounts):
            lines += [f"mkdir -p {place}", f"mount --bind {self.folder}/{number} {place}"]
        return "\n".join([*lines, "echo ready", "exec sleep infinity >/dev/null\n"])

    def _plug_in(self, cable: Cable) -> None:
        assert self._holder is not None
        mine, its = f"{cable.name[:13]}.0", f"{cable.name[:13]}.1"  # names of devices have at most 15 characters
        for command in (
            ["link", "add", mine, "type", "veth", "peer", "name", its, "netns", str(self._holder.pid)],
            ["address", "add", f"{cable.ours}/30", "dev", mine],
            ["link", "set", mine, "up"],
        ):
            subprocess.run(["ip", *command], check=True)
        self.inside(f"ip link set lo up; ip address add {cable.theirs}/30 dev {its}; ip link set {its} up")

    def _enter(self) -> list[str]:
        assert self._holder is not None, f"the host {self.name} was not started"
        return ["nsenter", "-t", str(self._holder.pid), "--mount", *(["--net"] if self.cable else [])]

    def _inside(self) -> list[int]:
        """The processes of its mount namespace."""
        assert self._holder is not None
        own = _space(Path(f"/proc/{self._holder.pid}"))
        if own in ("", _space(Path("/proc/self"))):
            return []  # it has ended, or never had a namespace of its own
        processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
        return [int(entry.name) for entry in processes if _space(entry) == own]

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _ANSWERS_WITHIN_S
        while True:
            with suppress(OSError), socket.create_connection((self.address, self.port), timeout=1) as connection:
                connection.sendall(b"SSH-2.0-is-it-there\r\n")
                if connection.recv(4) == b"SSH-":
                    return
            told = (self.folder / "log").read_text(errors="replace")
            assert server.poll() is None, f"sshd of {self.name} ended at once: {told}"
            assert time.monotonic() < deadline, f"sshd of {self.name} does not answer: {told}"
            time.sleep(0.02)

    def _file(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)


def _space(process: Path) -> str:
    with suppress(OSError):
        return str((process / "ns" / "mnt").readlink())
    return ""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _name(process: Path) -> str:
    with suppress(OSError):
        return (process / "comm").read_text().strip()
    return ""


def _owner(process: Path) -> int:
    with suppress(OSError):
        return process.stat().st_uid
    return -1
