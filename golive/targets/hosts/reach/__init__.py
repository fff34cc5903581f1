"""Ways to reach a host: one file a scheme, each of which can send one command and hand back what it printed.

What is sent is a short command line for the shell of whoever logs in, and the text proper on
its standard input. The input stays open as long as the command runs: where it ends early,
because the link was cut or this process is gone, the command ends itself there.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from golive.environment.connection import Connection
from golive.environment.sections import HostSection
from golive.targets.shell import CommandResult

Sockets = Callable[[], Path]


class Unreachable(Exception):
    """Nobody is there, or nobody whom we may talk to; the text says why, in one line."""


class Way(Protocol):
    """How one host is reached. Safe to use from several threads."""

    connections: int
    """How many connections were opened to the host so far."""
    sudo: bool | str
    """Whom commands are run as there: True is root, a text that user, False whoever logs in."""

    def open(self) -> None:
        """Open what commands need, if that is not open. Unreachable, after the time-out of the host at the latest."""

    def send(self, line: str, text: bytes, *, until: bytes, timeout_s: float, max_bytes: int) -> CommandResult:
        """After `open`: let the host's shell run `line` with `text` on its input.

        The input stays open until `until` was printed. Unreachable; TookTooLong and WroteTooMuch with what was
        printed until then.
        """

    def why(self, result: CommandResult) -> str:
        """Why the command never ran, in one line, out of what came back instead; "" when there is nothing to add."""

    def close(self) -> None:
        """Let go of what was opened for this host alone."""


def open_way(name: str, section: HostSection, connection: Connection, sockets: Sockets) -> Way:
    """The way to the host that is called `name`. Unreachable when something needed for it is missing here.

    `sockets` tells the folder in which the processes of one run share connections.
    """
    module = importlib.import_module(f"{__name__}.{_MODULES.get(connection.scheme, connection.scheme)}")
    return cast(Way, module.open_way(name, section, connection, sockets))


_MODULES = {"docker": "containers", "podman": "containers", "kubectl": "containers"}
