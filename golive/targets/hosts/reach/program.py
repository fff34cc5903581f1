"""Reaching a host by running a local program for each command."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from golive.targets.hosts.reach import Unreachable
from golive.targets.shell import CommandResult, run_program


def silent() -> dict[str, str]:
    """Environment in which nothing asks whoever sits at this machine, neither on a terminal nor in a window."""
    return {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}


class Program:
    """One run of a program a command. `arguments` makes its argument list out of the command line to be run there."""

    def __init__(
        self, arguments: Callable[[str], list[str]], *, sudo: bool | str = False, connects: bool = True
    ) -> None:
        self._arguments = arguments
        self._connects = connects
        self.sudo = sudo
        self.connections = 0

    def open(self) -> None:
        """Nothing is held between two commands."""

    def send(self, line: str, text: bytes, *, until: bytes, timeout_s: float, max_bytes: int) -> CommandResult:
        """As `Way.send`."""
        self.connections += self._connects
        arguments = self._arguments(line)
        try:
            return run_program(
                arguments, timeout_s=timeout_s, max_bytes=max_bytes, stdin=text, until=until, env=silent()
            )
        except OSError as error:
            raise Unreachable(f"`{arguments[0]}` cannot be run here: {error.strerror}") from None

    def why(self, _result: CommandResult) -> str:
        """The program's own words say it."""
        return ""

    def close(self) -> None:
        """Nothing is held."""


def expanded(path: str) -> str:
    """The path with `~` filled in."""
    return str(Path(path).expanduser())


def installed(program: str, scheme: str) -> str:
    """The program, or Unreachable when it is not there."""
    if shutil.which(program) is None:
        raise Unreachable(f"`{program}` is not installed here, and {scheme}:// needs it")
    return program
