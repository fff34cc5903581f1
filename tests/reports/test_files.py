"""Files that are seen whole or not at all, and the way to the latest run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reports.files import point_latest, shown, write_whole


def test_latest_is_a_relative_link_that_moves(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert point_latest(tmp_path / name) == tmp_path / "latest"
        assert (tmp_path / "latest").readlink() == Path(name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest", "one", "two"]


def test_latest_survives_the_move_of_the_whole_folder(tmp_path: Path) -> None:
    (tmp_path / "out" / "one").mkdir(parents=True)
    point_latest(tmp_path / "out" / "one")
    (tmp_path / "out").rename(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "latest").resolve() == tmp_path / "elsewhere" / "one"


def test_where_links_are_not_to_be_had_a_text_file_names_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object, **_options: object) -> None:
        raise OSError("no links on this file system")

    (tmp_path / "one").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "symlink_to", refused)
        assert point_latest(tmp_path / "one") == tmp_path / "latest.txt"
    assert (tmp_path / "latest.txt").read_text(encoding="utf-8") == "one\n"
    point_latest(tmp_path / "one")
    assert not (tmp_path / "latest.txt").exists()


def test_a_folder_in_the_place_of_the_link_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "latest" / "kept").mkdir(parents=True)
    assert point_latest(tmp_path / "one").name == "latest.txt"
    assert (tmp_path / "latest" / "kept").is_dir()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "results.json"
    write_whole(file, "old")

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, "new")
    assert file.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_text_that_is_not_unicode_is_written_as_escapes(tmp_path: Path) -> None:
    write_whole(tmp_path / "x", "half \ud800")
    assert (tmp_path / "x").read_text(encoding="utf-8") == "half \\ud800"


def test_paths_are_shown_as_one_would_type_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "a" / "b") == "a/b"
    assert shown(Path("/elsewhere/b")) == "/elsewhere/b"
