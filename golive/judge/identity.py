"""How what is deployed differs from what it was, in sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_DIGEST = re.compile(r"\b(?P<kind>sha\d+:)?(?P<hex>[0-9a-f]{16,})\b")
_SHOWN = 12


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """One sentence for each part that changed, is gone or is new, in the order of their names; [] when all is the same.

    Both map the name of a part ("shop/api image") to its digest or count. An identity that was not read is no
    identity: whoever has an empty one decides what that means before asking.
    """
    told = []
    for part in sorted(before.keys() | after.keys()):
        was, is_now = before.get(part), after.get(part)
        if was == is_now:
            continue
        if was is None:
            told.append(f"{part} is new: {shortened(str(is_now))}")
        elif is_now is None:
            told.append(f"{part} is gone, it was {shortened(was)}")
        else:
            told.append(f"{part} changed from {_from(was, is_now)} to {_from(is_now, was)}")
    return told


def shortened(value: str) -> str:
    """`value` with every digest cut to its first 12 digits, as people compare them; counts and names stay whole."""
    return _DIGEST.sub(lambda found: f"{found['kind'] or ''}{found['hex'][:_SHOWN]}", value)


def _from(value: str, other: str) -> str:
    """Shortened, unless that would make the two look the same."""
    return shortened(value) if shortened(value) != shortened(other) else value
