"""Text from outside, made harmless and short."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.text import bounded, clipped, duration, first_sentence, one_line, plural, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\x07b\x7f\x9b", "a\\x07b\\x7f\\x9b"),
        ("invoice\u202efdp.exe", "invoice\\u202efdp.exe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("half \ud800", "half \\ud800"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("two\r\nlines\tand tab", "two\nlines\tand tab"),
        ("umlauts äöü, 日本語, عربى, 😀", "umlauts äöü, 日本語, عربى, 😀"),
    ],
)
def test_characters_that_act_are_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_whatever_comes_is_one_printable_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 300
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in line)
    line.encode("utf-8")


def test_a_megabyte_is_cut_in_the_middle_and_says_so() -> None:
    text = bounded("a" * 1_000_000, 100)
    assert len(text) < 200
    assert "999900 characters left out" in text


def test_short_text_stays() -> None:
    assert bounded("short", 100) == "short"
    assert clipped("short", 5) == "short"
    assert clipped("longer", 5) == "long…"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Read the log. Then restart.", "Read the log."),
        ("Run `top`, e.g. by CPU, then look.", "Run `top`, e.g. by CPU, then look."),
        ("Check /etc/app.conf on 10.0.0.1\nfirst! Then wait.", "Check /etc/app.conf on 10.0.0.1 first!"),
        ("Stop it. `systemctl restart app` helps.", "Stop it."),
        ("", ""),
    ],
)
def test_the_first_sentence(text: str, first: str) -> None:
    assert first_sentence(text) == first


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"),
        (0.0123, "12 ms"),
        (4.21, "4.2 s"),
        (60, "1 min"),
        (192, "3 min 12 s"),
        (7500, "2 h 5 min"),
        (86400 * 3 + 4 * 3600, "3 d 4 h"),
    ],
)
def test_durations_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_numbers_of_things() -> None:
    assert [plural(n, "criterion", "criteria") for n in (0, 1, 2)] == ["0 criteria", "1 criterion", "2 criteria"]
