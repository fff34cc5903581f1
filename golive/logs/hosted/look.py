"""The shell text that a log file and its rotated siblings are looked at with, and the parsing of what it prints.

One command tells which files there are and brings what is new in the current one, so that
the usual look is a single round trip. Where more is new than may be carried, it brings
samples from which is decided how the rest is read.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

HEAD_BYTES = 1_024
"""What a file is known by: more than the banner that a program begins each log with."""
DAMAGED = b"golive: cannot be unpacked"
"""What is said on standard error where a packed file was not unpacked to its end."""
TAIL_BYTES = 65_536
_SAMPLE_BYTES = 4_096
_ZONE = re.compile(r"([+-])(\d\d)(\d\d)")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_SIBLING = re.compile(r"[.-]\d[\d\-T:_.]*(?:\.(?P<packed>gz|bz2|xz|zst))?$|\.old$|\.bak$")
_DATED = re.compile(r"[.-]\d[\d\-T:_.]*(?P<ending>\.[A-Za-z]{1,8})(?:\.(?P<packed>gz|bz2|xz|zst))?$")
_UNPACK = {"gz": "gzip -dc", "bz2": "bzip2 -dc", "xz": "xz -dc", "zst": "zstd -dcq"}
FOLDER = "it is a folder"
"""What is said where a file is looked for and a folder is there."""
_STAT = "stat -L -c '%i %s %Y %W %n'"


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
        """The ending of the program that this sibling of `current` was compressed with."""
        found = _sibling(self.path, current)
        return found["packed"] if found else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Some bytes of the file, from `offset` on."""

    offset: int
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What the host told: `current` is None when the file itself is not there. Siblings come oldest first.

    `data` is all that is new in the current file; None when that is too much, and then `samples` (by offset, the last
    of them up to the end) show what it is like.
    """

    path: str
    host_now: int
    zone: timedelta
    current: File | None
    siblings: tuple[File, ...]
    head: bytes
    data: bytes | None
    moved: bool
    samples: tuple[Sample, ...] = ()
    problem: str = ""


def look_script(marker: str, path: str, offset: int, carry: int) -> str:
    """Print the files, the beginning of the current one, and what follows `offset` in it or samples of it."""
    return f"P={shlex.quote(path)}; O={offset}\n{look_text(marker, carry)}"


def look_text(marker: str, carry: int) -> str:
    """The same for a path and an offset that the shell knows as P and O."""
    return f"""
M={shlex.quote(marker)}
date +%s; date +%z
if [ -d "$P" ]; then echo '{FOLDER}'; else {_STAT} -- "$P" 2>&1; fi
{_STAT} -- "$P".* "$P"-* "${{P%.*}}"[.-]*".${{P##*.}}"* 2>/dev/null
S=$(stat -L -c %s -- "$P" 2>/dev/null || echo 0)
sample() {{ printf '\\n%s %s\\n' "$M" $(($1/4096*4096)); dd if="$P" bs=4096 skip=$(($1/4096)) count="$2" 2>/dev/null; }}
printf '%s\\n' "$M"; head -c {HEAD_BYTES} -- "$P" 2>/dev/null
printf '\\n%s\\n' "$M"
if [ $((S-O)) -le {carry} ]; then
  echo whole
  [ "$S" -le "$O" ] || {{ {_from('"$P"', "O")} | head -c $((S-O)); }}
else
  echo "large"
  sample "$O" 1
  for n in 1 2 3; do sample $((O+(S-O)/4*n)) 2; done
  T=$((S-O<{TAIL_BYTES} ? S-O : {TAIL_BYTES})); D={TAIL_BYTES}
  while [ $((S-D*4)) -gt "$O" ]; do D=$((D*4)); sample $((S-D)) 1; done
  printf '\\n%s %s\\n' "$M" $((S-T)); {_from('"$P"', "(S-T)")} | head -c "$T"
fi
printf '\\n%s\\n' "$M"; stat -L -c '%i' -- "$P" 2>/dev/null; :
"""


def heads_script(marker: str, path: str, siblings: Iterable[File]) -> str:
    """Print the beginning of each sibling, unpacked."""
    return "\n".join(
        f"{opened(path, file)} 2>/dev/null | head -c {HEAD_BYTES}; printf '\\n%s\\n' {marker}" for file in siblings
    )


def samples_script(marker: str, path: str, offsets: Sequence[int], *, size: int = _SAMPLE_BYTES) -> str:
    """Print a sample of about that size at each of these offsets."""
    words = " ".join(str(offset // _SAMPLE_BYTES) for offset in offsets)
    read = f'dd if={shlex.quote(path)} bs={_SAMPLE_BYTES} skip="$n" count={-(-size // _SAMPLE_BYTES)}'
    return f"""
for n in {words}; do
  printf '%s %s\\n' {marker} $((n*{_SAMPLE_BYTES})); {read}
  echo
