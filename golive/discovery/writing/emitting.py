"""A proposal as YAML for people: comments stay where they belong, what is off stands behind `#`. Pure.

Values go through PyYAML, and everything beyond ASCII in them is escaped, so that no name can pass for something else.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import yaml

from golive.discovery.naming import remark
from golive.discovery.proposal import SECTIONS, Entry, Item, LeftOut, Proposal, Rule

WIDTH = 110
_ENDLESS = 100_000
_LONGEST, _NAMED = 500, 8
_AREAS = {
    "health": "The host",
    "services": "Services",
    "containers": "Containers",
    "ports": "Ports",
    "http": "HTTP endpoints",
    "certificates": "Certificates",
    "logs": "Logs",
    "data": "Databases and caches",
    "accounts": "Accounts",
    "schedules": "Timers",
    "packages": "Packages",
}


class _Dumper(yaml.SafeDumper):
    """No anchors: the same value twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is theirs
        return True


def dumped(data: dict[str, Any], *, flat: bool = True) -> str:
    """A mapping as YAML, a line for each key; with `flat` what holds nothing nested below that is one line."""
    dumper = _Dumper(io.StringIO(), sort_keys=False, default_flow_style=None if flat else False)
    node = dumper.represent_data(data)
    node.flow_style = False  # type: ignore[attr-defined]
    return str(yaml.serialize(node, Dumper=_Dumper, allow_unicode=False, width=WIDTH))


def _flow(data: dict[str, Any]) -> str:
    """A mapping on one line."""
    text = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, default_flow_style=True, allow_unicode=False, width=_ENDLESS
    )
    return str(text).rstrip("\n")


def _name(text: str) -> str:
    """A key as it must be written; one that reads as a number is quoted."""
    return dumped({text: 0}).rpartition(":")[0]


def reasons(left_out: Sequence[LeftOut]) -> list[str]:
    """What was left out, a line for each reason."""
    by_reason: dict[str, list[str]] = {}
    for left in left_out:
        by_reason.setdefault(left.why, []).append(left.what)
    return [f"{_named(whats)}: {why}" for why, whats in by_reason.items()]


def _named(whats: Sequence[str]) -> str:
    more = f" and {len(whats) - _NAMED} more" if len(whats) > _NAMED else ""
    return ", ".join(remark(what, 120) for what in whats[:_NAMED]) + more


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def environment_text(proposal: Proposal, *, criteria: str, schema: str | None) -> str:
    """The environment file; `criteria` is the pattern of its criteria files, `schema` the path of the JSON Schema."""
    return "\n".join(_environment(proposal, criteria, schema)) + "\n"


def criteria_text(proposal: Proposal) -> str:
    """The criteria file."""
    return "\n".join(_criteria(proposal)) + "\n"


def entry_text(entry: Entry) -> str:
    """One entry as it stands below its section."""
    return "\n".join(_entry(entry))


def rule_text(rule: Rule, system: str, when: str = "") -> str:
    """One rule as it stands in the criteria file."""
    return "\n".join(_rule(rule, system, when))


def item_text(item: Item) -> str:
    """One item of a rule as it stands below `for_each`."""
    return "\n".join(_item(item))


def _environment(proposal: Proposal, criteria: str, schema: str | None) -> Iterator[str]:
    if schema:
        yield f"# yaml-language-server: $schema={schema}"
    looked = _minute(proposal.looked_at)
    yield f"# Proposed by `golive discover {remark(proposal.target)}` from what was found there {looked}."
    yield "# It is yours now: read it, change it, keep it under version control. What stands behind '#' needs something"
    yield "# from you first, and says what. Nothing secret stands in here: passwords are references, as ${env:NAME}."
    yield ""
    yield from dumped({"system": proposal.system}).splitlines()
    yield from dumped({"says": f"{proposal.system}, as it was found {looked[:10]}"}).splitlines()
    yield ""
    yield from _deployment(proposal)
    for section in SECTIONS:
        entries = [entry for entry in proposal.entries if entry.section == section]
        if entries:
            yield ""
            yield f"{section}:" if any(entry.off is None for entry in entries) else f"# {section}:"
            for entry in entries:
                yield from _entry(entry)
    yield ""
    yield "# A day of checkpoints after each deployment; see 'watch' in the guide."
    yield "# watch: {}"
    yield ""
    yield from dumped({"criteria": [criteria]}).splitlines()
    if proposal.left_out:
        yield ""
        yield "# Found, or looked for, and not written:"
        for line in reasons(proposal.left_out):
            first, *rest = _comment(line)
            yield f"# - {first[2:]}"
            yield from (f"#   {more[2:]}" for more in rest)


