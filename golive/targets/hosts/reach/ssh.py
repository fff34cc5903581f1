"""OpenSSH's own client, so that its configuration, agent, keys and jump hosts work as they always do.

The first command opens the connection, later ones and other processes of the run go through it.
Nothing is ever asked (`BatchMode`), and a host whose key is not known is not talked to unless the
client's configuration says otherwise.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import threading
from collections.abc import Sequence
from pathlib import Path

from golive.environment.connection import Connection
from golive.environment.sections import HostSection
from golive.targets.hosts.reach import Sockets, Unreachable
from golive.targets.hosts.reach.connections import is_open, only_one
from golive.targets.hosts.reach.program import Program, expanded, installed
from golive.targets.shell import CommandResult, TookTooLong, WroteTooMuch, one_line, run_program

_IDLE_S = 300
"""How long a connection outlives its last use, should nobody end it."""
_ALIVE_TRIES = 3
_FAILED = 255
"""Exit code of ssh itself."""
_AT_ONCE = 4
"""Commands at the same time, since a server allows ten in one connection (`MaxSessions`) for all processes."""
_WHERE = "[%h]:%p"
_NEVER = {
    "BatchMode": "yes",
    "RequestTTY": "no",
    "RemoteCommand": "none",
    "PermitLocalCommand": "no",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "UpdateHostKeys": "no",
}
_TOO_OPEN = re.compile(r"Permissions (\d+) for '(.+)' are too open")
_HINTS = {
    "REMOTE HOST IDENTIFICATION HAS CHANGED": (
        "its host key has changed: if that was meant, replace the known one (ssh-keygen -R); if not, somebody is in "
        "between"
    ),
    "Host key verification failed": (
        "its host key is not known here: compare its fingerprint and add it to known_hosts (ssh-keyscan), or name a "
        "file that holds it (known_hosts)"
    ),
    "Permission denied": (
        "it lets none of our keys in: name one (identity_file) or load it into the agent, which a key with a "
        "passphrase needs"
    ),
}


def open_way(name: str, section: HostSection, connection: Connection, sockets: Sockets) -> Ssh:
    """As `reach.open_way`."""
    installed("ssh", connection.scheme)
    return Ssh(name, section, connection, sockets())


def own_connection(section: HostSection, connection: Connection, *, back: tuple[int, int] | None = None) -> list[str]:
    """The words before a command line that is run there through a connection of its own.

    `back` is a port there and one here: what connects to the first, on that machine's loopback, reaches the second
    on ours. If the first is taken, nothing is run.
    """
    words = ["ssh", "-o", "ControlMaster=no", "-o", "ControlPath=none"]
    if back is not None:
        there, here = back
        # Of two values ssh takes the first: forwards of the client's configuration are allowed again with this one.
        words += ["-o", "ClearAllForwardings=no", "-o", "ExitOnForwardFailure=yes"]
        words += ["-R", f"127.0.0.1:{there}:127.0.0.1:{here}"]
    return [*words, *_options(section, connection), "--", connection.host]


class Ssh:
    """One connection, opened when it is first needed and again should it be lost."""

    def __init__(
        self, name: str, section: HostSection, connection: Connection, sockets: Path, extra: Sequence[str] = ()
    ) -> None:
        self.connections = 0
        self.sudo = section.sudo
        self._section = section
        # Two hosts of an environment may be one machine, reached as different users.
        digest = hashlib.sha256(f"{name} {section.connect} {section.jump}".encode()).hexdigest()[:12]
        self._socket = sockets / f"{digest}.sock"
        self._options = [*_options(section, connection), "-o", f'ControlPath="{self._socket}"', *extra]
        self._target = ["--", connection.host]
        # Where the connection is lost, ssh would connect by itself for each command; this keeps it from that.
        through = ["-o", "ControlMaster=no", "-o", "ProxyCommand=false", *self._options, *self._target]
        self._commands = Program(lambda line: ["ssh", *through, line], connects=False)
        self._opening = threading.Lock()
        self._at_once = threading.BoundedSemaphore(_AT_ONCE)

    def open(self) -> None:
        """As `Way.open`. Of all processes of the run the first one connects."""
        with self._opening:
            if is_open(self._socket):
                return
            with only_one(self._socket):
                if not is_open(self._socket):
                    self._socket.unlink(missing_ok=True)
                    self._open_master(self._section.timeout)

    def send(self, line: str, text: bytes, *, until: bytes, timeout_s: float, max_bytes: int) -> CommandResult:
        """As `Way.send`. If the connection turns out to be lost before anything was run, it is opened again, once."""
        with self._at_once:
            done = self._commands.send(line, text, until=until, timeout_s=timeout_s, max_bytes=max_bytes)
            if done.exit_code != _FAILED or done.stdout_bytes:
                return done
            self.open()
            return self._commands.send(line, text, until=until, timeout_s=timeout_s, max_bytes=max_bytes)

    def why(self, result: CommandResult) -> str:
        """What to do about it, where that is known."""
        return _why_no_file(self._section, result.stderr) or next(
            (hint for words, hint in _HINTS.items() if words in result.stderr), ""
        )

    def close(self) -> None:
        """The connection belongs to the run."""

    def _open_master(self, timeout_s: float) -> None:
        """Connect, and leave the connection to a process in the background."""
        master = ["-o", "ControlMaster=yes", "-o", f"ControlPersist={_IDLE_S}", "-N", "-f"]
        try:
            done = run_program(
                ["ssh", *master, *self._options, *self._target], timeout_s=timeout_s, max_bytes=1_000_000
            )
        except TookTooLong:
            raise Unreachable(f"no answer within {timeout_s:g} s") from None
        except WroteTooMuch:
            raise Unreachable("it does not stop greeting") from None
        if done.exit_code != 0:
            raise Unreachable(self.why(done) or one_line(done.stderr) or f"ssh ended with exit code {done.exit_code}")
        self.connections += 1


def _why_no_file(section: HostSection, said: str) -> str:
    """The file that is named and that ssh could not use, where that explains its failure."""
    if section.known_hosts and "Host key verification failed" in said and _is_absent(section.known_hosts):
        return f"known_hosts {expanded(section.known_hosts)} is not there"
    if "Permission denied" not in said:
        return ""
    if section.identity_file and _is_absent(section.identity_file):
        return f"identity_file {expanded(section.identity_file)} is not there"
    if (open_to_others := _TOO_OPEN.search(said)) is None:
        return ""
    mode, path = open_to_others.groups()
    what = "identity_file" if section.identity_file and path == expanded(section.identity_file) else "the private key"
    return f"{what} {path} may be read by others (mode {mode}), so ssh ignores it (chmod 600)"


def _is_absent(path: str) -> bool:
    try:
        Path(expanded(path)).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False  # it may well be there
    return False


def _options(section: HostSection, connection: Connection) -> list[str]:
    options = [*_files(section), *_told(_NEVER | _alive(section.timeout))]
    if section.jump:
        options += ["-o", f"ProxyCommand={_through(section)}"]
    if connection.user:
        options += ["-l", connection.user]
    if connection.port:
        options += ["-p", str(connection.port)]
    return options


def _alive(timeout_s: float) -> dict[str, str]:
    """A link that is dead is noticed within the time-out."""
    return {
        "ConnectTimeout": str(max(1, round(timeout_s))),
        "ServerAliveInterval": str(max(1, int(timeout_s / _ALIVE_TRIES))),
        "ServerAliveCountMax": str(_ALIVE_TRIES),
    }


def _files(section: HostSection) -> list[str]:
    """Configuration, key and known hosts, which the host and the last jump share."""
    options = ["-F", expanded(section.ssh_config)] if section.ssh_config else []
    if section.identity_file:
        options += ["-i", expanded(section.identity_file)]
    if section.known_hosts:
        options += _told({"UserKnownHostsFile": f'"{expanded(section.known_hosts)}"', "GlobalKnownHostsFile": "none"})
        options += _told({"StrictHostKeyChecking": "yes"})
    return options


def _through(section: HostSection) -> str:
    """The command that goes through the jump host. Of several the last one is named, the others are before it."""
    *before, last = (section.jump or "").split(",")
    user, at, place = last.rpartition("@")
    host, colon, port = place.rpartition(":")
    words = ["ssh", *_files(section), *_told(_NEVER | _alive(section.timeout))]
    words += ["-J", ",".join(before)] if before else []
    words += ["-l", user] if at else []
    words += ["-p", port] if colon and port.isdigit() else []
    words += ["-W", _WHERE, "--", host if colon and port.isdigit() else place]
    return " ".join(shlex.quote(word).replace("%", "%%") for word in words).replace(_WHERE.replace("%", "%%"), _WHERE)


def _told(options: dict[str, str]) -> list[str]:
    return [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
