"""YAML files as plain data, with the line of every key.

Only plain data comes out (no tags, no timestamps), within bounds on size, depth and
the number of values, so that a hostile or broken file costs one line and not the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from golive.environment.problems import EnvironmentInvalid, Problem, short, shown_path
from golive.model import Place

MAX_BYTES = 1_000_000
MAX_VALUES = 50_000
MAX_DEPTH = 40
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its data and the place of each path into it."""

    file: Path
    data: Any
    places: dict[Path_, Place] = field(default_factory=dict)

    def place(self, path: Path_ = ()) -> Place:
        """Where `path` was written, or the nearest thing around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(file=shown_path(self.file)))


def read_source(file: Path) -> Source:
    """Read one YAML file; EnvironmentInvalid with one line if it cannot be read as plain data."""
    try:
        with file.open("rb") as handle:
            raw = handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise _invalid(file, f"cannot be read: {error.strerror or error}") from None
    if len(raw) > MAX_BYTES:
        raise _invalid(file, f"is larger than {MAX_BYTES // 1000} kB; split it and use 'include' or 'criteria'")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _invalid(file, f"is not UTF-8 (byte {raw[error.start]:#04x})", line) from None
    return _parsed(file, text)


def _why(text: str, line: int, error: yaml.MarkedYAMLError) -> str:
    """What is wrong there; of a tab the parser tells only that it cannot start anything."""
    there = text.split("\n")[line - 1 : line]
    if any("\t" in one[: len(one) - len(one.lstrip())] for one in there):
        return "a tab; indent with spaces"
    return str(error.problem or error.context)


def _parsed(file: Path, text: str) -> Source:
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _invalid(file, f"is no valid YAML: {_why(text, line, error)}", line) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise _invalid(file, f"is no valid YAML: {type(error).__name__}") from None
    if node is None:
        raise _invalid(file, "is empty")
    builder = _Builder(file)
    data = builder.build(node, (), 0)
    if builder.problems:
        raise EnvironmentInvalid(builder.problems)
    return Source(file, data, builder.places)


class _Builder:
    """Turns YAML nodes into data, noting the line of each path."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.name = shown_path(file)
        self.places: dict[Path_, Place] = {}
        self.problems: list[Problem] = []
        self._values = 0

    def build(self, node: yaml.Node, path: Path_, depth: int) -> Any:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _invalid(
                self.file, f"holds more than {MAX_VALUES} values (do its aliases multiply?)", self._line(node)
            )
        if depth > MAX_DEPTH:
            raise _invalid(self.file, f"is nested deeper than {MAX_DEPTH} levels", self._line(node))
        self.places.setdefault(path, Place(file=self.name, line=self._line(node)))
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, path, depth))
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, i), depth + 1) for i, child in enumerate(node.value)]
        return self._scalar(node)

    def _items(self, node: yaml.MappingNode, path: Path_, depth: int) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, child in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str) or key == "<<":
                self._problem(key_node, "a key must be plain text ('<<' merging is not supported)")
                continue
            if key in seen:
                self._problem(key_node, f"key {short(key)} is given twice")
                continue
            seen.add(key)
            self.places[(*path, key)] = Place(file=self.name, line=self._line(key_node))
            yield key, self.build(child, (*path, key), depth + 1)

    def _scalar(self, node: yaml.Node) -> Any:
        tag, value = node.tag, node.value
        if tag in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp"):
            return value
        if tag == "tag:yaml.org,2002:null":
            return None
        if tag == "tag:yaml.org,2002:bool":
            # YAML 1.1 reads yes, no, on and off as booleans; here only true and false are.
            return value.lower() == "true" if value.lower() in ("true", "false") else value
        if tag == "tag:yaml.org,2002:int":
            return _integer(value)
        if tag == "tag:yaml.org,2002:float":
            return _decimal(value)
        self._problem(node, f"the tag {short(tag)} is not allowed: only plain data is")
        return None

    def _problem(self, node: yaml.Node, text: str) -> None:
        self.problems.append(Problem(place=Place(file=self.name, line=self._line(node)), text=text))

    @staticmethod
    def _line(node: yaml.Node) -> int:
        return int(node.start_mark.line) + 1


def _integer(value: str) -> int | str:
    """Decimal integers only: `010`, `0x10` and `12:30` stay the text that was typed."""
    digits = value.lstrip("+-")
    if not digits.isdigit() or len(digits) > 18 or (digits.startswith("0") and digits != "0"):
        return value
    return int(value)


def _decimal(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


def _invalid(file: Path, text: str, line: int = 1) -> EnvironmentInvalid:
    return EnvironmentInvalid([Problem(place=Place(file=shown_path(file), line=line), text=text)])
