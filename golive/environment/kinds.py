"""Sections whose keys depend on their `kind`, which is a file: `kind: supervisor` is `…/services/supervisor.py`."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from typing import Any

from golive.environment.params import Strict
from golive.environment.problems import Problem, short, unknown_name
from golive.environment.sections import EnvironmentSection, LogSection, ServicesSection
from golive.environment.validation import validated
from golive.environment.yaml_source import Source

PACKAGES: dict[str, tuple[str, type[Strict]]] = {
    "services": ("golive.targets.services", ServicesSection),
    "logs": ("golive.logs", LogSection),
}


def kinds_of(section: str) -> list[str]:
    """The kinds of a section: the modules of its package that define a `Config`."""
    package, base = PACKAGES[section]
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = [file for folder in folders for file in Path(folder).glob("*.py")]
    defines = re.compile(rf"^class Config\({base.__name__}\)", re.MULTILINE)
    return sorted(f.stem for f in files if defines.search(f.read_text(encoding="utf-8")))


def config_of(section: str, kind: str) -> type[Strict]:
    """The model of one kind; imports its module."""
    config = importlib.import_module(f"{PACKAGES[section][0]}.{kind}").Config
    if not issubclass(config, PACKAGES[section][1]):
        raise TypeError(f"{PACKAGES[section][0]}.{kind}.Config must extend {PACKAGES[section][1].__name__}")
    return config  # type: ignore[no-any-return]


def section_with_kinds(merged: Source, problems: list[Problem]) -> EnvironmentSection | None:
    """The validated environment, its services and logs as records of their kinds; None if anything is wrong."""
    plain = {k: v for k, v in merged.data.items() if k not in PACKAGES}
    section, found = validated(EnvironmentSection, plain, merged, (), "environment")
    before = len(problems)
    problems += found
    typed = {name: _typed(name, merged, problems) for name in PACKAGES}
    if section is None or len(problems) > before:
        return None
    return section.model_copy(update=typed)


def _typed(section: str, merged: Source, problems: list[Problem]) -> dict[str, Strict]:
    entries = merged.data.get(section, {})
    if not isinstance(entries, dict):
        problems.append(
            Problem(
                place=merged.place((section,)),
                text=f"environment: {section!r} is a mapping from names; got {short(entries)}",
            )
        )
        return {}
    typed = {name: _one(section, name, entry, merged, problems) for name, entry in entries.items()}
    return {name: record for name, record in typed.items() if record is not None}


def _one(section: str, name: str, entry: Any, merged: Source, problems: list[Problem]) -> Strict | None:
    label, path = f"{section}.{name}", (section, name)
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if kind not in (kinds := kinds_of(section)):
        text = (
            f"{label}: {unknown_name('kind', kind, kinds)}"
            if kind
            else f"{label}: the key 'kind' is missing. Allowed: {', '.join(kinds)}."
        )
        problems.append(Problem(place=merged.place((*path, "kind")), text=text))
        return None
    record, found = validated(config_of(section, kind), entry, merged, path, label)
    problems += found
    return record
