"""Which packages are installed: from the package database of Debian, Alpine or any system with `rpm`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self, get_args

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import framed, pieces, told_nothing, words

Manager = Literal["dpkg", "apk", "rpm"]
_NOTHING_LEFT = ("not-installed", "config-files")

# The databases of dpkg and apk are text, and reading it costs a fifth of what their programs take. One line a package:
# name, then the state (dpkg) and the version.
_SHELL = r"""
deb() { awk -v asked="$*" '
  BEGIN { n = split(asked, a, " "); for (i = 1; i <= n; i++) want[a[i]] = 1 }
  function tell() { if (p in want || (p ":" r) in want) print p, r, s, v }
  /^Package:/ { p = $2; s = v = r = "-" } /^Status:/ { s = $4 } /^Version:/ { v = $2 } /^Architecture:/ { r = $2 }
  /^$/ { tell(); p = "" } END { tell() }' /var/lib/dpkg/status; }
alpine() { awk -v asked="$*" '
  BEGIN { n = split(asked, a, " "); for (i = 1; i <= n; i++) want[a[i]] = 1 }
  /^P:/ { p = substr($0, 3) } /^V:/ && p in want { print p, "-", "installed", substr($0, 3) }' "$db"; }
for db in /lib/apk/db/installed /usr/lib/apk/db/installed ''; do [ -f "$db" ] && break; done
"""


@dataclass(frozen=True, kw_only=True)
class Installed:
    """What is installed of a package: `versions` is empty when nothing is. `manager` says how versions compare.

    `halfway` are dpkg's words for what is there without being installed whole: `unpacked`, `half-configured`.
    """

    manager: Manager
    versions: tuple[str, ...]
    halfway: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Package(Question[Installed]):
    """A package by its name; on Debian `name:architecture` is one of several of the same name."""

    name: str

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `awk` over the database, or one `rpm`, for all packages."""
        names = words(*(question.name for question in asked))
        form = "'%{NAME} %{ARCH} installed %{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n'"
        return framed(
            frame,
            _SHELL,
            f"if [ -s /var/lib/dpkg/status ]; then piece dpkg; deb {names} && piece done",
            f'elif [ -n "$db" ]; then piece apk; alpine {names} && piece done',
            f"elif has rpm; then piece rpm; rpm -q --qf {form} {names}; piece done",
            "fi",
        )

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, Installed | CouldNotLook]:
        """Whatever the database does not name is not installed, if it was read to its end."""
        told = pieces(said, frame)
        manager = next((name for name in get_args(Manager) if name in told), None)
        if manager is None:
            why = CouldNotLook("neither dpkg's nor apk's database is there, nor `rpm`")
            return dict.fromkeys(asked, why)
        if "done" not in told:
            return {question: told_nothing(question.name) for question in asked}
        rows = [row for row in (line.split() for line in told[manager].splitlines()) if len(row) == 4]
        if manager == "rpm" and not _is_told(asked, told[manager], rows):
            return dict.fromkeys(asked, CouldNotLook("rpm could not look into its database"))
        return {question: _installed(manager, question.name, rows) for question in asked}


def _installed(manager: Manager, name: str, rows: Sequence[Sequence[str]]) -> Installed:
    wanted, _, architecture = name.partition(":")
    own = [row[2:] for row in rows if row[0] == wanted and architecture in ("", row[1])]
    return Installed(
        manager=manager,
        versions=tuple(version for state, version in own if state == "installed"),
        halfway=tuple(state for state, _ in own if state not in ("installed", *_NOTHING_LEFT)),
    )


def _is_told(asked: Sequence[Package], said: str, rows: Sequence[Sequence[str]]) -> bool:
    """`rpm` says of each package that it is there or is not; otherwise it could not look."""
    absent = {line.split()[1] for line in said.splitlines() if re.fullmatch(r"package \S+ is not installed", line)}
    return all(question.name in {row[0] for row in rows} | absent for question in asked)
