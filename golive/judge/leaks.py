"""Whether the text of a refusal gives away what it refuses. Pure: no I/O, no clock."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?(?![\w-])")
_SHORTEST_TEXT = 4
_SMALLEST_NUMBER = 100
_READ = 200_000


def leaked(secret: Any, *, own: Any, refusal: str, said: str) -> list[str]:
    """Where in the data `secret` the values stand that `refusal` holds, as paths such as `orders.*.total`.

    `own` is data that the refused may see, and `said` what they said themselves (the path, the expected status):
    a value in either gives nothing away. Neither do small numbers and short words, which occur by chance.
    """
    known = {value for _, value in _values(own)} | _numbers(said)
    refusal = refusal[:_READ]
    numbers = _numbers(refusal)
    text = f"{refusal}\n{html.unescape(refusal)}\n{_unescaped(refusal)}"

    def is_there(value: str | float) -> bool:
        return value in numbers if isinstance(value, float) else value in text and value not in said

    return list(dict.fromkeys(path for path, value in _values(secret) if value not in known and is_there(value)))


def _values(data: Any, path: str = "") -> Iterator[tuple[str, str | float]]:
    """Each telling value with its path; numbers as floats, whatever their spelling."""
    if isinstance(data, dict):
        for key, item in data.items():
            yield from _values(item, f"{path}.{key}" if path else str(key))
    elif isinstance(data, list):
        for item in data:
            yield from _values(item, f"{path}.*" if path else "*")
    elif isinstance(data, str):
        if _NUMBER.fullmatch(data):
            yield from _values(float(data), path)
        elif len(data) >= _SHORTEST_TEXT:
            yield path, data
    elif isinstance(data, int | float) and not isinstance(data, bool) and _tells(data):
        yield path, float(data)


def _tells(number: float) -> bool:
    return abs(number) >= _SMALLEST_NUMBER or number != int(number)


def _numbers(text: str) -> set[str | float]:
    return {float(found) for found in _NUMBER.findall(text)}


def _unescaped(text: str) -> str:
    """`text` with the escapes of JSON strings resolved, or ``""`` if it is no JSON."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""
