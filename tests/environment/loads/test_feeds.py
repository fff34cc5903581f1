"""Feeds are read whole or refused: a row that lacks a value would send `{sku}` to the target."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive.environment.loads import read_feed


def feed(folder: Path, content: str | bytes, name: str = "feed.csv") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_csv_has_its_names_in_the_first_line(tmp_path: Path) -> None:
    rows = read_feed(feed(tmp_path, '\ufeffsku,name\nA1,"Tea, green"\n\nB2,\n'))
    assert rows == [{"sku": "A1", "name": "Tea, green"}, {"sku": "B2", "name": ""}]


def test_json_lines_keep_their_types(tmp_path: Path) -> None:
    rows = read_feed(
        feed(tmp_path, '{"sku": "A1", "n": 2, "x": true}\n\n{"sku": "B2", "n": 0.5, "x": false}\n', "f.jsonl")
    )
    assert rows == [{"sku": "A1", "n": 2, "x": True}, {"sku": "B2", "n": 0.5, "x": False}]


WRONG: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "needs a first line with the names of its columns"),
    "header alone": ("sku\n", "holds no row"),
    "column twice": ("a,a\n1,2\n", "needs a first line with the names of its columns, each once"),
    "column without a name": ("a,\n1,2\n", "needs a first line with the names of its columns"),
    "short row": ("a,b\n1,2\n3\n", "has 1 values in line 3, where 2 are named"),
    "long row": ("a\n1\n2,3\n", "has 2 values in line 3, where 1 are named"),
    "open quote": ('a\n"1\n', "is no valid CSV in line"),
    "not text": (b"a\n\xff\n", "is not UTF-8 text"),
    "too large": (b"a\n" + b"1234567890\n" * 500_000, "is larger than 5 MB"),
    "too many": ("a\n" + "1\n" * 100_001, "holds more than 100000 rows"),
}
WRONG_JSON = {
    "no JSON": ("{", "has something else than a flat JSON object in line 1"),
    "list": ('{"a": 1}\n[1]\n', "has something else than a flat JSON object in line 2"),
    "nested": ('{"a": {"b": 1}}', "has something else than a flat JSON object in line 1"),
    "null": ('{"a": null}', "has something else than a flat JSON object in line 1"),
    "nothing in it": ("{}", "has something else than a flat JSON object in line 1"),
    "deep": ("[" * 100_000, "has something else than a flat JSON object in line 1"),
    "other names": ('{"a": 1}\n{"b": 1}\n', "holds rows with different names: a; in row 2 b"),
    "empty": ("\n", "holds no row"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_broken_csv_is_refused(tmp_path: Path, fault: str) -> None:
    content, message = WRONG[fault]
    with pytest.raises(ValueError, match=message):
        read_feed(feed(tmp_path, content))


@pytest.mark.parametrize("fault", WRONG_JSON)
def test_broken_json_lines_are_refused(tmp_path: Path, fault: str) -> None:
    content, message = WRONG_JSON[fault]
    with pytest.raises(ValueError, match=message):
        read_feed(feed(tmp_path, content, "feed.jsonl"))


def test_missing_file_and_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: No such file or directory"):
        read_feed(tmp_path / "nothing.csv")
    with pytest.raises(ValueError, match="cannot be read: Is a directory"):
        read_feed(tmp_path)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["f.csv", "f.jsonl"]))
def test_rubbish_is_refused_or_read_whole(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    file = feed(tmp_path_factory.getbasetemp(), content, name)
    try:
        rows = read_feed(file)
    except ValueError:
        return
    assert rows
    assert all(row.keys() == rows[0].keys() for row in rows)
