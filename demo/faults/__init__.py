"""The faults: every module of this folder that is not underscored defines some, as module-level `Fault` objects.

`FAULTS` finds them by looking, so a new fault is a few lines in the module of its area and its entry in
`turns_red.yaml`. A module that cannot be imported stops the import of this package with its own error.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import yaml

from demo.faults._model import Demo, Fault, ShowsIn

__all__ = ["FAULTS", "Demo", "Fault"]


def _in_module(module: ModuleType) -> Iterator[Fault]:
    for value in vars(module).values():
        if isinstance(value, Fault):
            yield value
        elif isinstance(value, tuple):
            yield from (one for one in value if isinstance(one, Fault))


def _find() -> dict[str, Fault]:
    found: dict[str, Fault] = {}
    for info in pkgutil.iter_modules(__path__):
        if info.name.startswith("_"):
            continue
        for fault in _in_module(importlib.import_module(f"{__name__}.{info.name}")):
            if found.setdefault(fault.name, fault) is not fault:
                raise ValueError(f"two faults are called {fault.name!r}")
    known = yaml.safe_load((Path(__file__).parent / "turns_red.yaml").read_text(encoding="utf-8"))
    if known.keys() != found.keys():
        raise ValueError(f"turns_red.yaml and the modules differ in {', '.join(sorted(known.keys() ^ found.keys()))}")
    return {name: _expected(fault, known[name]) for name, fault in sorted(found.items())}


def _expected(fault: Fault, known: Mapping[str, Any]) -> Fault:
    criteria = frozenset(f"warungin.{criterion}" for criterion in known["criteria"])
    shows_in: ShowsIn = known.get("shows_in", "run")
    if shows_in not in get_args(ShowsIn) or (shows_in in ("run", "load")) != bool(criteria):
        raise ValueError(
            f"turns_red.yaml: {fault.name} turns criteria red in a run or under load, or shows in a watch or a trend"
        )
    return dataclasses.replace(fault, turns_red=criteria, told_as=known.get("told_as", ""), shows_in=shows_in)


FAULTS: Mapping[str, Fault] = _find()
"""All faults by name."""
