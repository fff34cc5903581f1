"""The stream is read as it grows, and rubbish in it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from load.stream import UNREADABLE, Tail, lines_of, parsed
from tests.load.lines import BEGAN, began, second, state


def test_a_tail_gives_each_whole_line_once(tmp_path: Path) -> None:
    file = tmp_path / "stream.jsonl"
    tail = Tail(file)
    assert tail.read() == []
    text = json.dumps(began()) + "\n" + json.dumps(state(1))
    with file.open("a") as stream:
        stream.write(text)
        stream.flush()
        assert tail.read() == [began()]
        assert tail.read() == []
        stream.write("\n\n")
        stream.flush()
        assert tail.read() == [state(1)]


@pytest.mark.parametrize("raw", [b"{", b"[1]", b'"x"', b"{}", b'{"kind": 3}', b"\xff\xfe", b"1" * 5000, b"[" * 100_000])
def test_what_is_no_line_is_told(raw: bytes) -> None:
    line = parsed(raw)
    assert line["kind"] == UNREADABLE
    assert line["text"].startswith("a line of the stream cannot be read: ")
    assert len(line["text"]) < 400


def test_times_of_a_machine_whose_clock_is_ahead_are_put_right(tmp_path: Path) -> None:
    file = tmp_path / "stream.jsonl"
    lines = [began(), second(7, [1], worker="far"), state(7.5, worker="far"), second(4, [1])]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [line["at"] - BEGAN for line in lines_of(file, ahead_s={"far": 3})] == [0, 4, 4.5, 4]
    assert list(lines_of(file)) == lines


def test_without_a_file_there_are_no_lines(tmp_path: Path) -> None:
    assert list(lines_of(tmp_path / "none")) == []
