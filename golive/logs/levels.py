"""How grave a log line says it is: structured fields, logfmt, and the common text forms.

Only a level in the place of a level counts: `0 critical errors found` and `non-fatal` are prose.
FATAL, PANIC, EMERG and ALERT are CRITICAL, SEVERE is ERROR, NOTICE is INFO.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

DEBUG, INFO, WARNING, ERROR, CRITICAL = LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
HEAVY = (WARNING, ERROR, CRITICAL)

_NAMES = {
    **dict.fromkeys(("trace", "trc", "debug", "dbg", "verbose", "fine", "finer", "finest"), DEBUG),
    **{f"debug{n}": DEBUG for n in range(1, 6)},
    **dict.fromkeys(("info", "inf", "information", "informational", "notice", "log", "config"), INFO),
    **dict.fromkeys(("warn", "warning", "wrn"), WARNING),
    **dict.fromkeys(("error", "err", "eror", "severe"), ERROR),
    **dict.fromkeys(
        ("critical", "crit", "crt", "fatal", "ftl", "panic", "dpanic", "emerg", "emergency", "alert"), CRITICAL
    ),
}
# A line without any of these words is of no grave level; a traceback is an error by itself.
HEAVY_WORDS = (
    *("warn", "wrn", "err", "eror", "severe", "crit", "crt", "fatal", "ftl", "panic", "emerg", "alert"),
    *("traceback (most recent", "exception in thread"),
)
_FIELDS = (
    *("level", "severity", "lvl", "log.level", "levelname", "loglevel", "log_level"),
    *("severityText", "severity_text", "Level", "Severity", "LEVEL"),
)
_TRACES = (
    *("exception", "exc_info", "stack", "stack_trace", "stacktrace", "traceback"),
    *("error.stack_trace", "error.stack"),
)

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_GRAVEST = re.compile("crit|fatal|panic|emerg", re.IGNORECASE)
_PAIR = re.compile(r"\W*\w+=")
_LOGFMT = re.compile(r"""(?:^|\s)(?:level|lvl|severity|loglevel)=["']?(\w+)""")
_PRIORITY = re.compile(r"^<(\d{1,3})>")
_KLOG = re.compile(r"^([IWEF])\d{4} \d\d:\d\d:")
_REDIS = re.compile(r"^\d+:[XCSM] .*?\d\d:\d\d:\d\d(?:\.\d+)? ([.\-*#]) ")
_TOKEN = re.compile(r"\[[^\]]{0,120}\]|\([^)]{0,120}\)|[^\s|]+")
_WORD = re.compile(r"[A-Za-z]+\d?")
_PLURAL = re.compile(
    r"(errors|issues|problems|warnings|alerts|events|lines|entries|messages|incidents|failures|findings|found)\b",
    re.IGNORECASE,
)
_NOT = frozenset({"no", "non", "not", "zero", "without", "any", "0"})
_BELONGS_TO_BEFORE = frozenset({"statement", "detail", "hint", "context", "query", "location", "backtrace"})
_KLOG_LEVELS = {"I": INFO, "W": WARNING, "E": ERROR, "F": CRITICAL}
_REDIS_LEVELS = {".": DEBUG, "-": DEBUG, "*": INFO, "#": WARNING}
_HEAD = 300
_TOKENS = 8


