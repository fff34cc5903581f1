"""Values out of what a program printed as JSON: None, or nothing, where it is not of the form that it should have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from golive.targets.shell import plain

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
_LARGEST = 2**63


def decoded(text: str) -> Any:
    """The JSON value, None when it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON object of each line; lines that hold none are passed over."""
    for line in text.splitlines():
        row = decoded(line)
        if isinstance(row, dict):
            yield row


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: Any) -> tuple[str, ...]:
    """The texts in a list, without control characters."""
    return tuple(plain(item) for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def text(value: Any, limit: int = 300) -> str:
    """`value` as one line without control characters if it is text, else ""."""
    return plain(value, limit) if isinstance(value, str) else ""


def whole(value: Any) -> int | None:
    """A whole number."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and -_LARGEST < value < _LARGEST else None


def digits(value: str | None) -> int | None:
    """The number that a text writes in plain digits."""
    return int(value) if value and len(value) < 19 and value.isascii() and value.isdigit() else None


def moment(value: Any) -> datetime | None:
    """A time of RFC 3339, also with nanoseconds; the year 1 stands for never."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if not found or found[1].startswith("0001"):
        return None
    try:
        at = datetime.fromisoformat(found[1] + (found[2] or ".0")[:7] + found[3].replace("Z", "+00:00"))
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def unix(value: Any) -> datetime | None:
    """Seconds since 1970 as a time."""
    seconds = whole(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 <= seconds < 1 << 37 else None
