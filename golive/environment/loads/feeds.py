"""Data that a scenario is fed with: one row for each time that a user goes through it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, str | int | float | bool]
"""One row of a feed: the values by the names that `{name}` in paths and bodies refers to."""
_MAX_BYTES = 5_000_000
_MAX_ROWS = 100_000


def read_feed(file: Path) -> list[Row]:
    """The rows of a CSV file with a header (all values are text) or of a `.jsonl` file with one flat object a line.

    ValueError, as the end of a sentence about the file, where it cannot be read, holds no row, or has rows that differ
    in their names.
    """
    text = _text(file)
    rows = list(_json_rows(text) if file.suffix == ".jsonl" else _csv_rows(text))
    if not rows:
        raise ValueError("holds no row")
    if len(rows) > _MAX_ROWS:
        raise ValueError(f"holds more than {_MAX_ROWS} rows")
    for number, row in enumerate(rows, start=1):
        if row.keys() != rows[0].keys():
            raise ValueError(f"holds rows with different names: {', '.join(rows[0])}; in row {number} {', '.join(row)}")
    return rows


def _text(file: Path) -> str:
    try:
        with file.open("rb") as handle:
            raw = handle.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from None
    if len(raw) > _MAX_BYTES:
        raise ValueError(f"is larger than {_MAX_BYTES // 1_000_000} MB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None


def _csv_rows(text: str) -> Iterator[Row]:
    lines = csv.reader(text.splitlines(), strict=True)
    try:
        names = [name.strip() for name in next(lines, [])]
        if not names or not all(names) or len(set(names)) < len(names):
            raise ValueError("needs a first line with the names of its columns, each once")
        for values in lines:
            if not values:
                continue
            if len(values) != len(names):
                raise ValueError(f"has {len(values)} values in line {lines.line_num}, where {len(names)} are named")
            yield dict(zip(names, values, strict=True))
    except csv.Error as error:
        raise ValueError(f"is no valid CSV in line {lines.line_num}: {error}") from None


def _json_rows(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield _json_row(line, number)


def _json_row(line: str, number: int) -> Row:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    is_flat = isinstance(row, dict) and all(isinstance(value, str | int | float | bool) for value in row.values())
    if not is_flat or not row:
        raise ValueError(f"has something else than a flat JSON object in line {number}")
    return dict(row)
