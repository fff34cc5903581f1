"""What the network lets through from here: whether a port answers, refuses or stays silent, and what names mean."""

from __future__ import annotations

import errno
import socket
import threading
from typing import Literal

from golive.environment.sections import HostSection
from golive.model import CouldNotLook
from golive.targets.shell import TookTooLong, WroteTooMuch, run_program

Reached = Literal["open", "refused", "filtered"]
# What a router or firewall answers in place of the host counts as a filter: the host itself was not heard.
_FILTERED = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EACCES, errno.EPERM)
_SSH_PORT = 22


def reached(address: str, port: int, *, timeout_s: float) -> Reached:
    """Open one TCP connection. CouldNotLook when the name is not known, or this machine cannot try."""
    try:
        socket.create_connection((address, port), timeout=timeout_s).close()
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "filtered"
    except socket.gaierror:
        raise CouldNotLook(f"the name {address} is not known here") from None
    except OSError as error:
        if error.errno in _FILTERED:
            return "filtered"
        raise CouldNotLook(f"{address}:{port}: {(error.strerror or type(error).__name__).lower()}") from None
    return "open"


def address_of_host(section: HostSection) -> tuple[str, int | None]:
    """Where a host is reached from here, and its SSH port; CouldNotLook when its connection does not tell."""
    scheme, _, rest = section.connect.partition("://")
    if scheme == "local":
        return "127.0.0.1", None
    if scheme not in ("ssh", "safe-ssh", "paramiko"):
        raise CouldNotLook(f"{section.connect} does not tell its address: write it as 'address'")
    name, port = _split(rest.partition("?")[0].rpartition("@")[2])
    if scheme == "paramiko":
        return name, port or _SSH_PORT
    return _of_ssh(name, port, section.ssh_config)


def addresses_of(name: str, *, within_s: float) -> tuple[str, ...]:
    """What `name` means on this machine, sorted; nothing when there is no such name.

    CouldNotLook when no name server answers, or none does within `within_s`.
    """
    found: list[set[str]] = []
    trouble: list[socket.gaierror] = []

    def look() -> None:
        try:
            found.append({str(entry[4][0]) for entry in socket.getaddrinfo(name, None)})
        except socket.gaierror as error:
            trouble.append(error)

    looking = threading.Thread(target=look, name=f"resolve-{name}", daemon=True)
    looking.start()
    looking.join(within_s)
    if found:
        return tuple(sorted(address.partition("%")[0] for address in found[0]))
    if trouble and trouble[0].errno in (socket.EAI_NONAME, socket.EAI_NODATA):
        return ()
    why = (trouble[0].strerror or "unknown").lower() if trouble else f"no answer within {within_s:g} s"
    raise CouldNotLook(f"{name} cannot be looked up here: {why}")


def _split(spec: str) -> tuple[str, int | None]:
    """`host:22` and `[::1]:22`."""
    if spec.startswith("["):
        name, _, port = spec[1:].partition("]")
        port = port.removeprefix(":")
    else:
        name, _, port = spec.partition(":")
    return name, int(port) if port.isascii() and port.isdigit() else None


def _of_ssh(name: str, port: int | None, config: str | None) -> tuple[str, int]:
    """What `ssh` makes of a name by its configuration; the name itself where `ssh` cannot be asked."""
    try:
        told = run_program(["ssh", *(["-F", config] if config else []), "-G", name], timeout_s=5.0, max_bytes=100_000)
    except (OSError, TookTooLong, WroteTooMuch):
        return name, port or _SSH_PORT
    settings = dict(line.split(None, 1) for line in told.stdout.lower().splitlines() if " " in line)
    configured = settings.get("port", "")
    return settings.get("hostname", name), port or (int(configured) if configured.isdigit() else _SSH_PORT)
