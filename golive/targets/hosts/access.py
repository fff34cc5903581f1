"""Access to one host: commands there, within their time, and what it means when one never ran."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from golive.environment.connection import parse
from golive.environment.sections import HostSection
from golive.model import CouldNotLook
from golive.targets.hosts import command
from golive.targets.hosts.command import Printed
from golive.targets.hosts.cost import Cost
from golive.targets.hosts.reach import Unreachable, Way, open_way
from golive.targets.hosts.reach.connections import end_all, make_folder
from golive.targets.shell import CommandResult, TookTooLong, WroteTooMuch, are_given_up, one_line

MAX_OUTPUT_BYTES = 32_000_000
_MARGIN_S = 3.0
_GIVEN_UP_S = 0.3
"""How long somebody who is just connecting is waited for once the run was broken off."""
_AGAIN_S = 30.0
"""How long after a host was not reached nobody tries again, so that each criterion does not wait anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What a script printed, and the clock here (Unix seconds) around it.

    `broke_off` when the connection ended before the script did, other than at its time.
    """

    stdout: bytes
    sent_at: float
    received_at: float
    broke_off: bool


class Access:
    """Commands on a host. Safe to use from several threads.

    `sockets` is the folder in which the processes of a run share connections; without one, this host has its own.
    """

    def __init__(self, name: str, section: HostSection, sockets: Path | None = None) -> None:
        self.name = name
        self.section = section
        self._sockets = sockets
        self._own_sockets: Path | None = None
        self._way: Way | None = None
        self._opening = threading.Lock()
        self._counting = threading.Lock()
        self._cost = Cost()
        self._gone = (0.0, "")

    @property
    def cost(self) -> Cost:
        """What was spent so far in this process."""
        with self._counting:
            return self._cost + Cost(connections=self._way.connections if self._way else 0)

    def run(self, script: str, *, limit_s: float, env: Mapping[str, str], max_bytes: int) -> CommandResult:
        """The command's exit code and output. CouldNotLook when it did not come to its end."""
        result, printed = self._ran(script, limit_s, env, max_bytes)
        if printed.late:
            raise self.could_not_look(f"a command did not finish within {limit_s:g} s")
        if printed.exit_code is None:
            raise self.could_not_look(f"the connection broke off: {one_line(result.stderr) or 'no end of the answer'}")
        return CommandResult(exit_code=printed.exit_code, stdout_bytes=printed.stdout, stderr_bytes=result.stderr_bytes)

    def look(self, script: str, *, limit_s: float) -> Looked:
        """What a script printed, even if it did not come to its end. CouldNotLook when it never began."""
        self._open()
        sent_at = time.time()
        printed = self._ran(script, limit_s, {}, MAX_OUTPUT_BYTES)[1]
        broke_off = printed.exit_code is None and not printed.late
        return Looked(stdout=printed.stdout, sent_at=sent_at, received_at=time.time(), broke_off=broke_off)

    def could_not_look(self, what: str) -> CouldNotLook:
        """The reason with the host's name before it."""
        return CouldNotLook(f"host {self.name}: {what}")

    def close(self) -> None:
        """Let go of what is not shared with other processes."""
        is_free = self._opening.acquire(timeout=_GIVEN_UP_S if are_given_up() else -1)
        try:
            if is_free and self._way is not None:
                self._way.close()
            if self._own_sockets is not None:
                end_all(self._own_sockets)
                self._own_sockets = None
        finally:
            if is_free:
                self._opening.release()

    def _ran(
        self, script: str, limit_s: float, env: Mapping[str, str], max_bytes: int
    ) -> tuple[CommandResult, Printed]:
        marker = marker_word()
        text = command.text(script, marker=marker, limit_s=limit_s, path=self.section.path, env=env)
        result, was_late = self._sent(text, marker, limit_s, max_bytes)
        printed = command.printed(result.stdout_bytes, marker)
        if printed is None:
            raise self._never_ran(result, was_late, limit_s)
        if was_late:
            printed = Printed(stdout=printed.stdout, late=True)
        return result, printed

    def _sent(self, text: bytes, marker: str, limit_s: float, max_bytes: int) -> tuple[CommandResult, bool]:
        """What came back, and whether that was cut off at the time-out here."""
        way = self._open()
        line, until = command.line(text, sudo=way.sudo), command.end_of(marker)
        result = CommandResult(exit_code=0, stdout_bytes=b"")
        began = time.monotonic()
        try:
            result = way.send(line, text, until=until, timeout_s=limit_s + _MARGIN_S, max_bytes=max_bytes + len(text))
            return result, False
        except Unreachable as error:
            raise self._unreachable(str(error)) from None
        except TookTooLong as broken:
            result = CommandResult(exit_code=0, stdout_bytes=broken.stdout_bytes, stderr_bytes=broken.stderr_bytes)
            return result, True
        except WroteTooMuch as broken:
            result = CommandResult(exit_code=0, stdout_bytes=broken.stdout_bytes, stderr_bytes=broken.stderr_bytes)
            what = f"more than {max_bytes / 1e6:g} MB of output, which is not read"
            raise self.could_not_look(what) from None
        finally:
            self._count(len(text), result, time.monotonic() - began)

    def _open(self) -> Way:
        """The way there, ready for a command. CouldNotLook, for a while at once, when the host was not reached."""
        with self._opening:
            began = time.monotonic()
            if began < self._gone[0]:
                raise self.could_not_look(self._gone[1])
            try:
                way = self._way = self._way or self._find_way()
                way.open()
                return way
            except Unreachable as error:
                raise self._unreachable(str(error)) from None
            finally:
                with self._counting:
                    self._cost += Cost(seconds=time.monotonic() - began)

    def _find_way(self) -> Way:
        return open_way(self.name, self.section, parse(self.section.connect), self._socket_folder)

    def _socket_folder(self) -> Path:
        """Made only where connections are held at all."""
        if self._sockets is not None:
            return self._sockets
        self._own_sockets = self._own_sockets or make_folder()
        return self._own_sockets

    def _count(self, sent: int, result: CommandResult, seconds: float) -> None:
        received = len(result.stdout_bytes) + len(result.stderr_bytes)
        with self._counting:
            self._cost += Cost(commands=1, bytes_sent=sent, bytes_received=received, seconds=seconds)

    def _never_ran(self, result: CommandResult, was_late: bool, limit_s: float) -> CouldNotLook:
        if was_late:
            return self._unreachable("", f"no answer within {limit_s:g} s")
        said = one_line(result.stderr)
        if self._way is not None and self._way.sudo and "sudo" in result.stderr:
            return self._unreachable("", _without_sudo(said, self._way.sudo))
        if result.exit_code == 0:
            greeting = one_line(result.stdout) or said or "it said nothing"
            return self._unreachable("", f"it does not run the command that it is sent: {greeting}")
        hint = self._way.why(result) if self._way is not None else ""
        return self._unreachable(hint or said or one_line(result.stdout) or f"exit code {result.exit_code}")

    def _unreachable(self, why: str, what: str = "") -> CouldNotLook:
        """The reason, which is also what later commands are told for a while."""
        what = what or f"cannot be reached by {self.section.connect}: {why}"
        self._gone = (time.monotonic() + _AGAIN_S, what)
        return self.could_not_look(what)


def marker_word() -> str:
    """A word that a host cannot have foreseen."""
    return f"golive-{secrets.token_hex(8)}"


def _without_sudo(said: str, user: bool | str) -> str:
    whom = user if isinstance(user, str) else "root"
    if "password" in said or "terminal" in said:
        return f"sudo wants a password there, and none is ever sent: allow /bin/sh as {whom} with NOPASSWD"
    if "not found" in said or "No such file" in said:
        return "sudo is not installed there"
    return f"sudo refuses there to run /bin/sh as {whom}: {said}"