def named(value: Any) -> str | None:
    """The canonical level of a field's value: a name, or a number of pino/bunyan (10 to 60) or syslog (0 to 7)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _numbered(value)
    if isinstance(value, str):
        text = value.strip().lower()
        return _numbered(float(text)) if text.isdigit() else _NAMES.get(text)
    return None


def of_fields(fields: Mapping[str, Any]) -> str | None:
    """The level of a structured line. A stack trace in it with a graver level of its own raises it."""
    own = next((level for name in _FIELDS if (level := _field(name, fields))), None)
    if own is None and isinstance(log := fields.get("log"), Mapping):
        own = named(log.get("level"))
    return gravest(
        own,
        *(of_text(line, None) for line in _trace_lines(fields) if "crit" in line.lower() or "fatal" in line.lower()),
    )


def of_text(line: str, stamp_end: int | None) -> str | None:
    """The level of a line of text; `stamp_end` is where its time stamp ends, None when it has none."""
    head = _ESCAPES.sub("", line[:_HEAD]) if "\x1b" in line[:_HEAD] else line[:_HEAD]
    if head.startswith(("Traceback (most recent call last)", 'Exception in thread "')):
        return ERROR
    if found := _PRIORITY.match(head):
        return _numbered(int(found[1]) % 8)
    if found := _KLOG.match(head):
        return _KLOG_LEVELS[found[1]]
    if found := _REDIS.match(head):
        return gravest(_REDIS_LEVELS[found[1]], _in_place(head[found.end() :], timed=False))
    rest = head if stamp_end is None else line[stamp_end : stamp_end + _HEAD]
    for part in (rest, head):
        if _PAIR.match(part) and (found := _LOGFMT.search(part)):
            return named(found[1])
    return _in_place(rest, timed=stamp_end is not None)


def _field(name: str, fields: Mapping[str, Any]) -> str | None:
    value = fields.get(name)
    # 0 to 7 are syslog's severities in a `severity` and in a GELF message; elsewhere they may be anything.
    small = isinstance(value, int | float) and value < 8
    return None if small and "sever" not in name.lower() and "short_message" not in fields else named(value)


def gravest(*levels: str | None) -> str | None:
    """The gravest of several levels, None when none is known."""
    known = [level for level in levels if level is not None]
    return max(known, key=LEVELS.index) if known else None


def _in_place(rest: str, *, timed: bool) -> str | None:
    """A level among the first words, before the message begins.

    In front of it may stand what has the form of an id: brackets, digits, dots, a colon
    at the end; and, after a time stamp, one plain word (a host or a logger).
    """
    tokens = [t for t in _TOKEN.findall(_ESCAPES.sub("", rest)) if t.strip("-|:]),[(")][:_TOKENS]
    plain = 0
    for index, token in enumerate(tokens):
        word = _WORD.match(token.lstrip("[(<"))
        level = _level_of(token, word, lower_too=timed and index == 0 and f"{token}\t" in rest) if word else None
        if word and word[0].lower() in _BELONGS_TO_BEFORE and token.endswith(":"):
            return None
        if level and not _is_prose(tokens, index):
            return level
        if not _is_structure(token):
            plain += 1
            if plain > (1 if timed else 0):
                return None
    return None


def _level_of(token: str, word: re.Match[str], *, lower_too: bool) -> str | None:
    name = word[0]
    bare = token.lstrip("[(<")
    after = bare[len(name) : len(name) + 1]
    if name.lower() not in _NAMES or after not in ("", ":", "/", "]", ")", ">", ",", "!"):
        return None
    if name.lower() in ("log", "config") and after != ":":
        return None
    closed = token[0] in "[(<" and after in ("]", ")", ">", "/", ":")
    return _NAMES[name.lower()] if name.isupper() or closed or after == ":" or lower_too else None


def _is_prose(tokens: list[str], index: int) -> bool:
    before = tokens[index - 1].lower().strip("[]():,") if index else ""
    after = tokens[index + 1] if index + 1 < len(tokens) else ""
    return before in _NOT or (before.isdigit() and bool(_PLURAL.match(after)) and tokens[index][-1] not in ":]")


def _is_structure(token: str) -> bool:
    return token[0] in "[(<" or token[-1] in ":]" or any(c.isdigit() or c in "._/@$=" for c in token)


def _numbered(value: float) -> str | None:
    if value != int(value) or not 0 <= value <= 60:
        return None
    if value < 8:
        return (CRITICAL, CRITICAL, CRITICAL, ERROR, WARNING, INFO, INFO, DEBUG)[int(value)]
    return None if value < 10 else (DEBUG, DEBUG, INFO, WARNING, ERROR, CRITICAL)[int(value) // 10 - 1]


def _trace_lines(fields: Mapping[str, Any]) -> Iterator[str]:
    """Lines of stack traces inside a structured line, and further lines of its message; a text of one line is none."""
    for name in _TRACES:
        if isinstance(text := fields.get(name), str) and "\n" in text:
            yield from text.split("\n")
    for name in ("error", "err"):
        inner = fields.get(name)
        if isinstance(inner, Mapping) and isinstance(text := inner.get("stack"), str) and "\n" in text:
            yield from text.split("\n")
    for name in ("message", "msg"):
        if isinstance(text := fields.get(name), str) and "\n" in text:
            yield from text.split("\n")[1:]
