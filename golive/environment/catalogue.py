"""The checks there are: one file each, found by path, read without importing until needed."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import ModuleType

from golive.environment.params import CheckParams


class CheckUnusable(Exception):
    """A check file that cannot be loaded or breaks the contract; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class Runbook:
    """The docstring of a check in its parts."""

    claim: str
    why: str
    when_it_fails: str

    def as_data(self) -> dict[str, str]:
        """The parts by name, for reports."""
        return {"claim": self.claim, "why": self.why, "when_it_fails": self.when_it_fails}


class Catalogue:
    """The check files below `root` (`root/AREA/NAME.py` is check `AREA/NAME` in module `PACKAGE.AREA.NAME`)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Every check id, sorted."""
        files = self.root.glob("*/*.py")
        return tuple(
            sorted(f"{f.parent.name}/{f.stem}" for f in files if not f.stem.startswith("_") and f.stem != "conftest")
        )

    def file(self, check: str) -> Path:
        """The file of a check id."""
        return self.root / f"{check}.py"

    def id_of(self, file: Path) -> str | None:
        """The check id of a file below `root`, or None for any other file."""
        try:
            parts = file.relative_to(self.root).parts
        except ValueError:
            return None
        if len(parts) != 2 or not parts[1].endswith(".py") or parts[1].startswith("_"):
            return None
        return f"{parts[0]}/{parts[1][:-3]}"

    def params(self, check: str) -> type[CheckParams]:
        """The `Params` of a check, whose module is imported now; CheckUnusable if it has none."""
        module = self._module(check)
        params = getattr(module, "Params", None)
        if not (isinstance(params, type) and issubclass(params, CheckParams)):
            raise CheckUnusable(f"check {check} ({self.file(check)}) has no class 'Params(CheckParams)'")
        return params

    def runbook(self, check: str) -> Runbook:
        """The docstring of a check, read without importing it; CheckUnusable without `Why:` and `When it fails:`."""
        return parse_runbook(ast.get_docstring(self._tree(check)) or "", check)

    def function(self, check: str) -> str:
        """The name of the one test function of a check; CheckUnusable if there is not exactly one."""
        names = [
            n.name for n in self._tree(check).body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")
        ]
        if len(names) != 1:
            raise CheckUnusable(f"check {check} must have exactly one test function, it has {len(names)}")
        return names[0]

    def all_params(self) -> Iterator[tuple[str, type[CheckParams]]]:
        """Every check id with its `Params`; imports them all."""
        for check in self.ids:
            yield check, self.params(check)

    def _tree(self, check: str) -> ast.Module:
        try:
            return _parsed(self.file(check).read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError) as error:
            raise CheckUnusable(f"check {check} cannot be read: {error}") from error

    def _module(self, check: str) -> ModuleType:
        name = f"{self.root.name}.{check.replace('/', '.')}"
        try:
            return importlib.import_module(name)
        except Exception as error:
            raise CheckUnusable(f"check {check} cannot be loaded: {type(error).__name__}: {error}") from error


@lru_cache(maxsize=256)
def _parsed(text: str) -> ast.Module:
    """Each of the hundred criteria of a check asks for its runbook."""
    return ast.parse(text)


def parse_runbook(docstring: str, check: str) -> Runbook:
    """Split a check's docstring; CheckUnusable if a part is missing."""
    found = re.fullmatch(
        r"(?P<claim>.+?)\n\n.*?Why:\s*(?P<why>.+?)\nWhen it fails:\s*(?P<fails>.+)", docstring, re.DOTALL
    )
    if not found:
        raise CheckUnusable(f"check {check}: its docstring needs a claim, 'Why:' and 'When it fails:'")
    return Runbook(*(" ".join(found[part].split()) for part in ("claim", "why", "fails")))
