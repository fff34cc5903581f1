"""SSH without OpenSSH's client, through the library Paramiko, which has to be installed beside."""

from __future__ import annotations

import getpass
import logging
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from golive.environment.connection import Connection
from golive.environment.sections import HostSection
from golive.targets.hosts.reach import Sockets, Unreachable
from golive.targets.hosts.reach.program import expanded
from golive.targets.shell import CommandResult, TookTooLong, WroteTooMuch, one_line

_KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
_CHUNK = 1 << 16
_STRAGGLERS_S = 0.2


def open_way(_name: str, section: HostSection, connection: Connection, _sockets: Sockets) -> Paramiko:
    """As `reach.open_way`."""
    try:
        import paramiko  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        raise Unreachable("the library `paramiko` is not installed here, and paramiko:// needs it") from None
    # What goes wrong is raised as well; its log would repeat it with a traceback for every criterion.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    return Paramiko(paramiko, section, connection)


class Paramiko:
    """One connection of this process, opened when it is first needed and again should it be lost."""

    def __init__(self, library: Any, section: HostSection, connection: Connection) -> None:
        self.connections = 0
        self.sudo = section.sudo
        self._library = library
        self._section = section
        self._connection = connection
        self._client: Any = None
        self._opening = threading.Lock()

    def open(self) -> None:
        """As `Way.open`."""
        self._transport()

    def send(self, line: str, text: bytes, *, until: bytes, timeout_s: float, max_bytes: int) -> CommandResult:
        """As `Way.send`."""
        transport = self._transport()
        deadline = time.monotonic() + timeout_s
        try:
            channel = transport.open_session(timeout=max(0.1, deadline - time.monotonic()))
        except (self._library.SSHException, EOFError, OSError) as error:
            raise Unreachable(one_line(str(error)) or "the connection was lost") from None
        try:
            return _Exchange(channel, until, max_bytes, deadline).run(line, text)
        except (self._library.SSHException, EOFError, ConnectionError) as error:
            raise Unreachable(one_line(str(error)) or "the connection was lost") from None
        finally:
            channel.close()

    def why(self, _result: CommandResult) -> str:
        """What went wrong was raised already."""
        return ""

    def close(self) -> None:
        """Hang up."""
        with self._opening:
            client, self._client = self._client, None
            if client is not None:
                client.close()

    def _transport(self) -> Any:
        timeout_s = self._section.timeout
        with self._opening:
            transport = self._client and self._client.get_transport()
            if transport is None or not transport.is_active():
                self._client = self._connected(timeout_s)
                transport = self._client.get_transport()
                transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                transport.set_keepalive(max(1, int(timeout_s / 3)))
                self.connections += 1
            return transport

    def _connected(self, timeout_s: float) -> Any:
        library, client = self._library, self._library.SSHClient()
        found = self._configured()
        self._know_hosts(client, found)
        limits = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout", "channel_timeout"), timeout_s)
        try:
            client.connect(
                found.get("hostname", self._connection.host),
                port=self._connection.port or int(found.get("port", 22)),
                username=self._connection.user or found.get("user") or getpass.getuser(),
                key_filename=self._keys(found),
                sock=library.ProxyCommand(found["proxycommand"]) if "proxycommand" in found else None,
                **limits,
            )
        except library.BadHostKeyException:
            raise Unreachable(
                "its host key has changed: if that was meant, replace the known one, else somebody is in between"
            ) from None
        except (library.SSHException, OSError, EOFError, ValueError) as error:
            client.close()
            raise Unreachable(_said(error)) from None
        return client

    def _configured(self) -> dict[str, Any]:
        file = Path(expanded(self._section.ssh_config or "~/.ssh/config"))
        if not file.exists() and self._section.ssh_config is None:
            return {}
        try:
            return dict(self._library.SSHConfig.from_path(str(file)).lookup(self._connection.host))
        except OSError as error:
            raise Unreachable(f"{file} cannot be read: {error.strerror}") from None

    def _keys(self, found: dict[str, Any]) -> list[str] | None:
        keys = [self._section.identity_file] if self._section.identity_file else found.get("identityfile", [])
        return [expanded(key) for key in keys if key] or None

    def _know_hosts(self, client: Any, found: dict[str, Any]) -> None:
        """A host whose key is not known is not talked to, unless the client's configuration says so."""
        named = [self._section.known_hosts] if self._section.known_hosts else []
        files = named or str(found.get("userknownhostsfile", "")).split() or list(_KNOWN_HOSTS)
        for file in map(expanded, files):
            if Path(file).exists():
                client.load_system_host_keys(file)
        if found.get("stricthostkeychecking") in ("no", "off", "accept-new") and not named:
            client.set_missing_host_key_policy(self._library.WarningPolicy())
        else:
            client.set_missing_host_key_policy(self._library.RejectPolicy())


class _Exchange:
    """One command in a channel: its text written, what it prints read, both bounded."""

    def __init__(self, channel: Any, until: bytes, max_bytes: int, deadline: float) -> None:
        self._channel = channel
        self._until = until
        self._left = max_bytes
        self._deadline = deadline
        self._out = bytearray()
        self._err = bytearray()

    def run(self, line: str, text: bytes) -> CommandResult:
        self._channel.settimeout(max(0.1, self._deadline - time.monotonic()))
        # Whether the command was taken is waited for without any limit, unless the channel is closed.
        guard = threading.Timer(max(0.1, self._deadline - time.monotonic()), self._channel.close)
        guard.daemon = True
        guard.start()
        try:
            self._channel.exec_command(line)
            guard.cancel()
            self._channel.sendall(text)
            while self._take(self._channel.recv, self._out):
                while self._channel.recv_stderr_ready() and self._take(self._channel.recv_stderr, self._err):
                    pass
                if self._until in self._out[-len(self._until) - _CHUNK :] and self._out.endswith(b"\n"):
                    break
        except TimeoutError:
            raise TookTooLong(bytes(self._out), bytes(self._err)) from None
        finally:
            guard.cancel()
        self._take_errors()
        return CommandResult(exit_code=0, stdout_bytes=bytes(self._out), stderr_bytes=bytes(self._err))

    def _take(self, receive: Callable[[int], bytes], into: bytearray) -> int:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._channel.settimeout(left_s)
        chunk = receive(_CHUNK)
        into += chunk
        self._left -= len(chunk)
        if self._left < 0:
            raise WroteTooMuch(bytes(self._out), bytes(self._err))
        return len(chunk)

    def _take_errors(self) -> None:
        """What came on standard error until the command was over."""
        self._deadline = time.monotonic() + _STRAGGLERS_S
        try:
            while self._take(self._channel.recv_stderr, self._err):
                pass
        except TimeoutError:
            return


def _said(error: Exception) -> str:
    said = one_line(str(error)) or type(error).__name__
    if "not found in known_hosts" in said:
        return "its host key is not known here: compare its fingerprint and add it to known_hosts (ssh-keyscan)"
    if type(error).__name__ == "AuthenticationException":
        return f"it lets none of our keys in: name one (identity_file) or load it into the agent ({said})"
    return said
