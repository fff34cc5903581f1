"""Dotted paths and expectations over JSON of every shape."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from golive.targets.expectations import Expectations, breaches
from golive.targets.paths import MISSING, select, value_at

DATA = {
    "status": "ok",
    "count": 3,
    "ratio": 0.5,
    "on": True,
    "none": None,
    "checks": {"a": {"status": "ok"}, "b": {"status": "down"}},
    "orders": [{"id": 1}, {"id": 2, "note": "x"}],
    "empty": [],
}
EXPECT = TypeAdapter(Expectations)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("status", [("status", "ok")]),
        ("orders.1.id", [("orders.1.id", 2)]),
        ("orders.*.id", [("orders.0.id", 1), ("orders.1.id", 2)]),
        ("checks.*.status", [("checks.a.status", "ok"), ("checks.b.status", "down")]),
        ("orders.*.note", [("orders.0.note", MISSING), ("orders.1.note", "x")]),
        ("empty.*.id", [("empty.*.id", MISSING)]),
        ("status.deeper", [("status.deeper", MISSING)]),
        ("orders.9", [("orders.9", MISSING)]),
        ("orders.-1", [("orders.-1", MISSING)]),
        ("", [("", MISSING)]),
    ],
)
def test_paths(path: str, found: list[tuple[str, Any]]) -> None:
    assert select(DATA, path) == found
    assert value_at(DATA, path) == found[0][1]


@pytest.mark.parametrize(
    "expect",
    [
        {"status": "ok", "count": 3, "ratio": 0.5, "on": True, "none": None},
        {"count": 3.0},
        {"status": ["up", "ok"]},
        {"orders.*.id": {"type": "integer", "min": 1, "max": 2}},
        {"status": {"matches": "o."}, "on": {"type": "flag"}, "orders": {"type": "list"}, "checks": {"type": "object"}},
        {"status": {"one_of": ["ok"]}, "ratio": {"equals": 0.5}, "none": {"equals": None}},
    ],
)
def test_what_is_as_expected(expect: Any) -> None:
    assert breaches(DATA, EXPECT.validate_python(expect)) == []


@pytest.mark.parametrize(
    ("expect", "says"),
    [
        ({"status": "up"}, "status is 'ok', 'up' needed"),
        ({"status": ["up", "healthy"]}, "status is 'ok', one of 'up', 'healthy' needed"),
        ({"nothing": "x"}, "nothing is missing"),
        ({"nothing": None}, "nothing is missing"),
        ({"none": "x"}, "none is null, 'x' needed"),
        ({"checks.*.status": "ok"}, "checks.b.status is 'down', 'ok' needed"),
        ({"empty.*": 1}, "empty.* is missing"),
        ({"on": 1}, "on is true, 1 needed"),
        ({"count": True}, "count is 3, true needed"),
        ({"count": "3"}, "count is 3, '3' needed"),
        ({"count": {"max": 2}}, "count is 3, at most 2 needed"),
        ({"count": {"min": 4}}, "count is 3, at least 4 needed"),
        ({"status": {"min": 4}}, "status is 'ok', a number needed"),
        ({"on": {"type": "number"}}, "on is true, a value of type number needed"),
        ({"ratio": {"type": "integer"}}, "ratio is 0.5, a value of type integer needed"),
        ({"status": {"matches": "o"}}, "status is 'ok', text that matches o needed"),
    ],
)
def test_what_is_not_as_expected_is_one_sentence(expect: Any, says: str) -> None:
    assert breaches(DATA, EXPECT.validate_python(expect)) == [says]


def test_hostile_values_are_shown_harmlessly() -> None:
    (sentence,) = breaches({"status": "\x1b[31m" + "x" * 10_000 + "\n"}, {"status": "ok"})
    assert sentence.isprintable()
    assert len(sentence) < 200


@pytest.mark.parametrize("rule", [{}, {"matches": "("}, {"typ": "text"}, {"type": "date"}])
def test_a_rule_that_says_nothing_or_nonsense_is_refused(rule: Any) -> None:
    with pytest.raises(ValidationError):
        EXPECT.validate_python({"status": rule})
