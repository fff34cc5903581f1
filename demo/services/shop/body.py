"""Reading a JSON request body, field by field. Every function raises RefusalError (400) with the field's name."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request

from demo.services.shop.refusal import bad_value

MAX_INTEGER = 2**31 - 1


def json_object() -> dict[str, Any]:
    """The body, which has to be a JSON object."""
    content = request.get_json(silent=True)
    if not isinstance(content, dict):
        raise bad_value("body", "a JSON object with Content-Type application/json")
    return content


def text(content: dict[str, Any], field: str, *, longest: int, default: str | None = None) -> str:
    """A string of at most that many characters, without NUL and lone surrogates (PostgreSQL cannot store them)."""
    value = content.get(field, default)
    if not isinstance(value, str) or len(value) > longest or "\0" in value or not _is_encodable(value):
        raise bad_value(field, f"a string of at most {longest} characters")
    return value


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def integer(content: dict[str, Any], field: str, *, least: int, most: int) -> int:
    """A whole number in a range, its ends included; true and false are not numbers."""
    value = content.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise bad_value(field, f"a whole number from {least} to {most}")
    return value


def boolean(content: dict[str, Any], field: str) -> bool:
    """True or false; false when it is missing."""
    value = content.get(field, False)
    if not isinstance(value, bool):
        raise bad_value(field, "true or false")
    return value


def choice(content: dict[str, Any], field: str, allowed: tuple[str, ...], *, default: str) -> str:
    """One of some words."""
    value = content.get(field, default)
    if value not in allowed:
        raise bad_value(field, f"one of {', '.join(allowed)}")
    return str(value)


def day(content: dict[str, Any], field: str) -> date:
    """A date as YYYY-MM-DD."""
    value = content.get(field)
    try:
        if isinstance(value, str) and len(value) == len("2026-11-21"):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise bad_value(field, "a date as YYYY-MM-DD")