def _deployment(proposal: Proposal) -> Iterator[str]:
    variable = proposal.system.upper().replace("-", "_")
    yield "# What was deployed, and when that was complete; let the deployment set these. From here on restarts count,"
    yield "# logs are read the first time, and the hours of a watch run."
    referred = {"version": f"${{env:{variable}_VERSION}}", "deployed_at": f"${{env:{variable}_DEPLOYED_AT}}"}
    if proposal.deployed_at is not None:
        yield "# Measured: what was started last was started from then on; nothing is known of the version."
        yield "deployment:"
        yield f"  deployed_at: {proposal.deployed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        yield from _off(_indented(dumped(referred), 2))
    else:
        yield from _off(f"deployment:\n{_indented(dumped(referred), 2)}")


def _entry(entry: Entry) -> Iterator[str]:
    # A reference in braces on one line would have to be quoted, and reads worse.
    flat = not any("${" in str(value) for value in entry.data.values())
    body = _indented(dumped({entry.name: dict(entry.data)}, flat=flat), 2)
    yield from _comment(entry.told, 2)
    if entry.off is not None:
        yield from _comment(f"Off: {entry.off}", 2)
        yield from _off(body)
    else:
        yield from body.splitlines()


def _criteria(proposal: Proposal) -> Iterator[str]:
    when = _minute(proposal.looked_at)
    yield f"# First criteria of {proposal.system}, proposed by `golive discover {remark(proposal.target)}`."
    yield f"# Limits stand above what was measured {when}; the comments say what that was."
    yield "# What stands behind '#' did not hold then, or could not be seen: decide, and take the '#' away."
    for area in [*_AREAS, *sorted({rule.area for rule in proposal.rules} - _AREAS.keys())]:
        rules = [rule for rule in proposal.rules if rule.area == area]
        if rules:
            yield ""
            yield f"# {_AREAS.get(area, area)}"
        for rule in rules:
            yield ""
            yield from _rule(rule, proposal.system, when)


def _rule(rule: Rule, system: str, when: str) -> Iterator[str]:
    if rule.told:
        yield from _comment(f"Measured {when}: {rule.told}" if when else rule.told)
    off = rule.why_off
    if off is not None:
        yield from _comment(f"Off: {off}")
    lines = list(_rule_lines(rule, system))
    yield from _off("\n".join(lines)) if off is not None else lines


def _rule_lines(rule: Rule, system: str) -> Iterator[str]:
    times = [*(["smoke"] if rule.smoke else []), "checkpoint", "golive"]
    head = {"id": f"{system}.{rule.area}.{rule.name}", "says": rule.says, "check": rule.check, **rule.keys}
    body = dumped({**head, "severity": rule.severity, "when": times})
    first, *rest = _indented(body, 2).splitlines()
    yield f"- {first[2:]}"
    yield from rest
    if rule.items:
        yield "  for_each:"
        for item in rule.items:
            yield from _item(item, within_off=rule.why_off is not None)


def _item(item: Item, *, within_off: bool = False) -> Iterator[str]:
    """The item, with what was measured behind it where that fits on its line, and above it where it does not."""
    line = f"    {_name(item.name)}: {_flow(dict(item.keys))}"
    whole = dumped({item.name: dict(item.keys)}, flat=False)
    lines = [line] if len(line) <= WIDTH else _indented(whole, 4).splitlines()
    told = "; ".join(filter(None, [item.told, f"off: {item.off}" if item.off is not None else ""]))
    if told and len(lines) == 1 and len(line) + len(told) + 4 <= WIDTH:
        lines = [f"{line}  # {remark(told)}"]
    elif told:
        yield from _comment(told, 4)
    # In a rule that is off as a whole everything stands behind '#' already.
    yield from _off("\n".join(lines)) if item.off is not None and not within_off else lines


def _comment(text: str, margin: int = 0) -> Iterator[str]:
    """As many lines as it takes."""
    lines = textwrap.wrap(remark(text, _LONGEST), WIDTH - margin - 2, break_long_words=False, break_on_hyphens=False)
    return (f"{' ' * margin}# {line}" for line in lines)


def _off(text: str) -> Iterator[str]:
    """Behind `#` where the block begins, so that taking away `# ` puts it in force."""
    lines = text.splitlines()
    margin = min(len(line) - len(line.lstrip(" ")) for line in lines)
    return (f"{line[:margin]}# {line[margin:]}" for line in lines)


def _indented(text: str, by: int) -> str:
    return "\n".join(f"{' ' * by}{line}" if line else line for line in text.splitlines())
