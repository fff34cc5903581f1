"""How grave lines are told from the others on a host, decided from a sample of the lines. Pure.

Where most of the sampled lines are JSON of one writer, a line with `"level":"INFO"` in it is
left out by this fixed text, which costs little more than reading the file. The text alone
does not prove a line to be light: with a line end inside a text it may hold the stack trace
of something critical, and with an object inside the object it may be the inner one that is
light, unless the line begins with its level. Such lines are looked at as well. (Of a key that
stands in one object twice either value may count.) In any other log every line with a grave
word in it, in any case, is looked at closely. The sample decides what is fast, not what is found.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from golive.logs import levels
from golive.logs.levels import HEAVY_WORDS

_KEY = "level"
_LEAST_SAMPLED = 8
_SHARE = 0.8
_MOST_LIGHT = 4
_SPELLED = re.compile(rb'"level": ?(?:"[\w -]{1,20}"|\d{1,2}[,}])')
_SIGNS = (
    r'"(level|lvl|severity|log[.]level|levelname|loglevel|log_level|severity_?text)[\]?" *: *[\]?"?[0-9]',
    '(^|[ |"])[WEF][0-9][0-9][0-9][0-9] ',
    r'(^|[ |"])(<|[\]u003c)[0-9]',
    ":[XCSM] .* # ",
)
"""Lines that may be grave without a word of it: numbers (pino, GELF), letters (klog), priorities (syslog), Redis.

Docker's json-file driver writes `\\"` and `\\u003c` for what they write as `"` and `<`.
"""
_GRAVE = "|".join((*(word.replace("(", "[(]") for word in HEAVY_WORDS), *_SIGNS))


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How the host picks lines. `light` are fixed texts of lines that are light; () where none are certain.

    `first`: these lines begin with a brace and that text. `grave` is an extended regular expression, for `grep -iE`,
    that every grave line matches.
    """

    grave: str = _GRAVE
    light: tuple[bytes, ...] = ()
    first: bool = False


@dataclass(frozen=True, slots=True)
class _Spelled:
    """How a line spells its level: the text, whether the line begins with it, and whether it has no object inside."""

    text: bytes
    level: str | None
    first: bool
    flat: bool


def plan_of(lines: Sequence[bytes]) -> Plan:
    """The plan for a log of which `lines` are a sample from its beginning, its middle and its end."""
    if len(lines) < _LEAST_SAMPLED:
        return Plan()
    spelled = [one for line in lines if (one := _spelled(line)) is not None]
    first = [one for one in spelled if one.first]
    if len(first) >= _SHARE * len(lines):
        return Plan(light=_light(first), first=True)
    flat = [one for one in spelled if one.flat]
    return Plan(light=_light(flat)) if len(flat) >= _SHARE * len(lines) else Plan()


def _light(spelled: Iterable[_Spelled]) -> tuple[bytes, ...]:
    """The texts of light lines, the most frequent first."""
    texts = Counter(one.text for one in spelled if one.level in (levels.DEBUG, levels.INFO))
    return tuple(text for text, _ in texts.most_common(_MOST_LIGHT))


def _spelled(line: bytes) -> _Spelled | None:
    """How a JSON line spells its level; None for any other line."""
    whole = _SPELLED.search(line)
    if whole is None or not line.startswith(b"{"):
        return None
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or _KEY not in fields:
        return None
    # A number is told from a longer one by what follows it, which is part of the text.
    flat = b"{" not in line[1:] and len(_SPELLED.findall(line)) == 1
    return _Spelled(whole[0], levels.of_fields(fields), whole.start() == 1, flat)


def whole_lines(samples: Iterable[bytes], *, most: int = 400) -> list[bytes]:
    """The lines of several samples, without the first and last of each, which may be cut."""
    found: list[bytes] = []
    for sample in samples:
        found += [line for line in sample.split(b"\n")[1:-1] if line.strip()]
    return found[:most]
