"""`within: 20 % of baseline`: a limit that every check's criterion may carry, beside the check's own keys.

Some checks have a parameter `within` of their own (`within: 2 h`); the words tell the two apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

WITHIN = "within"
_OF_BASELINE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*of\s+baseline\s*")
SCHEMA: dict[str, Any] = {
    "type": "string",
    "pattern": r"^\s*\d+(\.\d+)?\s*%\s*of\s+baseline\s*$",
    "examples": ["20 % of baseline"],
    "description": "how much worse than in the baseline a value may be",
}


def percent_of_baseline(value: Any) -> float | None:
    """`"20 % of baseline"` as 20.0, None for anything that is no share; ValueError on a share of something else."""
    if not isinstance(value, str) or "%" not in value:
        return None
    found = _OF_BASELINE.fullmatch(value)
    if found is None:
        raise ValueError(f"a limit relative to the baseline is written '20 % of baseline'; got {value!r}")
    return float(found[1])


def is_relative(key: str, value: Any) -> bool:
    """Whether this key of a criterion is the common one and not a parameter of its check."""
    return key == WITHIN and isinstance(value, str) and "%" in value


def schema_with(own: Mapping[str, Any] | None) -> dict[str, Any]:
    """The JSON Schema of `within` for a check whose own parameter of that name has the schema `own`."""
    if own is None:
        return dict(SCHEMA)
    about = {key: own[key] for key in ("default", "description", "title") if key in own}
    return {**about, "anyOf": [{k: v for k, v in own.items() if k not in about}, dict(SCHEMA)]}
