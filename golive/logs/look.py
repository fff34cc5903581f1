"""The shell text that a log file and its rotated siblings are read with, and the parsing of what it prints.

One command tells which files there are and brings what is new in the current one, so that
the usual look is a single round trip. Where more is new than may be carried, only lines
with a grave word are, picked by `grep` on the host.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from golive.logs.levels import HEAVY_WORDS

HEAD_BYTES = 256
_ZONE = re.compile(r"([+-])(\d\d)(\d\d)")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_SIBLING = re.compile(r"[.-]\d[\d\-T:_.]*(?:\.(?P<packed>gz|bz2|xz|zst))?$|\.old$|\.bak$")
_UNPACK = {"gz": "gzip -dc", "bz2": "bzip2 -dc", "xz": "xz -dc", "zst": "zstd -dc"}
_NUMBERED = (r'"(level|lvl|severity)" *: *"?[0-9]', "^[WEF][0-9]{4} ", "^<[0-9]{1,3}>", ":[XCSM] .* # ")
# Levels written as a number (pino, bunyan, GELF), as a letter (klog), as a priority (syslog) or as a sign (Redis).
_GRAVE = "|".join((*(word.replace("(", "[(]") for word in HEAVY_WORDS), *_NUMBERED))


class Garbled(Exception):
    """What came back is not what the script prints."""


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file as `stat` shows it. Times are Unix seconds; `born_at` is None where the file system keeps none."""

    path: str
    inode: int
    size: int
    changed_at: int
    born_at: int | None

    def packed(self, current: str) -> str | None:
        """The program's name that this sibling of `current` was compressed with."""
        found = _SIBLING.fullmatch(self.path.removeprefix(current))
        return found["packed"] if found else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A part of a file. `whole` is False when only its lines with a grave word are in `data`."""

    data: bytes
    whole: bool
    cut: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What the host told: `current` is None when the file itself is not there. Siblings come oldest first."""

    path: str
    host_now: int
    zone: timedelta
    current: File | None
    siblings: tuple[File, ...]
    head: bytes
    stretch: Stretch
    moved: bool
    problem: str = ""


def look_script(marker: str, path: str, offset: int, max_bytes: int) -> str:
    """Print the files, the beginning of the current one, and what follows `offset` in it."""
    return f"""
M={marker}; P={shlex.quote(path)}; O={offset}
date +%s; date +%z
stat -L -c '%i %s %Y %W %n' -- "$P" 2>&1
stat -L -c '%i %s %Y %W %n' -- "$P".* "$P"-* 2>/dev/null
S=$(stat -L -c %s -- "$P" 2>/dev/null || echo 0)
printf '%s\\n' "$M"; head -c {HEAD_BYTES} -- "$P" 2>/dev/null
printf '\\n%s\\n' "$M"
{_stretch('tail -c +$((O+1)) -- "$P" 2>/dev/null | head -c $((S>O ? S-O : 0))', "$((S-O))", max_bytes)}
printf '\\n%s\\n' "$M"; stat -L -c '%i' -- "$P" 2>/dev/null
"""


def heads_script(marker: str, path: str, siblings: Iterable[File]) -> str:
    """Print the beginning of each sibling, unpacked."""
    return "\n".join(
        f"{_opened(path, file)} 2>/dev/null | head -c {HEAD_BYTES}; printf '\\n%s\\n' {marker}" for file in siblings
    )


def stretch_script(path: str, file: File, offset: int, max_bytes: int) -> str:
    """Print what follows `offset` in one sibling, unpacked."""
    size = file.size * 12 if file.packed(path) else file.size - offset
    return _stretch(f"{_opened(path, file)} 2>/dev/null | tail -c +{offset + 1}", str(size), max_bytes)


def parse_look(said: bytes, marker: str, path: str, max_bytes: int) -> Look:
    """Garbled when the host printed something else."""
    parts = said.split(f"{marker}\n".encode(), 3)
    if len(parts) != 4:
        raise Garbled("what the host printed about the log is cut")
    lines = parts[0].decode("utf-8", "replace").splitlines()
    files = [file for line in lines[2:] if (file := _file(line)) is not None]
    current = next((file for file in files if file.path == path), None)
    after = parts[3].strip()
    return Look(
        path=path,
        host_now=int(lines[0]) if lines and lines[0].isdigit() else 0,
        zone=_zone(lines[1]) if len(lines) > 1 else timedelta(0),
        current=current,
        siblings=tuple(sorted((f for f in files if _is_sibling(f, path)), key=lambda f: _age_order(f, path))),
        head=parts[1][:-1],
        stretch=parse_stretch(parts[2][:-1], max_bytes),
        moved=current is not None and after != str(current.inode).encode(),
        problem="" if current else _CONTROLS.sub(" ", next(iter(lines[2:]), ""))[:200],
    )


def parse_heads(said: bytes, marker: str) -> list[bytes]:
    """The beginnings in the order of the siblings that were asked for."""
    return said.split(f"\n{marker}\n".encode())[:-1]


def parse_stretch(said: bytes, max_bytes: int) -> Stretch:
    """What `_stretch` printed: its first line says whether all lines follow or only those with a grave word."""
    kind, _, data = said.partition(b"\n")
    if kind not in (b"whole", b"heavy"):
        raise Garbled("what the host printed of the log is cut")
    return Stretch(data=data[:max_bytes], whole=kind == b"whole", cut=len(data) > max_bytes)


def _stretch(source: str, size: str, max_bytes: int) -> str:
    # The first line always comes along: it tells how far back the file reaches.
    heavy = f"{{ IFS= read -r l && printf '%s\\n' \"$l\"; LC_ALL=C grep -aiE {shlex.quote(_GRAVE)}; }}"
    return (
        f"if [ {size} -le {max_bytes} ]; then echo whole; {source} | head -c {max_bytes + 1}; "
        f"else echo heavy; {source} | {heavy} | head -c {max_bytes + 1}; fi"
    )


def _opened(path: str, file: File) -> str:
    return f"{_UNPACK.get(file.packed(path) or '', 'cat')} -- {shlex.quote(file.path)}"


def _file(line: str) -> File | None:
    words = line.split(" ", 4)
    if len(words) != 5 or not all(word.lstrip("-").isdigit() for word in words[:3]):
        return None
    born = int(words[3]) if words[3].isdigit() else 0
    return File(path=words[4], inode=int(words[0]), size=int(words[1]), changed_at=int(words[2]), born_at=born or None)


def _is_sibling(file: File, path: str) -> bool:
    return file.path != path and _SIBLING.fullmatch(file.path.removeprefix(path)) is not None


def _age_order(file: File, path: str) -> tuple[int, int, str]:
    """By time of the last change; within one second `path.2` is older than `path.1`."""
    number = re.match(r"\.(\d{1,5})(?:\.|$)", file.path.removeprefix(path))
    return (file.changed_at, -int(number[1]) if number else 0, file.path)


def _zone(text: str) -> timedelta:
    found = _ZONE.fullmatch(text.strip())
    offset = timedelta(hours=int(found[2]), minutes=int(found[3])) if found else timedelta(0)
    return -offset if found and found[1] == "-" else offset
