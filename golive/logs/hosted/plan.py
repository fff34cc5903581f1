"""How grave lines are told from the others on a host, decided from a sample of the lines. Pure.

Where all sampled lines are JSON of one writer, a line with `"level":"INFO"` in it is left
out by its fixed text, which costs little more than reading the file. That alone proves
nothing of three kinds of lines, so these are looked at as well: with an object inside the
object (it may be the inner one that is light), and with a line end inside a text (a stack
trace may hold a critical line). In any other log every line with a grave word in it, in any
case, is looked at closely.
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
_MOST_LIGHT = 4
_SPELLED = re.compile(rb'"level":( ?)("(?:[^"\\]{1,20})"|\d{1,2}(?=[,}]))')
_SIGNS = (
    r'"(level|lvl|severity|log[.]level|levelname|loglevel|log_level|severity_?text)" *: *"?[0-9]',
    '(^|[ |"])[WEF][0-9][0-9][0-9][0-9] ',
    '(^|[ |"])<[0-9]',
    ":[XCSM] .* # ",
)
"""Lines that may be grave without a word of it: numbers (pino, GELF), letters (klog), priorities (syslog), Redis."""
_GRAVE = "|".join((*(word.replace("(", "[(]") for word in HEAVY_WORDS), *_SIGNS))


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How the host picks lines. `light` are fixed texts of lines that are light; () where none are certain.

    `grave` is an extended regular expression, for `grep -iE`, that every grave line matches.
    """

    grave: str = _GRAVE
    light: tuple[bytes, ...] = ()


def plan_of(lines: Sequence[bytes]) -> Plan:
    """The plan for a log of which `lines` are a sample from its beginning, its middle and its end."""
    return Plan(light=_light(lines))


def _light(lines: Sequence[bytes]) -> tuple[bytes, ...]:
    """The texts that light lines of one writer have in common, the most frequent first."""
    if len(lines) < _LEAST_SAMPLED:
        return ()
    texts: Counter[bytes] = Counter()
    for line in lines:
        spelled = _spelled_level(line)
        if spelled is None:
            return ()
        text, level = spelled
        if level in (levels.DEBUG, levels.INFO):
            texts[text] += 1
    return tuple(text for text, _ in texts.most_common(_MOST_LIGHT))


def _spelled_level(line: bytes) -> tuple[bytes, str | None] | None:
    """How a flat JSON line spells its level, and the level; None for any other line."""
    found = _SPELLED.findall(line)
    if len(found) != 1 or b"{" in line[1:]:
        return None
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or _KEY not in fields:
        return None
    whole = _SPELLED.search(line)
    if whole is None:
        return None
    # A number is told from a longer one by what follows it.
    end = whole.end() + (0 if whole[2].startswith(b'"') else 1)
    return line[whole.start() : end], levels.of_fields(fields)


def whole_lines(samples: Iterable[bytes], *, most: int = 400) -> list[bytes]:
    """The lines of several samples, without the first and last of each, which may be cut."""
    found: list[bytes] = []
    for sample in samples:
        found += [line for line in sample.split(b"\n")[1:-1] if line.strip()]
    return found[:most]
