"""Lines of a load are believed only if they are whole and agree with themselves."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive.judge.load.stream import read_stream
from tests.judge.load.made import BEGAN, began, second, state, whole, worker

HASTE = settings(max_examples=200, deadline=None)


def without(record: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != key}


RUBBISH: dict[str, Any] = {
    "cut off": ('{"kind": "second", "at": 17', "it is no JSON"),
    "binary": ("\x00\x01", "it is no JSON"),
    "list": ("[]", "it is no JSON object"),
    "number": ("5", "it is no JSON object"),
    "deep": ("[" * 100_000, "it is no JSON object"),
    "long number": ('{"kind": "began", "at": ' + "9" * 5000 + "}", "it is no JSON"),
    "no kind": ({}, "'kind' is one of second, state, began"),
    "another kind": ({"kind": "secund"}, "'kind' is one of second, state, began"),
    "kind of another type": ({"kind": ["second"]}, "'kind' is one of second, state, began"),
    "no time": (without(second(1), "at"), "'at' is a number of at least 0"),
    "time before all": ({**second(1), "at": -5}, "'at' is a number of at least 0"),
    "time that is none": ({**second(1), "at": math.nan}, "'at' is a number of at least 0"),
    "endless time": ({"kind": "began", "at": math.inf}, "'at' is a number of at least 0"),
    "true": ({"kind": "began", "at": True}, "'at' is a number of at least 0"),
    "no name": (without(second(1), "name"), "'name' is a text"),
    "no number": (without(second(1), "n"), "'n' is a whole number"),
    "half a request": ({**second(1), "n": 0.5}, "'n' is a whole number"),
    "no histogram": (without(second(1), "histogram"), "a histogram is a mapping"),
    "fewer latencies than requests": ({**second(1), "n": 2}, "as many latencies as requests"),
    "more failures than requests": (second(1, failures={"500": 1, "timeout": 1}), "no more failures, are in a second"),
    "failures as a list": ({**second(1), "failures": ["500"]}, "'failures' is a mapping"),
    "negative failures": (second(1, failures={"500": -1}), "the number of failures is a whole number"),
    "wrong intended": (second(1, intended={"buckets": 3}), "a histogram is a mapping"),
    "state without users": (without(state(1), "users"), "'users' is a whole number"),
    "state of nobody": (without(state(1), "worker"), "'worker' is a text"),
    "negative CPU": (state(1, cpu=-3), "'cpu' is a number of at least 0"),
    "worker of another state": (worker("w1", "gone"), "'state' is one of joined, lost, quit"),
    "end without a reason": ({"kind": "ended", "at": BEGAN}, "'reason' is one of done, stopped"),
    "problem without a text": ({"kind": "problem"}, "'text' is a text"),
    "made what": ({"kind": "made"}, "'clean_up' is a text"),
}


@pytest.mark.parametrize("name", RUBBISH)
def test_line_that_is_wrong_is_told_and_changes_nothing(name: str) -> None:
    line, message = RUBBISH[name]
    stream = read_stream([*whole(), line])
    assert (stream.unreadable, stream.told()) == (
        1, [f"one line of the load's own record could not be read: {stream.first_unreadable}"],
    )  # fmt: skip
    assert message in stream.first_unreadable
    assert stream.seconds == read_stream(whole()).seconds


def test_late_part_of_a_second_is_merged_into_it() -> None:
    stream = read_stream([second(3, [1, 2]), second(5, [9]), second(3, [4], failures={"500": 1})])
    assert [(s.at - BEGAN, s.n, dict(s.failures)) for s in stream.seconds] == [(3, 3, {"500": 1}), (5, 1, {})]


def test_failures_without_a_number_are_left_out() -> None:
    assert dict(read_stream([second(1, failures={"500": 0, "timeout": 1})]).seconds[0].failures) == {"timeout": 1}


def test_lines_are_taken_as_text_too() -> None:
    assert read_stream(json.dumps(line) for line in whole()).seconds == read_stream(whole()).seconds


def test_test_data_that_was_made_is_no_rubbish() -> None:
    assert read_stream([{"kind": "made", "clean_up": "DELETE /api/orders/17", "as": "ann"}]).told() == []


def test_text_of_a_problem_is_one_line_of_bounded_length() -> None:
    (told,) = read_stream([{"kind": "problem", "text": "a\nb " + "x" * 5000}]).told()
    assert told.startswith("a b xxx")
    assert len(told) <= 160


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
_KINDS = ("second", "state", "began", "worker", "problem", "ended", "made")
_KEYS = ("at", "worker", "name", "n", "failures", "histogram", "intended", "users", "cpu", "text", "reason")
_RECORD = st.fixed_dictionaries({"kind": st.sampled_from(_KINDS)}, optional=dict.fromkeys(_KEYS, _JSON))


@HASTE
@given(st.lists(st.one_of(_JSON.map(json.dumps), _RECORD, st.text(max_size=30)), max_size=8))
def test_whatever_comes_is_read_or_counted(lines: list[Any]) -> None:
    stream = read_stream([began(), *lines])
    assert stream.began_at == BEGAN
    assert 0 <= stream.unreadable <= len(lines)
    assert all(s.histogram.count == s.n for s in stream.seconds)
