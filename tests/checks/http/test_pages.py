"""http/page, http/page_load and http/dashboard without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.http import dashboard, page, page_load
from golive.model import CouldNotLook, Status
from tests.checks.http.conftest import Bench
from tests.judged import Judged, run_context
from tests.rogues import refusing
from tests.webshop import Shop, sections


def judge_page(bench: Bench) -> Judged:
    return bench.judge(page, endpoint="api", request="GET /index.html", contains=["<h1>Welcome</h1>"])


def test_a_page_with_all_its_files_passes(bench: Bench) -> None:
    outcome = judge_page(bench)
    assert outcome.status is Status.PASS
    assert outcome.value("scripts, styles and images") == 3


@pytest.mark.parametrize(
    ("breach", "says"),
    [
        ("error-page", "GET /index.html at api answered 200 without the text '<h1>Welcome</h1>'"),
        ("error-page", "GET /index.html at api answered 200 with the text 'Internal Server Error'"),
        ("asset-missing", "GET /index.html: style /style.css answered 404"),
        ("asset-is-html", "GET /index.html: script /app.js came as text/html"),
    ],
)
def test_a_page_that_is_not_what_it_should_be_fails(bench: Bench, breach: str, says: str) -> None:
    bench.shop.breaches.add(breach)
    outcome = judge_page(bench)
    assert outcome.status is Status.FAIL
    assert says in outcome.message


def test_a_missing_page_fails(bench: Bench) -> None:
    outcome = bench.judge(page, endpoint="api", request="GET /nothing", contains=["x"])
    assert outcome.message.startswith("GET /nothing at api answered 404, 200 needed; ")
    assert "as application/json, text/html needed" in outcome.message


@pytest.mark.parametrize("contains", [[], [""]])
def test_a_page_of_which_nothing_is_expected_is_refused(contains: list[str]) -> None:
    assert page.Params.model_validate({"endpoint": "api", "contains": contains}).asserts_nothing()


def test_a_page_loads_within_its_limit(bench: Bench) -> None:
    outcome = bench.judge(page_load, endpoint="api", critical="3 s")
    assert outcome.status is Status.PASS
    assert "no browser: the HTML and its 3 files, fetched as one would, median of 3" in outcome.message


def test_a_slow_page_fails_with_its_time(bench: Bench) -> None:
    bench.shop.breaches.add("slow")
    outcome = bench.judge(page_load, endpoint="api", critical="90 ms", samples=1)
    assert outcome.status is Status.FAIL
    assert 100 <= outcome.value("page load") < 300
    assert "below 90 ms needed (no browser" in outcome.message


def test_a_page_that_does_not_load_has_no_load_time(bench: Bench) -> None:
    bench.shop.breaches.add("asset-missing")
    outcome = bench.judge(page_load, endpoint="api", critical="3 s")
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == "GET / at api does not load completely: style /style.css answered 404"
    bench.shop.breaches.add("error-page")
    outcome = bench.judge(page_load, endpoint="api", critical="3 s", contains=["Welcome"])
    assert outcome.message == "GET / at api answered 200 without the text 'Welcome', so it was another page that loaded"
    outcome = bench.judge(page_load, endpoint="api", request="GET /nothing", critical="3 s")
    assert outcome.message == "GET /nothing at api answered 404, so the time of its load means nothing"


def test_a_required_browser_that_is_not_there_is_unknown(bench: Bench) -> None:
    with pytest.raises(CouldNotLook, match="a browser is required: "):
        bench.judge(page_load, endpoint="api", critical="3 s", browser="required")


def judge_dashboard(bench: Bench) -> Judged:
    data, numbers = "GET /api/stores/1/dashboard", ["sales_today", "orders_today"]
    return bench.judge(dashboard, endpoint="api", data=data, numbers=numbers, **{"as": "cashier_1"})


def test_a_dashboard_with_its_figures_passes_and_says_that_no_browser_looked(bench: Bench) -> None:
    outcome = judge_dashboard(bench)
    assert outcome.status is Status.PASS
    assert outcome.message == "no browser looked: the page, its 1 files and its figures were fetched"


@pytest.mark.parametrize(
    ("breach", "says"),
    [
        ("nan", "GET /api/stores/1/dashboard: sales_today is 'NaN', a value of type number needed"),
        ("null", "GET /api/stores/1/dashboard: orders_today is null, a value of type number needed"),
        ("everything-forbidden", "GET /api/stores/1/dashboard at api answered 403 to cashier_1"),
    ],
)
def test_a_dashboard_without_its_figures_fails(bench: Bench, breach: str, says: str) -> None:
    bench.shop.breaches.add(breach)
    outcome = judge_dashboard(bench)
    assert (outcome.status, outcome.message) == (Status.FAIL, says)


def test_a_server_that_is_down_is_unknown(shop: Shop, tmp_path: Path) -> None:
    with refusing() as port:
        bench = Bench(
            shop, run_context(tmp_path, **sections(shop, url=f"http://127.0.0.1:{port}")), environ={"PATH": ""}
        )
        for outcome in (
            judge_page(bench),
            judge_dashboard(bench),
            bench.judge(page_load, endpoint="api", critical="1 s"),
        ):
            assert outcome.status is Status.UNKNOWN
            assert "api refused the connection" in outcome.message
        bench.run.close()
