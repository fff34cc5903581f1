"""What was collected without what must not be written: hostile names, credentials, references to nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from golive.discovery.naming import distinct, remark, why_secret, why_unfit
from golive.discovery.proposal import Collected, Entry, Item, LeftOut, Proposal, Rule
from golive.discovery.writing.emitting import entry_text, item_text, rule_text
from golive.discovery.writing.fitting import why_no_entry, why_no_rule
from golive.environment.catalogue import Catalogue

_REFERS = {
    "host": "hosts", "services": "services", "endpoint": "endpoints", "database": "databases", "cache": "caches",
    "logs": "logs",
}  # fmt: skip
"""Keys of entries and rules that name an entry, and the section that it stands in."""


def sifted(
    collected: Collected,
    *,
    system: str,
    target: str,
    looked_at: datetime,
    deployed_at: datetime | None = None,
    catalogue: Catalogue,
) -> Proposal:
    """The proposal as it may be written; everything that is kept back is among `left_out`, with its reason."""
    left_out = list(collected.left_out)
    entries = [entry for entry in collected.entries if _keep(_why_not_entry(entry), _told(entry), left_out)]
    rules = [
        kept for rule in collected.rules if (kept := _rule(rule, system, entries, left_out, catalogue)) is not None
    ]
    return Proposal(
        system=system,
        target=target,
        looked_at=looked_at,
        deployed_at=deployed_at,
        entries=tuple(entries),
        rules=tuple(rules),
        left_out=tuple(dict.fromkeys(left_out)),
        sick=tuple(collected.sick),
        found=dict(collected.found),
    )


def _rule(rule: Rule, system: str, entries: list[Entry], left_out: list[LeftOut], catalogue: Catalogue) -> Rule | None:
    """The rule with the items that may be written; None when nothing is left of it."""
    what = f"criterion {rule.area}.{rule.name}"
    if _refers_to_nothing(rule.keys, entries):
        return None
    fit = [
        _item(item, entries)
        for item in rule.items
        if not _refers_to_nothing(item.keys, entries)
        and _keep(_why_not_item(item) or why_no_rule(rule, item, catalogue), f"{what} for {item.name}", left_out)
    ]
    items = tuple(_under_distinct_names(fit))
    if rule.items and not items:
        return None
    kept = replace(rule, items=items)
    written = {**rule.keys, "says": rule.says.replace("{item}", "")}
    reason = why_unfit(written) or why_secret(rule_text(kept, system))
    if reason is None and not rule.items:
        reason = why_no_rule(rule, None, catalogue)
    if not _keep(reason, what, left_out):
        return None
    return replace(kept, off=kept.off or _why_off(rule.keys, entries))


def _item(item: Item, entries: list[Entry]) -> Item:
    return replace(item, off=item.off or _why_off(item.keys, entries))


def _under_distinct_names(items: Sequence[Item]) -> Iterator[Item]:
    """What was made fit to be a name may have become the same as another."""
    taken: list[str] = []
    for item in items:
        taken.append(distinct(item.name, taken))
        yield replace(item, name=taken[-1])


def _refers_to_nothing(keys: Mapping[str, Any], entries: list[Entry]) -> bool:
    """Whether an entry that it needs was kept back, of which its own reason tells."""
    known = {(entry.section, entry.name) for entry in entries}
    return any(named not in known for named in _named(keys))


def _why_not_entry(entry: Entry) -> str | None:
    return why_unfit({entry.name: dict(entry.data)}) or why_secret(entry_text(entry)) or why_no_entry(entry)


def _why_not_item(item: Item) -> str | None:
    return why_unfit({item.name: dict(item.keys)}) or why_secret(item_text(item))


def _told(entry: Entry) -> str:
    return f"{entry.section} {entry.name}"


def _keep(reason: str | None, what: str, left_out: list[LeftOut]) -> bool:
    if reason is not None:
        left_out.append(LeftOut(what=remark(what, 80), why=f"{reason}, so it is not written"))
    return reason is None


def _why_off(keys: Mapping[str, Any], entries: list[Entry]) -> str | None:
    """Why keys that refer to an entry cannot be in force."""
    off = {(entry.section, entry.name) for entry in entries if entry.off is not None}
    return next((f"{name} (under {section}) is off" for section, name in _named(keys) if (section, name) in off), None)


def _named(keys: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in keys.items():
        if key in _REFERS:
            yield from ((_REFERS[key], name) for name in (value if isinstance(value, list) else [value]))
