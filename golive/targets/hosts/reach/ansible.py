"""A host of an Ansible inventory: `ansible-inventory` tells how it is reached, and it is reached that way.

Only variables count, not `ansible.cfg`; passwords among them are never used.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from golive.environment.connection import Connection
from golive.environment.sections import HostSection
from golive.targets.hosts.reach import Sockets, Unreachable, Way
from golive.targets.hosts.reach import open_way as open_other
from golive.targets.hosts.reach.program import expanded, installed
from golive.targets.hosts.reach.ssh import Ssh
from golive.targets.shell import TookTooLong, WroteTooMuch, one_line, run_program

_SCHEMES = {
    "ssh": "ssh",
    "smart": "ssh",
    "paramiko": "paramiko",
    "paramiko_ssh": "paramiko",
    "local": "local",
    "docker": "docker",
    "podman": "podman",
}
_MAX_BYTES = 4_000_000


def open_way(name: str, section: HostSection, connection: Connection, sockets: Sockets) -> Way:
    """As `reach.open_way`."""
    known = _variables(connection, section.timeout)
    kind = str(known.get("ansible_connection", "ssh")).rpartition(".")[2]
    if kind not in _SCHEMES:
        raise Unreachable(f"ansible_connection {kind!r} is not known here: {', '.join(sorted(_SCHEMES))}")
    scheme = _SCHEMES[kind]
    real = Connection(
        scheme=scheme,
        host="" if scheme == "local" else str(known.get("ansible_host", connection.host)),
        user=_text(known, "ansible_user", "ansible_ssh_user"),
        port=_port(known),
    )
    if real.host.startswith("-"):
        raise Unreachable(f"{real.host!r} is no name of a host")
    identity = section.identity_file or _text(known, "ansible_ssh_private_key_file", "ansible_private_key_file")
    own = section.model_copy(update={"identity_file": identity, "sudo": section.sudo or _becomes(known)})
    if scheme != "ssh":
        return open_other(name, own, real, sockets)
    installed("ssh", "ansible")
    extra = [w for key in ("ansible_ssh_common_args", "ansible_ssh_extra_args") for w in _words(known, key)]
    return Ssh(name, own, real, sockets(), extra)


def _becomes(known: Mapping[str, Any]) -> bool | str:
    """Whom the inventory lets look at the host."""
    if str(known.get("ansible_become", "")).lower() not in ("true", "yes", "1"):
        return False
    if known.get("ansible_become_method", "sudo") != "sudo":
        raise Unreachable(f"ansible_become_method {known['ansible_become_method']!r} is not known here: sudo")
    return _text(known, "ansible_become_user") or True


def _variables(connection: Connection, timeout_s: float) -> Mapping[str, Any]:
    inventory = connection.options.get("ansible_inventory")
    where = ["-i", expanded(inventory)] if inventory else []
    command = [installed("ansible-inventory", "ansible"), "--host", connection.host, *where]
    try:
        done = run_program(command, timeout_s=timeout_s, max_bytes=_MAX_BYTES)
        found = json.loads(done.stdout) if done.exit_code == 0 else None
    except (TookTooLong, WroteTooMuch):
        raise Unreachable("ansible-inventory does not come to an end") from None
    except ValueError:
        raise Unreachable("ansible-inventory prints no JSON") from None
    if not isinstance(found, dict):
        raise Unreachable(f"ansible-inventory: {one_line(done.stderr) or 'it tells nothing'}")
    return found


def _text(known: Mapping[str, Any], *keys: str) -> str | None:
    found = next((str(known[key]) for key in keys if known.get(key)), None)
    if found is not None and "{{" in found:
        raise Unreachable(f"the inventory's {keys[0]} is a template, which only Ansible can fill in")
    return found


def _port(known: Mapping[str, Any]) -> int | None:
    found = _text(known, "ansible_port", "ansible_ssh_port")
    if found is not None and not found.isdigit():
        raise Unreachable(f"the inventory's ansible_port is {found!r}")
    return int(found) if found else None


def _words(known: Mapping[str, Any], key: str) -> list[str]:
    try:
        return shlex.split(_text(known, key) or "")
    except ValueError:
        raise Unreachable(f"the inventory's {key} cannot be taken apart") from None
