"""What counts as given away by a refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from golive.judge.leaks import leaked

SECRET = {"orders": [{"id": 2007, "item": "Teh Tarik", "total": 24691.5, "status": "paid", "qty": 3, "paid": True}]}
OWN = {"orders": [{"id": 1007, "item": "Kopi Susu", "total": 12345.5, "status": "paid", "qty": 3}]}


def found(refusal: Any, said: str = "GET /api/stores/2/orders 403") -> list[str]:
    text = refusal if isinstance(refusal, str) else json.dumps(refusal)
    return leaked(SECRET, own=OWN, refusal=text, said=said)


@pytest.mark.parametrize(
    "refusal",
    [
        "",
        {"error": "forbidden"},
        {"error": "forbidden", "status": "paid", "qty": 3, "code": 403},
        {"error": "forbidden", "request_id": "20070101T2007Z-x-2007"},
        "<html><h1>403 Forbidden</h1></html>",
    ],
)
def test_a_refusal_that_says_nothing_leaks_nothing(refusal: Any) -> None:
    assert found(refusal) == []


@pytest.mark.parametrize(
    ("refusal", "paths"),
    [
        ({"error": "forbidden", "order": SECRET["orders"][0]}, ["orders.*.id", "orders.*.item", "orders.*.total"]),
        ({"error": "order of 24691.50 is not yours"}, ["orders.*.total"]),
        ("forbidden: Teh&#32;Tarik", ["orders.*.item"]),
        ({"error": "order 2007 belongs to store 2"}, ["orders.*.id"]),
        ('{"error": "Teh\\u0020Tarik"}', ["orders.*.item"]),
    ],
)
def test_values_of_the_other_side_are_found_however_they_are_written(refusal: Any, paths: list[str]) -> None:
    assert found(refusal) == paths


def test_what_the_refused_said_themselves_is_no_leak() -> None:
    assert found({"error": "order 2007 is not yours"}, said="GET /api/stores/2/orders/2007 403") == []


def test_numbers_that_are_written_as_text_count_as_numbers() -> None:
    assert leaked({"total": "24691.50"}, own=None, refusal="total 24691.5", said="") == ["total"]
    assert leaked({"total": "24691.50"}, own={"t": 24691.5}, refusal="total 24691.5", said="") == []
