"""The part of LogQL that the collector understands: a stream selector and line filters.

For example: `{job="api", filename=~".*"} |= "text" != "other" |~ "expression" !~ "another"`
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

_STRING = r'("(?:[^"\\]|\\.)*"|`[^`]*`)'
_MATCHER = re.compile(r"\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*" + _STRING + r"\s*(,|(?=\}))")
_FILTER = re.compile(r"\s*(\|=|\|~|!=|!~)\s*" + _STRING)

Test = Callable[[str], bool]


class QueryError(Exception):
    """The query cannot be understood; the message is what Loki would put into its 400."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of a log; `at_ns` counts from 1970 in UTC."""

    at_ns: int
    labels: Mapping[str, str]
    line: str


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is asked for: tests of labels (by name) and of the line, all of which have to hold."""

    labels: tuple[tuple[str, Test], ...]
    line: tuple[Test, ...]

    def wants(self, entry: Entry) -> bool:
        """Whether this line is asked for. A label that is missing counts as empty."""
        return all(test(entry.labels.get(name, "")) for name, test in self.labels) and all(
            test(entry.line) for test in self.line
        )


def parse(text: str) -> Query:
    """Understand a query. Raises QueryError."""
    rest = text.strip()
    if not rest.startswith("{"):
        raise QueryError("parse error: a stream selector in braces is wanted")
    position, labels = 1, []
    while found := _MATCHER.match(rest, position):
        labels.append((found[1], _label_test(found[2], _unquoted(found[3]))))
        position = found.end()
    if not labels or rest[position : position + 1] != "}":
        raise QueryError(f"parse error at position {position}: a label matcher is wanted")
    position += 1
    filters = []
    while found := _FILTER.match(rest, position):
        filters.append(_line_test(found[1], _unquoted(found[2])))
        position = found.end()
    if rest[position:].strip():
        raise QueryError(f"parse error at position {position}: unexpected {rest[position:].strip()[:20]!r}")
    return Query(labels=tuple(labels), line=tuple(filters))


def time_ns(text: str) -> int:
    """A time as Loki takes it: ns since 1970, seconds with a fraction, or RFC 3339. Raises ValueError."""
    if re.fullmatch(r"\d+", text):
        return int(text) if len(text) > 11 else int(text) * 10**9
    if re.fullmatch(r"\d+\.\d*", text):
        return int(float(text) * 10**9)
    return int(datetime.fromisoformat(text).timestamp() * 10**9)


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    try:
        return str(json.loads(text))
    except ValueError as error:
        raise QueryError(f"parse error: {text} is not a string") from error


def _label_test(operator: str, value: str) -> Test:
    if operator in {"=", "!="}:
        return (lambda label: label == value) if operator == "=" else (lambda label: label != value)
    expression = _compiled(value)
    if operator == "=~":
        return lambda label: expression.fullmatch(label) is not None
    return lambda label: expression.fullmatch(label) is None


def _line_test(operator: str, value: str) -> Test:
    if operator in {"|=", "!="}:
        return (lambda line: value in line) if operator == "|=" else (lambda line: value not in line)
    expression = _compiled(value)
    if operator == "|~":
        return lambda line: expression.search(line) is not None
    return lambda line: expression.search(line) is None


def _compiled(value: str) -> re.Pattern[str]:
    try:
        return re.compile(value)
    except re.error as error:
        raise QueryError(f"parse error: {error}") from error
