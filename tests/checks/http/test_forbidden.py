"""http/forbidden against a shop with two stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.http import forbidden
from golive.model import Status
from tests.checks.http.conftest import Bench
from tests.judged import Judged, run_context
from tests.rogues import refusing
from tests.webshop import Shop, sections

KEYS: dict[str, Any] = {
    "as": "cashier_1",
    "other_account": "cashier_2",
    "requests": [
        "GET /api/stores/2/orders",
        "GET /api/stores/2/orders/2007",
        "POST /api/stores/2/orders",
        "PUT /api/stores/2/orders/2007",
        "DELETE /api/stores/2/orders/2007",
    ],
    "body": {"item": "golive", "price": 1},
    "positive_control": "GET /api/stores/1/orders",
    "leak_control": "GET /api/stores/2/orders",
}


def judge(bench: Bench, **keys: Any) -> Judged:
    return bench.judge(forbidden, **{**KEYS, **keys})


def test_refusals_pass(bench: Bench) -> None:
    outcome = judge(bench)
    assert (outcome.status, outcome.message) == (Status.PASS, "5 requests refused with 403, own data given")
    assert bench.shop.orders[2].keys() == {2007}


@pytest.mark.parametrize(
    ("breach", "says"),
    [
        ("foreign-read", "GET /api/stores/2/orders at api answered 200 with another tenant's data, 403 needed"),
        (
            "foreign-write",
            "POST /api/stores/2/orders at api answered 200, 403 needed: the write went through",
        ),
        ("leak", "GET /api/stores/2/orders at api answered 403, and its body gives away orders.*.id, orders.*.item"),
        (
            "everything-forbidden",
            "answered 403 to cashier_1, who may see it, so the refusals prove nothing",
        ),
    ],
)
def test_breaches_fail(bench: Bench, breach: str, says: str) -> None:
    bench.shop.breaches.add(breach)
    outcome = judge(bench)
    assert outcome.status is Status.FAIL
    assert says in outcome.message


def test_a_refusal_names_no_value_of_the_other_store(bench: Bench) -> None:
    bench.shop.breaches.add("leak")
    assert "Teh Tarik" not in judge(bench).message


def test_the_same_request_without_a_token_needs_its_own_status(bench: Bench) -> None:
    outcome = judge(bench, without_token=403)
    assert "GET /api/stores/2/orders at api answered 401 without a token, 403 needed" in outcome.message


def test_another_status_than_the_refusal_fails(bench: Bench) -> None:
    outcome = judge(bench, requests=["GET /api/nothing/2"])
    assert "GET /api/nothing/2 at api answered 404, 403 needed" in outcome.message


def test_an_owner_who_sees_nothing_is_unknown(bench: Bench) -> None:
    outcome = judge(bench, leak_control="GET /api/stores/1/orders")
    assert outcome.status is Status.UNKNOWN
    assert "answered 403 to cashier_2, who may see it, so a leak could not be told" in outcome.message


@pytest.mark.parametrize("left_out", ["positive_control", "requests", "leak_control"])
def test_criteria_that_would_assert_nothing_are_refused(left_out: str) -> None:
    keys = {key: value for key, value in KEYS.items() if key != left_out}
    assert forbidden.Params.model_validate(keys).asserts_nothing()


def test_a_server_that_is_down_is_unknown(shop: Shop, tmp_path: Path) -> None:
    with refusing() as port:
        bench = Bench(shop, run_context(tmp_path, **sections(shop, url=f"http://127.0.0.1:{port}")), environ={})
        assert judge(bench).status is Status.UNKNOWN
        bench.run.close()
