"""A real Chromium looks at the shop. Needs the `browser` extra and a Chromium, and says which of them is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.http import dashboard, page_load
from fixtures.web import client_of
from golive.model import CouldNotLook, Status
from golive.targets.browser import Browser, find, why_not
from tests.checks.http.conftest import Bench
from tests.judged import Judged, run_context
from tests.rogues import refusing
from tests.webshop import Shop, open_shop, sections

MISSING = why_not(os.environ)


@pytest.fixture(scope="module", autouse=True)
def browser_is_there() -> None:
    """Integration tests do not skip: what they need is installed, or they fail."""
    assert MISSING is None, MISSING


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as opened:
        yield opened


@pytest.fixture
def bench(shop: Shop, tmp_path: Path) -> Iterator[Bench]:
    run = run_context(tmp_path, **sections(shop))
    yield Bench(shop, run, environ=dict(os.environ))
    assert run.close() == []


def judge_dashboard(bench: Bench, selector: str = "#sales") -> Judged:
    return bench.judge(
        dashboard,
        endpoint="api",
        data="GET /api/stores/1/dashboard",
        numbers=["sales_today"],
        selectors=[selector],
        browser="required",
        **{"as": "cashier_1"},
    )


def test_a_page_load_is_measured_by_the_browser(bench: Bench) -> None:
    outcome = bench.judge(page_load, endpoint="api", critical="10 s", browser="required")
    assert outcome.status is Status.PASS
    assert "load event in a browser with a cold cache, median of 3" in outcome.message
    assert 0 < outcome.value("time to first byte") <= outcome.value("page load")
    assert outcome.value("largest contentful paint") > 0
    assert outcome.value("layout shift") == 0
    agents = {headers["user-agent"] for _, headers in bench.shop.seen}
    assert all(bench.run.user_agent in agent for agent in agents)


@pytest.mark.parametrize("routes", [False, True])
@pytest.mark.parametrize("breach", ["asset-missing", "asset-is-html"])
def test_a_page_without_one_of_its_files_is_no_page_that_loaded(bench: Bench, breach: str, routes: bool) -> None:
    """Also where the page gives itself another address, as applications in the browser do."""
    bench.shop.breaches |= {breach, "routes"} if routes else {breach}
    outcome = bench.judge(page_load, endpoint="api", critical="10 s", browser="required")
    assert outcome.status is Status.UNKNOWN
    assert "does not load completely: GET " in outcome.message
    assert ("/style.css" if breach == "asset-missing" else "/app.js") in outcome.message


def test_what_a_page_asked_for_before_it_moved_on_is_not_missed(bench: Bench) -> None:
    bench.shop.breaches.add("moves-on")
    outcome = bench.judge(page_load, endpoint="api", critical="10 s", browser="required")
    assert outcome.status is Status.PASS, outcome.message


def test_a_dashboard_with_numbers_passes_with_a_picture(bench: Bench) -> None:
    outcome = judge_dashboard(bench)
    assert (outcome.status, outcome.message) == (Status.PASS, "a browser shows #sales: 120.5")
    (picture,) = (bench.run.directory / "screenshots").iterdir()
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in outcome.seen


@pytest.mark.parametrize(
    ("breach", "selector", "says"),
    [
        ("nan", "#sales", "#sales shows 'NaN', a number needed"),
        ("console-error", "#sales", "console error: broken"),
        ("", "#missing", "#missing is not visible on /dashboard.html"),
    ],
)
def test_what_a_user_would_complain_of_fails(bench: Bench, breach: str, selector: str, says: str) -> None:
    bench.shop.breaches.add(breach)
    outcome = judge_dashboard(bench, selector)
    assert outcome.status is Status.FAIL
    assert says in outcome.message


def test_a_refused_request_of_the_page_fails(bench: Bench) -> None:
    bench.shop.breaches.add("everything-forbidden")
    outcome = judge_dashboard(bench)
    assert "failed request: GET " in outcome.message
    assert "/api/stores/1/dashboard answered 403" in outcome.message


def test_a_server_that_is_down_is_unknown(shop: Shop, tmp_path: Path) -> None:
    with refusing() as port:
        run = run_context(tmp_path, **sections(shop, url=f"http://127.0.0.1:{port}"))
        outcome = Bench(shop, run, environ=dict(os.environ)).judge(page_load, endpoint="api", critical="10 s")
        assert run.close() == []
    assert outcome.status is Status.UNKNOWN
    assert "api: the browser could not open /: " in outcome.message
    assert "ERR_CONNECTION_REFUSED" in outcome.message


def test_a_browser_that_does_not_start_is_named(bench: Bench, tmp_path: Path) -> None:
    broken = Browser(Path("/bin/false"), user_agent="x", screenshots=tmp_path)
    with pytest.raises(CouldNotLook, match="/bin/false did not start"):
        broken.visit(client_of(bench.run, "api"), "/")
    broken.close()
    assert find(os.environ) is not None
