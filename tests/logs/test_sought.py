"""The fixed texts that a host can pick lines by: every line that matches holds one of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive.logs.sought import Sought


@pytest.mark.parametrize(
    ("pattern", "parts", "any_case"),
    [
        (r'\b2FA\b|"event":\s*"auth\.second_factor"', ("2FA", '"auth.second_factor"'), False),
        ('"status": ?403', ('"status":',), False),
        ("(?i)token|jwt", ("token", "jwt"), True),
        ("(?i:Foo)bar", ("Foobar",), True),
        ("x?hello", ("hello",), False),
        ("^abc$", ("abc",), False),
        ("(?:foo|bar)+baz", ("foo", "bar"), False),
        (r"(foo)\1", ("foo",), False),
        ("é.*naïve", ("naïve",), False),
    ],
)
def test_texts_of_an_expression(pattern: str, parts: tuple[str, ...], any_case: bool) -> None:
    texts = Sought(pattern=pattern).texts
    assert texts is not None
    assert (texts.parts, texts.any_case) == (parts, any_case)


@pytest.mark.parametrize("pattern", [r"\d+", "[ab]c", "a|bcd", "x*", "(?i)é{3}", "foo\nbar", "", "(abc)?"])
def test_some_expressions_have_no_text(pattern: str) -> None:
    assert Sought(pattern=pattern, words=() if pattern else ("x",)).texts is None or not pattern


def test_words_are_texts_in_any_case() -> None:
    sought = Sought(words=("login", "/auth"))
    assert sought.texts is not None and sought.texts.any_case
    assert (
        sought.expression.search("a LOGIN b")
        and sought.expression.search("/auth")
        and sought.told == "lines with login, /auth …"
    )


PIECES = st.sampled_from(
    ["ab", "cd|ef", "(gh|ij)", "k+", "l?", r"\d", "[mn]", "^", "$", ".", "(?:op)*", "(?i:qr)", "s{2}"]
)
TEXT = st.text(alphabet="abcdefghijklmnopqrsQR12 ", max_size=30)


@given(st.lists(PIECES, min_size=1, max_size=5).map("".join), TEXT)
def test_no_line_that_matches_is_without_a_text(pattern: str, line: str) -> None:
    texts = Sought(pattern=pattern).texts
    if texts is not None and re.search(pattern, line):
        small = line.lower() if texts.any_case else line
        assert any((part.lower() if texts.any_case else part) in small for part in texts.parts)
