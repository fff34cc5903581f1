"""Accounts that may log in to a shell, and groups whose members are as good as root."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from golive.discovery.questions import Survey

_NO_SHELL = "nologin|false|sync|halt|shutdown"
_ROOTLIKE = "sudo|wheel|admin|docker|podman|lxd|disk"


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """An account with a login shell."""

    name: str
    uid: int
    shell: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A group and those who are listed as its members."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Groups(Survey[tuple[Group, ...]]):
    """The groups through which one becomes root, as far as they are there."""

    def text(self, frame: str) -> str:
        """A row a group."""
        return rf"""
{{ getent group 2>/dev/null || cat /etc/group; }} | awk -F: -v frame={frame} '
  $1 ~ /^({_ROOTLIKE})$/ {{ printf "%s\tgroup\t%s\t%s\n", frame, $4, $1 }}'
printf '{frame}\tend\n'
"""

    @classmethod
    def found(cls, rows: Sequence[Sequence[str]]) -> tuple[Group, ...]:
        """In the order of their names."""
        groups = [
            Group(name=row[2], members=tuple(sorted(filter(None, row[1].split(",")))))
            for row in rows
            if row[0] == "group" and len(row) == 3
        ]
        return tuple(sorted(groups, key=lambda group: group.name))


@dataclass(frozen=True)
class Logins(Survey[tuple[Login, ...]]):
    """Every account whose shell lets somebody in."""

    def text(self, frame: str) -> str:
        """A row an account; the shell of one without any is sh."""
        return rf"""
{{ getent passwd 2>/dev/null || cat /etc/passwd; }} | awk -F: -v frame={frame} '
  NF == 7 && $7 !~ /\/({_NO_SHELL})$/ {{ printf "%s\tlogin\t%s\t%s\t%s\n", frame, $3, $7 == "" ? "/bin/sh" : $7, $1 }}'
printf '{frame}\tend\n'
"""

    @classmethod
    def found(cls, rows: Sequence[Sequence[str]]) -> tuple[Login, ...]:
        """In the order of their numbers."""
        logins = [
            Login(uid=int(row[1]), shell=row[2], name=row[3])
            for row in rows
            if row[0] == "login" and len(row) == 4 and row[1].isdigit()
        ]
        return tuple(sorted(logins, key=lambda login: (login.uid, login.name)))
