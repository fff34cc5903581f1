"""A hostile or broken YAML file costs one line, never the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from golive.environment.problems import EnvironmentInvalid
from golive.environment.yaml_source import MAX_BYTES, read_source

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(8)
)
BROKEN = {
    "empty": (b"", "f.yaml:1: is empty"),
    "only a comment": (b"# nothing\n", "f.yaml:1: is empty"),
    "not utf-8": (b"a: b\nc: \xff\n", "f.yaml:2: is not UTF-8 (byte 0xff)"),
    "utf-16": ("a: b".encode("utf-16"), "is not UTF-8"),
    "tab": (b"a:\n\tb: 1\n", "f.yaml:2: is no valid YAML: a tab; indent with spaces"),
    "bad syntax": (b"a: [1, 2\nb: 3\n", "f.yaml:2: is no valid YAML"),
    "control characters": (b"a: \x00\n", "is no valid YAML"),
    "too large": (b"a: " + b"x" * MAX_BYTES, "is larger than 1000 kB"),
    "alias bomb": (BOMB.encode(), "holds more than 50000 values (do its aliases multiply?)"),
    "alias of itself": (b"a: &a [*a]\n", "is nested deeper than 40 levels"),
    "too deep": (b"[" * 60 + b"]" * 60, "is nested deeper than 40 levels"),
    "python object": (b"a: !!python/object/apply:os.system ['true']\n", "f.yaml:1: is"),
    "tag": (b"a: !!binary aGk=\n", "f.yaml:1: the tag 'tag:yaml.org,2002:binary' is not allowed"),
    "key twice": (b"a: 1\nb: 2\na: 3\n", "f.yaml:3: key 'a' is given twice"),
    "key that is a list": (b"? [a]\n: 1\n", "a key must be plain text"),
    "merge key": (
        b"a: &x {b: 1}\nc:\n  <<: *x\n",
        "f.yaml:3: a key must be plain text ('<<' merging is not supported)",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.chdir(tmp_path)
    raw, message = BROKEN[fault]
    (tmp_path / "f.yaml").write_bytes(raw)
    if fault == "python object":
        message = "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed"
        raw = b"a: !!python/object/apply:os.system 'true'\n"
        (tmp_path / "f.yaml").write_bytes(raw)
    with pytest.raises(EnvironmentInvalid) as error:
        read_source(Path("f.yaml"))
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentInvalid, match="cannot be read: No such file or directory"):
        read_source(tmp_path / "no.yaml")
    with pytest.raises(EnvironmentInvalid, match="cannot be read: Is a directory"):
        read_source(tmp_path)


def test_scalars_are_what_a_person_means(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(
        "on: yes\nno_data: no\nt: true\nport: 080\ntime: 12:30\nday: 2026-01-02\nn: 5\nf: 1.5\nempty:\nhex: 0x10\n"
    )
    assert read_source(tmp_path / "f.yaml").data == {
        "on": "yes", "no_data": "no", "t": True, "port": "080", "time": "12:30", "day": "2026-01-02",
        "n": 5, "f": 1.5, "empty": None, "hex": "0x10",
    }  # fmt: skip


def test_places_are_lines_of_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f.yaml").write_text("a:\n  - x\n  - y: 1\n    z: 2\n")
    source = read_source(Path("f.yaml"))
    assert str(source.place(("a", 1, "z"))) == "f.yaml:4"
    assert str(source.place(("a", 1, "unknown", "deeper"))) == "f.yaml:3"
