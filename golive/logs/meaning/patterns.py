"""Messages that differ only in their variable parts, brought to one template and counted. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_MASKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\x1b\[[0-9;?]*[ -/]*[@-~]", ""),
        (r'"(?:[^"\\]|\\.){0,400}"', '"…"'),
        (r"(?<!\w)'(?:[^'\\]|\\.){0,400}'(?!\w)", "'…'"),
        (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "<uuid>"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)? ?(?:Z|UTC|[+-]\d\d:?\d\d)?", "<time>"),
        (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b", "<time>"),
        (r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b", "<mail>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<ip>"),
        (r"(?<![\w:])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:%\w+)?(?![\w:])", "<ip>"),
        (r"\b0[xX][0-9a-fA-F]+\b", "<hex>"),
        (r"\b(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}\b", "<hex>"),
        (r"\b(?=\w*[A-Za-z])(?=\w*\d\w*\d)[A-Za-z0-9_]{12,}\b", "<id>"),
        (r"\d+(?:[.,]\d+)*", "<n>"),
        (r"\s+", " "),
    )
)
_LONGEST = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """Messages of one template: how many, and the first and the last of them as written."""

    template: str
    count: int
    example: str
    latest: str


def template(message: str) -> str:
    """`message` with numbers, ids, times, addresses and quoted texts masked; only its first 1000 characters count."""
    text = message[:_LONGEST]
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip()


def group(messages: Iterable[str]) -> list[Pattern]:
    """One `Pattern` for each template, the most frequent first."""
    seen: dict[str, tuple[int, str, str]] = {}
    for message in messages:
        key = template(message)
        count, first, _ = seen.get(key, (0, message, message))
        seen[key] = (count + 1, first, message)
    patterns = [Pattern(template=k, count=n, example=a, latest=z) for k, (n, a, z) in seen.items()]
    return sorted(patterns, key=lambda p: -p.count)
