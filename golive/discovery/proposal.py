"""What is proposed: entries of the environment and rules (criteria), each with what was measured. Plain records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

SECTIONS = ("hosts", "services", "endpoints", "databases", "caches", "logs")
"""Sections of an environment that are proposed, in the order in which they are written."""

Severity = Literal["critical", "high", "medium", "low"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of a section. `off` says why it is written behind `#`, None when it is in force."""

    section: str
    name: str
    data: Mapping[str, Any]
    told: str = ""
    off: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One item of a rule's `for_each`: the keys that are its own, what was measured, and why it is off if it is."""

    name: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    told: str = ""
    off: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A criterion. `area` and `name` make its id; with `items` it is one for each of them.

    `told` is what was measured; `off` says why it is written behind `#`, None when it is in force.
    """

    area: str
    name: str
    says: str
    check: str
    severity: Severity
    keys: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    told: str = ""
    off: str | None = None
    smoke: bool = False

    @property
    def why_off(self) -> str | None:
        """Why the rule as a whole is off: for itself, or because each of its items is."""
        if self.off is not None or not self.items or any(item.off is None for item in self.items):
            return self.off
        return "each of its items is"


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """Something that was found and is not written, or could not be looked at, and why."""

    what: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Everything that is proposed for one system."""

    system: str
    target: str
    looked_at: datetime
    deployed_at: datetime | None = None
    entries: tuple[Entry, ...]
    rules: tuple[Rule, ...]
    left_out: tuple[LeftOut, ...] = ()
    sick: tuple[LeftOut, ...] = ()
    """What was found to be ill, and how that shows in the proposal."""
    found: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Collected:
    """What the proposers put together, before it is sifted."""

    entries: list[Entry] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    sick: list[LeftOut] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)

    def leave_out(self, what: str, why: str) -> None:
        """Note what is not written."""
        self.left_out.append(LeftOut(what=what, why=why))

    def is_sick(self, what: str, why: str) -> None:
        """Note what is not well."""
        self.sick.append(LeftOut(what=what, why=why))

    def names(self, section: str) -> list[str]:
        """Names that are taken in a section."""
        return [entry.name for entry in self.entries if entry.section == section]

    def count(self, **found: int) -> None:
        """Add to what was found, for the summary."""
        for noun, number in found.items():
            self.found[noun] = self.found.get(noun, 0) + number

    def extend(self, rules: Iterable[Rule]) -> None:
        """Add rules."""
        self.rules.extend(rules)
