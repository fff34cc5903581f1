"""Processes of a host, by name, command line and user."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import framed, number, pieces
from golive.targets.shell import plain

COMMAND_BYTES = 262_144
"""A single argument may have 128 KiB, and a script given to a shell is one."""
_STAT_BYTES = 120
_NAME_LENGTH = 15
_HEADER = re.compile(r"(?:^|\n)==> (\d{1,10})/(stat|cmdline) <==\n", re.ASCII)
_STAT = re.compile(r"\d+ \((?P<name>.*)\) (?P<state>\S) \d+ -?\d+ (?P<session>-?\d{1,10}) ", re.DOTALL | re.ASCII)
_OURS = re.compile(r"golive-[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True)
class RunningProcess:
    """A process: `name` as the kernel keeps it (15 characters), its command line cut to `COMMAND_BYTES`."""

    pid: int
    name: str
    state: str
    session: int
    command: str = ""
    user: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether it is neither a zombie nor being ended."""
        return self.state not in "ZXx"

    @property
    def is_stopped(self) -> bool:
        """Whether a signal or a debugger holds it: it is there, and does nothing."""
        return self.state in "Tt"

    def __str__(self) -> str:
        return f"{self.pid} {plain(self.name)}" + (f" of {self.user}" if self.user else "")


@dataclass(frozen=True, kw_only=True)
class Processes(Question[tuple[RunningProcess, ...]]):
    """Processes, zombies included, of this name and with a command line in which this pattern is found.

    Their users are told only `with_users`. Those that this visit itself started are left out.
    """

    name: str | None = None
    command: str | None = None
    with_users: bool = False

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """`head` names each file that it prints; command lines and users only if somebody wants them."""
        lines = ["cd /proc || exit 0", 'piece self; echo "$$"', f"piece table; head -c {_STAT_BYTES} [0-9]*/stat"]
        if any(question.command for question in asked):
            lines += [f"piece commands; head -c {COMMAND_BYTES} [0-9]*/cmdline"]
        if any(question.with_users for question in asked):
            lines += ["piece users; stat -c '%U %n' [0-9]*"]
        return framed(frame, *lines)

    @classmethod
    def parse(
        cls, asked: Sequence[Self], said: bytes, frame: str
    ) -> Mapping[Self, tuple[RunningProcess, ...] | CouldNotLook]:
        """The patterns are tried here, so that the visit's own command line cannot match them there."""
        told = pieces(said, frame)
        if "table" not in told or (any(q.with_users for q in asked) and "users" not in told):
            return dict.fromkeys(asked, CouldNotLook("the processes were not told in full"))
        table = _table(told["table"], told["commands"], _users(told["users"]))
        if isinstance(table, CouldNotLook):
            return dict.fromkeys(asked, table)
        own = table.get(number(told["self"]) or 0)
        others = [
            p for p in table.values() if not _OURS.search(p.command) and (own is None or p.session != own.session)
        ]
        return {question: _meant(question, others) for question in asked}


def _meant(question: Processes, others: Sequence[RunningProcess]) -> tuple[RunningProcess, ...] | CouldNotLook:
    named = [p for p in others if question.name is None or p.name == question.name[:_NAME_LENGTH]]
    if question.command is None:
        return tuple(named)
    found = tuple(p for p in named if re.search(question.command, p.command))
    cut = [p for p in named if len(p.command.encode()) >= COMMAND_BYTES - 1]
    if cut and not found:
        return CouldNotLook(f"the command line of process {cut[0]} is too long to be read whole")
    return found


def _table(stats: str, commands: str, users: Mapping[int, str]) -> dict[int, RunningProcess] | CouldNotLook:
    told, lines = _files(stats, "stat"), _files(commands, "cmdline")
    if told is None or lines is None:
        # A process may call itself what looks like the head of another one's entry.
        return CouldNotLook("a process gives itself out for another one: its command line is written like an answer")
    if 1 not in told:
        return CouldNotLook("only some processes are shown (hidepid): the host needs `sudo: true`")
    table = {}
    for pid, body in told.items():
        if found := _STAT.match(body):
            table[pid] = RunningProcess(
                pid=pid,
                name=found["name"],
                state=found["state"],
                session=int(found["session"]),
                command=lines.get(pid, "").rstrip("\n\0").replace("\0", " "),
                user=users.get(pid),
            )
    return table


def _files(text: str, name: str) -> dict[int, str] | None:
    """The files of this name by their process; None when one comes twice, or another one between them."""
    parts = _HEADER.split(text)[1:]
    files: dict[int, str] = {}
    for pid, file, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if file != name or int(pid) in files:
            return None
        files[int(pid)] = body
    return files


def _users(text: str) -> dict[int, str]:
    rows = [line.rpartition(" ") for line in text.splitlines()]
    return {of: user for user, _, pid in rows if (of := number(pid)) is not None}
