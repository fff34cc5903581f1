"""What a file is: one `stat` for all files."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import (
    NEEDS_SUDO,
    age,
    framed,
    in_order,
    is_absent,
    is_denied,
    number,
    told_nothing,
    words,
)
from golive.targets.shell import one_line

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "fifo",
    stat.S_IFBLK: "block device",
    stat.S_IFCHR: "character device",
}
# Those that are there are told apart first, so that errors never come between two answers.
_SHELL = r"""
is() { [ -e "$1" ] || { [ -z "$D" ] && [ -L "$1" ]; }; }
seen() { n=$#; for p do if is "$p"; then set -- "$@" "$p"; fi; done; shift "$n"
  [ $# -eq 0 ] || stat $D -c "$F %s:%f:%u:%g:%Y:%U:%G:%n" "$@" 2>/dev/null; }
lost() { n=$#; for p do if is "$p"; then :; else set -- "$@" "$p"; fi; done; shift "$n"
  [ $# -eq 0 ] || stat $D -c %s "$@" 2>&1 >/dev/null; }
piece now; date +%s
"""


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """A file as `stat` tells it; `mode` are the permission bits, `kind` one of file, directory, symlink, socket …

    `age_s` is below 0 when it is dated in the future of its own host.
    """

    kind: str
    mode: int
    uid: int
    gid: int
    owner: str
    group: str
    size_bytes: int
    age_s: float
    target: str | None = None


@dataclass(frozen=True, kw_only=True)
class FileState(Question[FileFacts | None]):
    """What lies at `path`, or None; with `link` a symbolic link is looked at itself, and not what it leads to."""

    path: str
    link: bool = False

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `stat` for what is there and one for what is not, each for links and for what they lead to."""
        lines = [_SHELL]
        for link in (False, True):
            paths = words(*(question.path for question in asked if question.link is link))
            if paths:
                name = "link" if link else "file"
                lines += [
                    f"D={'' if link else '-L'}",
                    f"piece {name}; seen {paths}",
                    f"piece {name} lost; lost {paths}",
                ]
        links = [(number, question.path) for number, question in enumerate(asked) if question.link]
        lines += [f"if [ -L {words(path)} ]; then piece to {n}; readlink {words(path)}; fi" for n, path in links]
        return framed(frame, *lines)

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, FileFacts | CouldNotLook | None]:
        """None for what `stat` says is not there."""
        # Each answer of `stat` begins with the frame too, so it is a piece of its own.
        told = _records(said, frame)
        found: dict[Self, FileFacts | CouldNotLook | None] = {}
        for order, question in enumerate(asked):
            record = told.records.get((question.link, _spelled(question.path)))
            errors = told.lost.get(question.link)
            if record is None:
                found[question] = _absence(question.path, errors)
            else:
                found[question] = _facts(record, told.now, told.targets.get(order)) or told_nothing(question.path)
        return found


@dataclass(frozen=True)
class _Told:
    now: int | None
    records: Mapping[tuple[bool, str], list[str]]
    lost: Mapping[bool, list[str]]
    targets: Mapping[int, str]


def _spelled(path: str) -> str:
    return f"./{path}" if path.startswith("-") else path


def _records(said: bytes, frame: str) -> _Told:
    records: dict[tuple[bool, str], list[str]] = {}
    lost: dict[bool, list[str]] = {}
    targets: dict[int, str] = {}
    link, now = False, None
    for head, text in in_order(said, frame):
        if head == "now":
            now = number(text)
        elif head in ("file", "link"):
            link = head == "link"
        elif head in ("file lost", "link lost"):
            lost[head == "link lost"] = text.splitlines()
        elif head.startswith("to ") and (order := number(head[3:])) is not None:
            targets[order] = text.removesuffix("\n")
        elif (fields := f"{head}\n{text}".removesuffix("\n").split(":", 7)) and len(fields) == 8:
            records[link, fields[7]] = fields[:7]
    return _Told(now, records, lost, targets)


def _facts(fields: list[str], now: int | None, target: str | None) -> FileFacts | None:
    if now is None:
        return None
    size, mode, uid, gid, changed, owner, group = fields
    try:
        bits = int(mode, 16)
        return FileFacts(
            kind=_KINDS.get(stat.S_IFMT(bits), "something else"),
            mode=stat.S_IMODE(bits),
            uid=int(uid),
            gid=int(gid),
            owner=owner,
            group=group,
            size_bytes=int(size),
            age_s=age(now - int(changed)),
            target=target,
        )
    except (ValueError, OverflowError):
        return None


def _absence(path: str, errors: list[str] | None) -> CouldNotLook | None:
    """None when `stat` said that it is not there: by its name, or by saying so of everything."""
    if not errors:
        return told_nothing(path)
    own = [line for line in errors if f"'{_spelled(path)}'" in line]
    for line in own or errors:
        if not is_absent(line):
            return CouldNotLook(f"{path}: {NEEDS_SUDO if is_denied(line) else one_line(line)}")
    return None
