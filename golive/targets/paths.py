"""Dotted paths into JSON: `data.user.name`, `orders.0.id`, `checks.*.status` for every entry of a list or object."""

from __future__ import annotations

from typing import Any, Final


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = _Missing()
"""Stands for what a path did not find; never equal to a JSON value."""


def select(data: Any, path: str) -> list[tuple[str, Any]]:
    """Every value at `path` with its concrete path; at least one entry, holding MISSING where nothing was found."""
    found: list[tuple[str, Any]] = [("", data)]
    for step in path.split("."):
        found = [entry for at, value in found for entry in _descend(at, value, step)]
    return found


def value_at(data: Any, path: str) -> Any:
    """The one value at `path`, or MISSING."""
    return select(data, path)[0][1]


def _descend(at: str, value: Any, step: str) -> list[tuple[str, Any]]:
    if step == "*":
        entries = _entries(value)
        return [(_join(at, key), item) for key, item in entries] or [(_join(at, step), MISSING)]
    return [(_join(at, step), _child(value, step))]


def _entries(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list):
        return [(str(index), item) for index, item in enumerate(value)]
    return []


def _child(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step, MISSING)
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return MISSING


def _join(at: str, step: str) -> str:
    return f"{at}.{step}" if at else step
