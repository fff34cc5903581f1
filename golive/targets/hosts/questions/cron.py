"""Entries of cron: lines of its tables, and scripts in its folders."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import NEEDS_SUDO, framed, pieces

_STRICT = re.compile(r"[A-Za-z0-9_-]+")
_LEFT_BEHIND = re.compile(r"[.#].*|.*(~|,|,v|\.(rpmsave|rpmorig|rpmnew|swp|cfsaved))", re.DOTALL)
_LINE_LENGTH = 1_000
_MOST = 200_000
# Crontabs of users lie where only root looks: whoever may not look there cannot say that an entry is missing.
# What is not executable is not run. The `run-parts` of Debian and BusyBox, and Debian's cron, pass over every name with
# a dot in it; that of Red Hat, a script, over what an editor or a package left behind.
_SHELL = r"""
set -- /etc/crontab /etc/cron.d/* /etc/crontabs/* /var/spool/cron/crontabs/* /var/spool/cron/*
piece lines; grep -aHF %s "$@" | head -c %d
piece scripts
find -L /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/* /etc/periodic/*/* \
  -prune -type f \( -perm -100 -o -perm -010 -o -perm -001 \)
parts=$(command -v run-parts) && [ "$(head -c 2 "$parts" 2>/dev/null)" != '#!' ] && piece strict
piece hidden
for p in /etc/cron.d /etc/crontabs /var/spool/cron /var/spool/cron/crontabs; do
  [ ! -d "$p" ] || { [ -r "$p" ] && [ -x "$p" ]; } || echo "$p"; done
for p do [ ! -e "$p" ] || [ -r "$p" ] || echo "$p"; done
"""


@dataclass(frozen=True, kw_only=True)
class CronEntry:
    """When (`0 3 * * *`, `@daily`), as whom, what, and the table in which it says so.

    A script in a folder such as `/etc/cron.daily` has `daily` as its time.
    """

    schedule: str
    user: str
    command: str
    file: str

    def __str__(self) -> str:
        return f"{self.schedule} {self.user} {self.command} ({self.file})"


@dataclass(frozen=True, kw_only=True)
class CronEntries(Question[tuple[CronEntry, ...]]):
    """The active entries whose command holds `text`. No answer when there is none but some tables may not be read."""

    text: str

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `grep` for all texts, so that no other line of the tables leaves the host."""
        texts = " ".join(f"-e {shlex.quote(question.text)}" for question in asked)
        return framed(frame, _SHELL % (texts, _MOST))

    @classmethod
    def parse(
        cls, asked: Sequence[Self], said: bytes, frame: str
    ) -> Mapping[Self, tuple[CronEntry, ...] | CouldNotLook]:
        """Comments and settings of variables are no entries."""
        told = pieces(said, frame)
        if "hidden" not in told or len(told["lines"].encode()) >= _MOST - 1:
            return dict.fromkeys(asked, CouldNotLook("the tables of cron were not told in full"))
        entries = [e for e in map(_entry, told["lines"].splitlines()) if e is not None]
        entries += [_script(path) for path in told["scripts"].splitlines()]
        entries = [e for e in entries if _is_read(e.file, strict="strict" in told)]
        hidden = told["hidden"].split("\n")[0]
        found: dict[Self, tuple[CronEntry, ...] | CouldNotLook] = {}
        for question in asked:
            of_it = tuple(entry for entry in entries if question.text in entry.command)
            found[question] = of_it if of_it or not hidden else CouldNotLook(f"{hidden}: {NEEDS_SUDO}")
        return found


def _entry(told: str) -> CronEntry | None:
    file, _, line = told[:_LINE_LENGTH].partition(":")
    line = line.strip()
    times = 1 if line.startswith("@") else 5
    has_user = file == "/etc/crontab" or file.startswith("/etc/cron.d/")
    parts = line.split(None, times + (1 if has_user else 0))
    if line.startswith("#") or len(parts) <= times + (1 if has_user else 0) or not _is_time(parts[0]):
        return None
    user = parts[times] if has_user else PurePosixPath(file).name
    return CronEntry(schedule=" ".join(parts[:times]), user=user, command=parts[-1], file=file)


def _is_read(file: str, *, strict: bool) -> bool:
    """Whether cron looks at a file of this name, which matters in the folders that anything may be put into."""
    path = PurePosixPath(file)
    if not path.parent.name.startswith("cron.") and path.parts[:3] != ("/", "etc", "periodic"):
        return True
    return bool(_STRICT.fullmatch(path.name)) if strict else not _LEFT_BEHIND.fullmatch(path.name)


def _is_time(word: str) -> bool:
    """Where a line begins with a name it sets a variable."""
    return word[0] in "@*~" or word[0].isdigit()


def _script(path: str) -> CronEntry:
    when = PurePosixPath(path).parent.name.removeprefix("cron.")
    return CronEntry(schedule=when, user="root", command=path, file=path)
