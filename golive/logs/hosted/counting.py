"""The shell text that lines are picked and counted with on a host, and the parsing of what it prints.

What is picked comes with its place, so that lines that stood together are known: GNU grep tells
the offset (`-b`), others the number of the line (`-n`).
A file that is read from its beginning is read directly, several programs at a time; anything
else (a later part, a packed file, the output of a command) goes through one pipe.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from golive.logs.hosted.plan import Plan
from golive.logs.sought import Sought

ALL_BYTES = 1_000_000
SOUGHT_BYTES = 2_000_000
MOST_PRINTED = 12_000_000
_CUT = 40_000
_LONGEST = 200_000
_GUARDED = 1_000_000
_TRACE = ("\\n", "\\u000")
_INNER = (":{", "[{", ",{", " {", "\t{", "}{")
"""How an object begins inside another, for a grep whose expressions are slow."""
_NESTED = r"if echo '{{' | grep -aqP '.\{' 2>/dev/null; then pick -P -e '.\{'; else pick -e '.{'; fi"
"""The same for GNU grep, whose expressions in Perl's manner are the fastest, where it was built with them."""
_PLACED = re.compile(rb"(\d{1,16}):(?:(\d{1,12}):)?")


class Garbled(Exception):
    """What came back is not what the script prints."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where the lines come from: `command` prints them; they are the first `length` bytes of `path` where that is set.

    `watched` is the file whose state is told afterwards. `framed` lines begin with the time at which they were taken
    in, and a space.
    """

    command: str
    path: str = ""
    length: int = 0
    watched: str = ""
    framed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line that was picked: the offset in bytes at which it begins, or its number (`size` is 0 then)."""

    place: int
    data: bytes
    size: int = 0

    def follows(self, before: Line | None) -> bool:
        """Whether it stood right behind that line, or at the very beginning."""
        if self.size == 0:
            return self.place == (before.place if before else 0) + 1
        return self.place == (before.place + before.size if before else 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Class:
    """Lines of one form and level: how many there are, and some of them. `key` says what they have in common."""

    key: bytes
    count: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Picked:
    """What the host picked: all lines that may be grave in `lines`, or where they are too many, their `classes`.

    `overflow`: the plan does not fit the log, and nothing was picked.
    """

    lines: tuple[Line, ...] = ()
    classes: tuple[Class, ...] | None = None
    overflow: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class After:
    """The file as it was when the host had read it; `inode` 0 where it was gone."""

    inode: int = 0
    size: int = 0


@cache
def _program() -> str:
    return files("golive.logs.hosted").joinpath("classes.awk").read_text(encoding="utf-8")


def count_script(origin: Origin, plan: Plan) -> str:
    """Print the lines that may be grave, or their classes; the same on GNU and busybox."""
    classes = (
        f"tr -d '\\000' | cut -b-{_LONGEST} | awk -v ALL={ALL_BYTES} -v CUT={_CUT} -v FRAMED={int(origin.framed)}"
        f' -v END_AT="$((offsets*{origin.length}))" {shlex.quote(_program())}'
    )
    picking = _by_light(plan) if plan.light else f"pick -iE -e {shlex.quote(plan.grave)} | {classes}"
    return f"{_head(origin)}\n{picking.replace('@CLASSES@', classes)}\n{_tail(origin)}"


def sought_script(origin: Origin, sought: Sought, *, wrapped: bool = False) -> str:
    """Print the numbered lines that may be what is sought; ValueError where it has no texts.

    `wrapped`: the lines may lie in JSON, where some characters are spelled otherwise.
    """
    texts = sought.texts
    if texts is None:
        raise ValueError(f"{sought.told} has no fixed text")
    parts = dict.fromkeys(
        spelled for part in texts.parts for spelled in ((part, *_in_json(part)) if wrapped else (part,))
    )
    any_case = "i" if texts.any_case else ""
    narrow = f"| grep $text -{any_case}E -e {shlex.quote(sought.narrow)}" if sought.narrow else ""
    bound = f"cut -b-{_LONGEST} | head -c {SOUGHT_BYTES + 1}"
    return f"{_head(origin)}\npick -{any_case}F {_given(parts)} {narrow} | {bound}; echo; echo end\n{_tail(origin)}"


def parse_picked(said: bytes) -> tuple[Picked, After]:
    """What `count_script` printed; Garbled when it is cut or something else."""
    by_offset, body, after = _parts(said)
    first, _, rest = body.partition(b"\n")
    lines = rest.split(b"\n")[:-1]
    if first == b"overflow":
        return Picked(overflow=True), after
    if first == b"all":
        return Picked(lines=tuple(_line(line, by_offset) for line in lines)), after
    if first != b"classes":
        raise Garbled("what the host printed of the log is no count")
    return Picked(classes=tuple(_classes(lines, by_offset))), after


def parse_sought(said: bytes, origin: Origin) -> tuple[tuple[Line, ...], bool, After]:
    """The lines that `sought_script` printed, whether these are all, and the file afterwards; Garbled as above."""
    by_offset, body, after = _parts(said)
    whole = len(body) <= SOUGHT_BYTES + 1
    texts = body.split(b"\n") if whole else body.split(b"\n")[:-1]
    lines = [_line(text, by_offset, told_size=False) for text in texts if text]
    within = (line for line in lines if not by_offset or not origin.length or line.place < origin.length)
    return tuple(within), whole, after


def _parts(said: bytes) -> tuple[bool, bytes, After]:
    """Whether places come with the lines, what was printed of them, and the file afterwards."""
    first, _, rest = said.partition(b"\n")
    body, ended, last = rest.rpartition(b"end\n")
    if first not in (b"0", b"1") or not ended or (body and not body.endswith(b"\n")):
        raise Garbled("what the host printed of the log is cut")
    words = last.split()
    if len(words) == 2 and all(word.isdigit() and len(word) < 20 for word in words):
        return first == b"1", body, After(inode=int(words[0]), size=int(words[1]))
    return first == b"1", body, After()


def _head(origin: Origin) -> str:
    """`pick OPTIONS…` prints the lines that `grep` finds, each with its place: its offset, or else its number."""
    direct = f'grep -ab "$@" -- {shlex.quote(origin.path)}' if origin.path else 'stretch | grep -ab "$@"'
    return f"""
