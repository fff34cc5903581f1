"""The looks at one criterion's logs over a watch, each beginning where the one before it ended. Pure.

What several looks counted is the sum over the whole time only if no line lies between them:
so every look says from which place in each source it began and at which it ended, and the
places have to meet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from golive.logs import Cursor

_MOST = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One look: places by source (None where it began with the window), and what it counted by name."""

    run: str
    at: str
    begins: Mapping[str, str | None]
    ends: Mapping[str, str | None]
    values: Mapping[str, float]
    gap: str | None = None
    looks: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Total:
    """The sum of all looks since `since`, and why it may be too small, None where nothing can be lost."""

    value: float
    looks: int
    since: str
    gap: str | None = None

    @property
    def told(self) -> str:
        """What the sum stands on, for a sentence."""
        one = "one look" if self.looks == 1 else f"{self.looks} looks without a gap between them"
        return f"{one} since {self.since}"


def place_of(cursor: Cursor | None) -> str | None:
    """A short name of the place that a cursor stands for; the same cursor has the same name."""
    if cursor is None:
        return None
    return hashlib.sha256(json.dumps(cursor, sort_keys=True).encode()).hexdigest()[:16]


def total_of(links: Sequence[Link], name: str, since: str) -> Total:
    """The sum of what was counted under `name`, and the first places that do not meet."""
    gaps = [f"{link.gap} (look of {link.at})" for link in links if link.gap]
    return Total(
        value=sum(link.values.get(name, 0.0) for link in links),
        looks=sum(link.looks for link in links),
        since=since,
        gap="; ".join(dict.fromkeys([*gaps, *_apart(links), *_uncounted(links, name)])) or None,
    )


def with_link(links: Sequence[Link], link: Link) -> list[Link]:
    """The looks with one more; the first ones of very many become one."""
    found = [*links, link]
    while len(found) > _MOST and not _apart(found[:2]):
        first, second = found[:2]
        values = {n: first.values.get(n, 0.0) + second.values.get(n, 0.0) for n in {*first.values, *second.values}}
        gap = "; ".join(filter(None, [first.gap, second.gap])) or None
        both = replace(second, begins=first.begins, values=values, gap=gap, looks=first.looks + second.looks)
        found = [both, *found[2:]]
    return found


def as_data(links: Sequence[Link]) -> list[dict[str, Any]]:
    """JSON-ready."""
    return [
        {
            "run": link.run,
            "at": link.at,
            "begins": dict(link.begins),
            "ends": dict(link.ends),
            "values": dict(link.values),
            "gap": link.gap,
            "looks": link.looks,
        }
        for link in links
    ]


def links_of(data: Any) -> list[Link] | None:
    """The looks out of what was kept; None if it is something else."""
    try:
        return [Link(**{**entry, "values": {k: float(v) for k, v in entry["values"].items()}}) for entry in data]
    except (TypeError, KeyError, AttributeError, ValueError):
        return None


def _apart(links: Sequence[Link]) -> list[str]:
    """Where a look did not begin at the end of the one before it."""
    found = []
    if links and any(place is not None for place in links[0].begins.values()):
        found.append(f"the first look that is known, of {links[0].at}, did not begin with the window")
    for before, after in pairwise(links):
        for source in sorted({*before.ends, *after.begins}):
            if before.ends.get(source) != after.begins.get(source):
                found.append(f"log {source}: the look of {after.at} did not begin where the one of {before.at} ended")
    return found


def _uncounted(links: Sequence[Link], name: str) -> list[str]:
    return [f"the look of {link.at} has counted no {name}" for link in links if name not in link.values]
