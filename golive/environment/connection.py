"""Connection strings: how a host is reached, taken apart and held against what each scheme knows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from golive.environment.problems import unknown_name

_EXAMPLES = {
    "local": "local://",
    "ssh": "ssh://user@host:22",
    "paramiko": "paramiko://user@host:22",
    "docker": "docker://user@container",
    "podman": "podman://user@container",
    "kubectl": "kubectl://pod?namespace=shop&container=api",
    "ansible": "ansible://host?ansible_inventory=/etc/ansible/hosts",
}
SCHEMES = tuple(_EXAMPLES)
_ALIASES = {"safe-ssh": "ssh"}
_OPTIONS = {"kubectl": ("namespace", "container", "context", "kubeconfig"), "ansible": ("ansible_inventory",)}
_KEYS = {
    "ssh_identity_file": "identity_file", "ssh_config": "ssh_config", "sudo": "sudo", "sudo_user": "sudo",
    "timeout": "timeout",
}  # fmt: skip
APPLIES = {
    "ssh_config": ("ssh", "paramiko", "ansible"),
    "identity_file": ("ssh", "paramiko", "ansible"),
    "known_hosts": ("ssh", "paramiko", "ansible"),
    "jump": ("ssh", "ansible"),
    "sudo": ("local", "ssh", "paramiko", "ansible"),
}
"""Schemes to which each key of a host applies."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A connection string taken apart. `host` is a machine, container or pod, "" for the machine we are on."""

    scheme: str
    host: str = ""
    user: str | None = None
    port: int | None = None
    options: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> Connection:
    """ValueError says what is wrong with `text`, and what to write instead."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise ValueError(f"a connection is written {', '.join(_EXAMPLES.values())}; got {text!r}")
    if scheme not in (*SCHEMES, *_ALIASES):
        raise ValueError(f"{unknown_name('scheme', scheme, SCHEMES)}; got {text!r}")
    scheme = _ALIASES.get(scheme, scheme)
    user, host, port = _place(text, scheme)
    if scheme == "local" and rest.partition("?")[0].strip("/"):
        raise ValueError(f"local:// is the machine that this runs on, and takes no name; got {text!r}")
    if scheme != "local" and not host:
        raise ValueError(f"whom to reach is missing: write {_EXAMPLES[scheme]}; got {text!r}")
    if host.startswith("-") or (user or "").startswith("-"):
        raise ValueError(f"a name does not begin with '-'; got {text!r}")
    return Connection(scheme=scheme, host=host, user=user, port=port, options=_options(text, scheme))


def _place(text: str, scheme: str) -> tuple[str | None, str, int | None]:
    """User, host and port. Container names keep their letters and may hold what a URL's host may not."""
    place = text.partition("://")[2].partition("?")[0].rstrip("/")
    user, at, host = place.rpartition("@")
    if ":" in user:
        raise ValueError("no password in a connection: use a key or the agent (`identity_file`)")
    if scheme not in ("ssh", "paramiko"):
        if "/" in host and scheme != "local":
            raise ValueError(f"{host!r} is no name: write {_EXAMPLES[scheme]}")
        return unquote(user) if at else None, unquote(host), None
    found = re.fullmatch(r"(?:\[(?P<six>[^\]]+)\]|(?P<name>[^:/\[\]]*))(?::(?P<port>\d+))?", host)
    port = int(found["port"]) if found and found["port"] else None
    if found is None or (port is not None and not 0 < port < 65536):
        raise ValueError(f"{host!r} is no host with an optional port: write {_EXAMPLES[scheme]}")
    return unquote(user) if at else None, unquote(found["six"] or found["name"]), port


def _options(text: str, scheme: str) -> dict[str, str]:
    options = dict(parse_qsl(text.partition("?")[2], keep_blank_values=True))
    known = _OPTIONS.get(scheme, ())
    for name in options:
        if name in _KEYS:
            raise ValueError(f"{name!r} is written as a key of the host: '{_KEYS[name]}: …'")
        if name not in known:
            raise ValueError(unknown_name("option", name, known) if known else f"{scheme}:// takes no option {name!r}")
    return options
