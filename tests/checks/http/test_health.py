"""http/health, http/json, http/database_reached and http/security_flags: what routes say of the system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.http import database_reached, health, json, security_flags
from golive.model import Status
from tests.checks.http.conftest import Bench
from tests.judged import run_context
from tests.rogues import closing, dripping, endless, refusing, rogue, silent, web_page
from tests.webshop import Shop, sections


def test_a_healthy_system_passes(bench: Bench) -> None:
    outcome = bench.judge(health, endpoint="api", expect={"status": ["ok"], "checks.*.status": "ok"})
    assert outcome.status is Status.PASS
    assert outcome.value("answered in") > 0


@pytest.mark.parametrize(
    ("breach", "says"),
    [
        ("degraded", "GET /health: status is 'degraded', one of 'ok', 'healthy', 'up', 'pass' needed"),
        ("part-down", "GET /health: checks.queue.status is 'degraded'"),
        ("health-html", "GET /health at api answered 200 as text/html, application/json needed"),
        ("health-down", "GET /health at api answered 503, 200 needed"),
    ],
)
def test_an_unhealthy_system_fails_and_says_why(bench: Bench, breach: str, says: str) -> None:
    bench.shop.breaches.add(breach)
    outcome = bench.judge(health, endpoint="api")
    assert outcome.status is Status.FAIL
    assert says in outcome.message
    assert "\x1b" not in outcome.message + outcome.seen


def at_port(shop: Shop, port: int, folder: Path) -> Bench:
    run = run_context(folder, **sections(shop, url=f"http://127.0.0.1:{port}", timeout="300 ms"))
    return Bench(shop, run, environ={})


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (silent, "api did not answer within 0.3 s: connected, but no byte came (GET /health)"),
        (closing, "api closed the connection"),
        (dripping, "api did not answer within 0.3 s: the answer was still incomplete"),
        (endless(b"HTTP/1.1 200 OK\r\n\r\n{}"), "api "),
        (web_page, "GET /health at api answered 400 without a Content-Type, application/json needed"),
    ],
)
def test_a_server_that_gives_no_proper_answer_fails(shop: Shop, tmp_path: Path, behaviour: Any, says: str) -> None:
    with rogue(behaviour) as port:
        bench = at_port(shop, port, tmp_path)
        outcome = bench.judge(health, endpoint="api")
        bench.run.close()
    assert outcome.status is Status.FAIL
    assert says in outcome.message
    assert outcome.message.isprintable()


def test_a_refusal_is_an_answer_to_whether_it_is_healthy(shop: Shop, tmp_path: Path) -> None:
    with refusing() as port:
        bench = at_port(shop, port, tmp_path)
        assert bench.judge(health, endpoint="api").message == "api refused the connection (GET /health)"
        assert bench.judge(health, endpoint="api").status is Status.FAIL
        assert bench.judge(json, endpoint="api", request="GET /health", expect={"a": 1}).status is Status.UNKNOWN
        bench.run.close()


def test_an_unknown_name_is_unknown(shop: Shop, tmp_path: Path) -> None:
    run = run_context(tmp_path, **sections(shop, url="http://no-such-host.invalid"))
    assert Bench(shop, run, environ={}).judge(health, endpoint="api").status is Status.UNKNOWN
    run.close()


def test_criteria_that_would_assert_nothing_are_refused() -> None:
    assert health.Params.model_validate({"endpoint": "api", "expect": {}}).asserts_nothing()
    assert json.Params.model_validate({"endpoint": "api", "request": "GET /", "expect": {}}).asserts_nothing()
    assert database_reached.Params.model_validate({"endpoint": "api", "expect": {}}).asserts_nothing()
    assert security_flags.Params.model_validate({"endpoint": "api", "flags": []}).asserts_nothing()


def test_json_holds_what_it_must(bench: Bench) -> None:
    expect: dict[str, Any] = {"orders.*.id": {"type": "integer"}, "orders.0.item": "Kopi Susu"}
    request = "GET /api/stores/1/orders"
    assert (
        bench.judge(json, endpoint="api", **{"as": "cashier_1"}, request=request, expect=expect).status is Status.PASS
    )
    expect["orders.0.item"] = "Teh"
    outcome = bench.judge(json, endpoint="api", **{"as": "cashier_1"}, request=request, expect=expect)
    assert (outcome.status, outcome.message) == (
        Status.FAIL,
        f"{request}: orders.0.item is 'Kopi Susu', 'Teh' needed",
    )


def test_another_status_or_no_json_fails(bench: Bench) -> None:
    outcome = bench.judge(json, endpoint="api", request="GET /", expect={"a": 1})
    assert outcome.status is Status.FAIL
    assert "GET / at api answered 200 with text/html that begins '<!doctype html>" in outcome.message
    outcome = bench.judge(json, endpoint="api", request="GET /nothing", expect={"error": "not_found"})
    assert outcome.message == "GET /nothing at api answered 404, 200 needed"


def test_database_is_reached_by_the_application(bench: Bench) -> None:
    assert bench.judge(database_reached, endpoint="api", **{"as": "cashier_1"}).status is Status.PASS
    bench.shop.breaches.add("database-lost")
    outcome = bench.judge(database_reached, endpoint="api")
    assert outcome.status is Status.FAIL
    assert outcome.message == "POST /api/auth/status at api answered 503; POST /api/auth/status: database is missing"


def test_a_status_route_that_lies_is_found_out_by_a_login(bench: Bench) -> None:
    bench.shop.breaches.add("login-broken")
    assert bench.judge(database_reached, endpoint="api").status is Status.PASS
    outcome = bench.judge(database_reached, endpoint="api", **{"as": "cashier_1"})
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith("account cashier_1 could not log in: ")


def test_security_features_are_on(bench: Bench) -> None:
    flags = ["security.second_factor", "security.throttling"]
    assert bench.judge(security_flags, endpoint="api", flags=flags).status is Status.PASS
    bench.shop.breaches.add("flag-off")
    outcome = bench.judge(security_flags, endpoint="api", flags=["security.*"])
    assert (outcome.status, outcome.message) == (
        Status.FAIL,
        "GET /health/detailed: security.throttling is false, true needed",
    )
    assert bench.judge(security_flags, endpoint="api", flags=["security.other"]).message.endswith("other is missing")


def test_a_target_that_is_down_is_unknown_to_the_others(shop: Shop, tmp_path: Path) -> None:
    with refusing() as port:
        bench = at_port(shop, port, tmp_path)
        assert bench.judge(database_reached, endpoint="api").status is Status.UNKNOWN
        assert bench.judge(security_flags, endpoint="api", flags=["a"]).status is Status.UNKNOWN
        bench.run.close()
