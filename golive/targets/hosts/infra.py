"""testinfra's host over our own connection, for a team's own tests: nothing connects twice or waits for ever."""

from __future__ import annotations

from typing import Any, Protocol

from testinfra.backend import base  # type: ignore[import-untyped]
from testinfra.host import Host as InfraHost  # type: ignore[import-untyped]

from golive.targets.shell import CommandResult


class Runs(Protocol):
    """What runs a command on a host."""

    name: str

    def run(self, command: str) -> CommandResult:
        """The command's exit code and output."""


class _Backend(base.BaseBackend):  # type: ignore[misc] # testinfra ships no types
    NAME = "golive"

    def __init__(self, host: Runs) -> None:
        super().__init__(host.name)
        self._over = host
        # Without this testinfra asks the host for its encoding with a command of its own.
        self._encoding = "utf-8"

    def get_sudo_command(self, command: str, sudo_user: str | None) -> str:
        """Nobody is there to type a password."""
        return super().get_sudo_command(command, sudo_user).replace("sudo ", "sudo -n ", 1)  # type: ignore[no-any-return]

    def run(self, command: str, *arguments: str, **_: Any) -> Any:
        """As testinfra's own backends; the result is not logged, since it may hold what must not be shown."""
        done = self._over.run(self.get_command(command, *arguments))
        return base.CommandResult(
            backend=self,
            exit_status=done.exit_code,
            command=command.encode(),
            _stdout=done.stdout_bytes,
            _stderr=done.stderr_bytes,
        )


def infra_host(host: Runs) -> Any:
    """A `testinfra.host.Host` whose commands `host` runs."""
    made = InfraHost(_Backend(host))
    made.backend.set_host(made)
    return made
