"""A running container of Docker or Podman, or of a Kubernetes pod, through the program of each."""

from __future__ import annotations

from golive.environment.connection import Connection
from golive.environment.sections import HostSection
from golive.targets.hosts.reach import Sockets
from golive.targets.hosts.reach.program import Program, installed

_BEFORE_EXEC = {"kubeconfig": "--kubeconfig", "context": "--context", "namespace": "--namespace"}


def open_way(_name: str, _section: HostSection, connection: Connection, _sockets: Sockets) -> Program:
    """As `reach.open_way`."""
    program = installed(connection.scheme, connection.scheme)
    into = _pod(connection) if program == "kubectl" else _container(connection)
    return Program(lambda line: [program, *into, "/bin/sh", "-c", line])


def _container(connection: Connection) -> list[str]:
    user = ["--user", connection.user] if connection.user else []
    return ["exec", "--interactive", *user, connection.host]


def _pod(connection: Connection) -> list[str]:
    given = connection.options
    before = [f"{flag}={given[key]}" for key, flag in _BEFORE_EXEC.items() if key in given]
    container = [f"--container={given['container']}"] if "container" in given else []
    return [*before, "exec", "--stdin", *container, connection.host, "--"]
