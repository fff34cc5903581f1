"""Runs one of the demo's own services in a container: `service.py NAME`, or `service.py NAME --is-ready`.

The demo has everything on loopback. Here each service has a network of its own, in which the others have names. So what
a service would bind on 127.0.0.1 is bound on all addresses of its container (which ports reach the host is compose's
matter), and what it would reach on 127.0.0.1 is reached under the name of the service that has that port.
"""

from __future__ import annotations

import importlib
import signal
import socket
import sys
from typing import Any

from demo import settings as demo_settings
from demo.readiness import PROBES

LOOPBACK = "127.0.0.1"


def address(settings: demo_settings.Settings, port: int) -> str:
    """The name of the service that has this port."""
    ports = settings.ports
    names = {ports.postgres: "postgres", ports.redis: "redis", ports.mail_smtp: "mail", ports.api: "api"}
    return names.get(port, LOOPBACK)


def spread(settings: demo_settings.Settings) -> None:
    """From now on what is on loopback is in other containers."""
    bind, connect, database = socket.socket.bind, socket.socket.connect, demo_settings.Settings.database

    def bind_all(self: socket.socket, to: Any) -> None:
        bind(self, ("0.0.0.0", *to[1:]) if to[0] == LOOPBACK else to)

    def connect_by_name(self: socket.socket, to: Any) -> None:
        connect(self, (address(settings, to[1]), to[1]) if to[0] == LOOPBACK else to)

    def database_by_name(self: demo_settings.Settings, *arguments: Any, **more: Any) -> dict[str, Any]:
        return {**database(self, *arguments, **more), "host": address(self, self.ports.postgres)}

    for owner, name, replacement in (
        (socket.socket, "bind", bind_all),
        (socket.socket, "connect", connect_by_name),
        (demo_settings.Settings, "database", database_by_name),
    ):
        setattr(owner, name, replacement)


def main() -> None:
    """Serve until SIGTERM, which the first process of a container would not notice by itself."""
    name, *options = sys.argv[1:]
    settings = demo_settings.load()
    spread(settings)
    if options == ["--is-ready"]:
        sys.exit(PROBES[name](settings))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    importlib.import_module(f"demo.services.{name}").main()


if __name__ == "__main__":
    main()