LC_ALL=C; export LC_ALL; text=; offsets=0
if echo x | grep -ab x >/dev/null 2>&1; then text=-a; offsets=1; fi
stretch() {{ {origin.command}; }}
pick() {{ if [ $offsets = 1 ]; then {direct}; else stretch | tr -d '\\000' | grep -n "$@"; fi; }}
echo $offsets
"""


def _tail(origin: Origin) -> str:
    return f"stat -L -c '%i %s' -- {shlex.quote(origin.watched)} 2>/dev/null; :" if origin.watched else ":"


def _by_light(plan: Plan) -> str:
    """All lines without a light text; beside that, at the same time, those which it does not prove to be light."""
    light = [text.decode("ascii") for text in plan.light]
    grave = f"grep $text -iE -e {shlex.quote(plan.grave)}"
    return f"""
if [ "$text" ]; then
{_with_anchors(light) if plan.first else _with_texts(light, _NESTED)}
else
{_with_texts(light, f"pick -F {_given(_INNER)}")}
fi
traces() {{ pick -F -e '\\' | grep $text -F {_given(_TRACE)} | grep $text -iE -e 'crit|fatal'; }}
inside() {{ inner | {grave}; traces; }}
unproven() {{ "$1" 3>&- | known 3>&-; }}
held() {{ awk '
  {{ size += length($0) + 1; if (size > {_GUARDED}) {{ over = 1; next }} }}
  {{ place = $0; sub(/:.*/, "", place); if (!(place in seen)) {{ seen[place] = 1; lines[++n] = $0 }} }}
  END {{ for (i = 1; i <= n; i++) print lines[i]; if (over) print "!" }}'; }}
{{ {{ unproven $beside & candidates >&3; wait; }} | held 3>&-; }} 3>&1 | @CLASSES@"""


def _with_texts(light: Sequence[str], inner: str) -> str:
    """Light lines are those with one of the texts anywhere; `inner` picks those with an object inside."""
    others = "".join(f" | grep $text -vF {_given([text])}" for text in light[1:])
    return f"""candidates() {{ pick -vF {_given(light[:1])}{others}; }}
known() {{ grep $text -F {_given(light)}; }}
inner() {{ {inner}; }}
beside=inside"""


def _with_anchors(light: Sequence[str]) -> str:
    """Light lines begin with one of the texts, so that objects inside need no look; a fast `grep` is needed for it."""
    heads = [f"{{{_literal(text)}" for text in light]
    others = "".join(f" | grep $text -v -e {shlex.quote(f'^[0-9]*:{head}')}" for head in heads[1:])
    return f"""candidates() {{ pick -v -e {shlex.quote(f"^{heads[0]}")}{others}; }}
known() {{ grep $text {_given([f"^[0-9]*:{head}" for head in heads])}; }}
beside=traces"""


def _literal(text: str) -> str:
    """A text within a basic regular expression."""
    return re.sub(r"([\\.*^$\[\]])", r"\\\1", text)


def _in_json(text: str) -> tuple[str, ...]:
    """How docker's json-file driver spells a text, and how others do."""
    usual = json.dumps(text, ensure_ascii=False)[1:-1]
    docker = usual.replace("\\t", "\\u0009")
    for sign in "<>&\u2028\u2029":
        docker = docker.replace(sign, f"\\u{ord(sign):04x}")
    return usual, docker


def _given(texts: Iterable[str]) -> str:
    return " ".join(f"-e {shlex.quote(text)}" for text in texts)


def _classes(lines: list[bytes], by_offset: bool) -> list[Class]:
    found: list[Class] = []
    held: list[Line] = []
    for line in [*lines, b"="]:
        if line.startswith(b"+"):
            held.append(_line(line[1:], by_offset))
        elif line.startswith(b"="):
            if found:
                found[-1] = Class(key=found[-1].key, count=found[-1].count, lines=tuple(held))
            held = []
            count, _, key = line[1:].partition(b" ")
            if line != b"=":
                found.append(Class(key=key, count=_number(count), lines=()))
        else:
            raise Garbled("what the host printed of the log is no count")
    return found


def _line(text: bytes, by_offset: bool, *, told_size: bool = True) -> Line:
    found = _PLACED.match(text) if told_size else re.match(rb"(\d{1,16}):()", text)
    if found is None or (told_size and not found[2]):
        raise Garbled("what the host printed of the log has lines without a place")
    data = text[found.end() :]
    size = (int(found[2]) if told_size else len(data)) + 1
    return Line(place=int(found[1]), data=data, size=size if by_offset else 0)


def _number(text: bytes) -> int:
    if not text.isdigit() or len(text) > 15:
        raise Garbled("what the host printed of the log is no count")
    return int(text)