done 2>/dev/null
printf '%s\\n' {marker}"""


def part_script(path: str, file: File, begin: int, most: int) -> str:
    """Print up to `most` bytes from `begin` on, unpacked."""
    return f"{opened_from(path, file, begin)} | head -c {most}"


def opened(path: str, file: File) -> str:
    """The command that prints a sibling of `path`, unpacked."""
    return f"{_UNPACK.get(file.packed(path) or '', 'cat')} -- {shlex.quote(file.path)}"


def opened_from(path: str, file: File, begin: int) -> str:
    """The same from an offset on; nothing before it is read where the file is not packed."""
    if file.packed(path):
        unpacked = f"{opened(path, file)} 2>/dev/null || echo '{DAMAGED.decode()}' >&2"
        return f"{{ {unpacked}; }} | tail -c +{begin + 1}"
    return _from(shlex.quote(file.path), str(begin))


def parse_look(said: bytes, marker: str, path: str) -> Look:
    """Garbled when the host printed something else."""
    parts = said.split(f"{marker}\n".encode())
    if len(parts) != 4:
        raise Garbled("what the host printed about the log is cut")
    lines = parts[0].decode("utf-8", "replace").splitlines()
    files = {file.path: file for line in lines[2:] if (file := _file(line)) is not None}
    current = files.get(path)
    data, samples = _body(parts[2][:-1], marker)
    return Look(
        path=path,
        host_now=int(lines[0]) if lines and lines[0].isascii() and lines[0].isdigit() else 0,
        zone=_zone(lines[1]) if len(lines) > 1 else timedelta(0),
        current=current,
        siblings=_siblings(files, path),
        head=parts[1][:-1],
        data=data,
        samples=samples,
        moved=current is not None and parts[3].strip() != str(current.inode).encode(),
        problem="" if current else _CONTROLS.sub(" ", next(iter(lines[2:]), ""))[:200],
    )


def parse_heads(said: bytes, marker: str) -> list[bytes]:
    """The beginnings in the order of the siblings that were asked for."""
    return said.split(f"\n{marker}\n".encode())[:-1]


def parse_samples(said: bytes, marker: str) -> tuple[Sample, ...]:
    """The samples that `samples_script` printed; Garbled when they are cut."""
    body, end, _ = said.rpartition(f"{marker}\n".encode())
    if not end:
        raise Garbled("what the host printed of the log is cut")
    return _samples(b"\n" + body.removesuffix(b"\n"), marker)


def _body(said: bytes, marker: str) -> tuple[bytes | None, tuple[Sample, ...]]:
    kind, _, rest = said.partition(b"\n")
    if kind == b"whole":
        return rest, ()
    if kind != b"large":
        raise Garbled("what the host printed of the log is cut")
    return None, _samples(rest, marker)


def _samples(said: bytes, marker: str) -> tuple[Sample, ...]:
    found: dict[int, bytes] = {}
    for piece in said.split(f"\n{marker} ".encode())[1:]:
        offset, _, data = piece.partition(b"\n")
        if not (offset.isdigit() and len(offset) < 16):
            raise Garbled("what the host printed of the log is cut")
        known = found.get(int(offset), b"")
        found[int(offset)] = max(known, data, key=len)
    return tuple(Sample(offset=offset, data=data) for offset, data in sorted(found.items()))


def _from(path: str, offset: str) -> str:
    """Read on from an offset without reading what is before it, which not every `tail` can."""
    return f"dd if={path} bs=65536 skip=$(({offset}/65536)) 2>/dev/null | tail -c +$(({offset}%65536+1))"


def _file(line: str) -> File | None:
    words = line.split(" ", 4)
    if len(words) != 5 or not all(word.isascii() and word.isdigit() for word in words[:3]):
        return None
    born = int(words[3]) if words[3].isascii() and words[3].isdigit() else 0
    return File(path=words[4], inode=int(words[0]), size=int(words[1]), changed_at=int(words[2]), born_at=born or None)


def _sibling(path: str, current: str) -> re.Match[str] | None:
    if found := _SIBLING.fullmatch(path.removeprefix(current)):
        return found
    stem, dot, ending = current.rpartition(".")
    found = _DATED.fullmatch(path.removeprefix(stem)) if dot and path.startswith(stem) else None
    return found if found and found["ending"] == f".{ending}" else None


def _siblings(files: Mapping[str, File], path: str) -> tuple[File, ...]:
    """The rotated files, the oldest first; one that is just being packed has its whole self beside it."""
    found = [file for file in files.values() if file.path != path and _sibling(file.path, path) is not None]
    whole = [f for f in found if not ((packed := f.packed(path)) and f.path.removesuffix(f".{packed}") in files)]
    return tuple(sorted(whole, key=lambda file: _age_order(file, path)))


def _age_order(file: File, path: str) -> tuple[int, int, str]:
    """By time of the last change; within one second `path.2` is older than `path.1`."""
    number = re.match(r"\.(\d{1,5})(?:\.|$)", file.path.removeprefix(path))
    return (file.changed_at, -int(number[1]) if number else 0, file.path)


def _zone(text: str) -> timedelta:
    found = _ZONE.fullmatch(text.strip())
    offset = timedelta(hours=int(found[2]), minutes=int(found[3])) if found else timedelta(0)
    return -offset if found and found[1] == "-" else offset
