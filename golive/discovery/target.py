"""What the user wants to have discovered, from the words of the command line. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Literal

from golive.discovery.naming import slug
from golive.environment import connection

Scope = Literal["host", "containers", "compose"]

_COMPOSE_FILES = (".yaml", ".yml")


class NotATarget(ValueError):
    """Words that name no target; the message says what does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where to look (`connect`), and at what: the whole host, its containers, or one compose project (`path`)."""

    connect: str
    scope: Scope = "host"
    path: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether the host is the machine that this runs on."""
        return self.scheme == "local"

    @property
    def scheme(self) -> str:
        """How the host is reached."""
        return connection.parse(self.connect).scheme

    @property
    def told(self) -> str:
        """The target as the user typed it, more or less."""
        if self.scope == "host":
            return "local" if self.is_local else self.connect
        what = "docker" if self.scope == "containers" else f"compose {self.path}"
        return what if self.is_local else f"{what} --host={self.connect}"

    @property
    def name(self) -> str:
        """A name for the environment, where the user gives none."""
        if self.scope == "compose" and self.path:
            folder = posixpath.dirname(self.path) if self.path.endswith(_COMPOSE_FILES) else self.path
            return slug(posixpath.basename(folder.rstrip("/")), "compose")
        return slug(connection.parse(self.connect).host or "local", "host")


def parse(what: str, path: str | None = None, *, host: str | None = None) -> Target:
    """`local`, `ssh://…`, `docker`, `docker://NAME`, `compose FILE`; `host` says where containers are looked for.

    NotATarget, in one line, on anything else.
    """
    if what == "compose":
        if path is None:
            raise NotATarget(
                "compose: which project? Give its compose file or its folder: golive discover compose FILE"
            )
        return Target(connect=_connect(host or "local"), scope="compose", path=path)
    if path is not None:
        raise NotATarget(f"{what}: only compose takes a file behind it")
    if what == "docker":
        return Target(connect=_connect(host or "local"), scope="containers")
    if host is not None:
        raise NotATarget("--host goes with docker and compose only: a host is its own target")
    return Target(connect=_connect(what))


def _connect(text: str) -> str:
    """A connection string that an environment may hold."""
    if text == "local":
        return "local://"
    if "://" not in text:
        wish = "local, ssh://user@host, docker, docker://NAME or compose FILE"
        raise NotATarget(f"{text!r} is no target: give {wish}")
    try:
        connection.parse(text)
    except ValueError as error:
        raise NotATarget(str(error)) from None
    return text
