"""Canonical JSON: one text, and so one digest, for one piece of data."""

from __future__ import annotations

import json
import math

import pytest

from golive.history.canonical import canonical, digest, digest_of


def test_the_example_of_the_rfc() -> None:
    data = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert canonical(data) == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_sorted_as_javascript_sorts_them() -> None:
    data = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert [json.loads(canonical(data))[k] for k in json.loads(canonical(data))] == [2, 4, 6, 7, 1, 5, 3]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (0, "0"), (3, "3"), (3.0, "3"), (-1.5, "-1.5"), (100.0, "100"), (120.0, "120"),
        (1e21, "1e+21"), (1e20, "100000000000000000000"), (1.5e300, "1.5e+300"), (1e-6, "0.000001"),
        (1e-7, "1e-7"), (1.25e-7, "1.25e-7"), (5e-324, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992, "9007199254740992"), (2**60, "1152921504606847000"), (0.1 + 0.2, "0.30000000000000004"),
        (math.nan, "null"), (math.inf, "null"), (-math.inf, "null"), (10**400, "null"),
    ],
)  # fmt: skip
def test_a_number_has_one_form(value: float, text: str) -> None:
    assert canonical(value) == text


def test_what_two_ways_of_keeping_it_give_back_is_the_same() -> None:
    kept = {"value": 90, "limits": (85.0, None), "worst": math.nan}
    read = json.loads('{"worst": null, "limits": [85, null], "value": 90.0}')
    assert digest_of(kept) == digest_of(read)
    assert digest_of(kept) != digest_of({**kept, "value": 90.00000001})


def test_half_of_a_surrogate_pair_can_be_digested() -> None:
    assert canonical("a\ud800b") == '"a\\\\ud800b"'
    assert len(digest_of({"\ud800": 1})) == 64


def test_the_digest_is_sha_256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_what_json_does_not_know_has_no_form() -> None:
    with pytest.raises(TypeError, match="set has no canonical form"):
        canonical({"a": {1}})
