"""http/journey, http/report_total and http/clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from checks.http import clock, journey, report_total
from golive.model import Status
from tests.checks.http.conftest import Bench
from tests.judged import Judged, run_context
from tests.rogues import refusing
from tests.webshop import Shop, sections

SALE: dict[str, Any] = {
    "as": "cashier_1",
    "steps": [
        {
            "name": "sale",
            "request": "POST /api/stores/1/orders",
            "body": {"item": "probe {random}", "price": 2.5},
            "expect": {"total": 5.0},
            "save": {"order": "id"},
        },
        {
            "name": "receipt",
            "request": "GET /api/stores/1/orders/{order}",
            "expect": {"id": "{order}"},
            "contains": ["probe {random}"],
        },
        {
            "name": "report",
            "request": "POST /api/stores/1/reports",
            "body": {"day": "2026-01-01"},
            "save": {"report": "id"},
        },
        {
            "name": "report is made",
            "request": "GET /api/stores/1/reports/{report}",
            "poll": {"until": {"status": "done"}, "within": "500 ms", "every": "10 ms"},
            "expect": {"total": {"min": 1}},
        },
        {"name": "dashboard", "request": "GET /api/stores/1/dashboard", "status": 200},
    ],
    "cleanup": [{"name": "order", "request": "DELETE /api/stores/1/orders/{order}"}],
}


def judge(bench: Bench, **keys: Any) -> Judged:
    return bench.judge(journey, **{**SALE, **keys})


def test_a_journey_from_end_to_end_passes_and_leaves_nothing(bench: Bench) -> None:
    outcome = judge(bench)
    assert outcome.status is Status.PASS
    assert outcome.message.endswith("(5 steps)")
    assert bench.shop.orders[1].keys() == {1007}
    assert "sale: POST /api/stores/1/orders at api answered 200 after " in outcome.seen


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"expect": {"total": 6}},
            "step 1 of 5, 'sale': POST /api/stores/1/orders at api answered 200: total is 5.0",
        ),
        ({"status": 201}, "step 1 of 5, 'sale': POST /api/stores/1/orders at api answered 200, 201 needed"),
        (
            {"save": {"order": "number"}},
            "step 1 of 5, 'sale': POST /api/stores/1/orders at api answered 200 without",
        ),
        ({"request": "POST /api/stores/2/orders"}, "answered 403 (forbidden), a status of the 200s needed"),
        ({"contains": ["receipt"]}, "answered 200 without the text 'receipt'"),
    ],
)
def test_the_step_that_breaks_is_named(bench: Bench, change: dict[str, Any], says: str) -> None:
    outcome = judge(bench, steps=[{**SALE["steps"][0], **change}, *SALE["steps"][1:]])
    assert outcome.status is Status.FAIL
    assert says in outcome.message


def test_what_was_made_is_cleaned_up_also_after_a_failure(bench: Bench) -> None:
    bench.shop.breaches.add("queue-stuck")
    outcome = judge(bench)
    assert outcome.status is Status.FAIL
    assert "step 4 of 5, 'report is made': GET /api/stores/1/reports/1 not there within 0.5 s: status is 'queued'" in (
        outcome.message
    )
    assert bench.shop.orders[1].keys() == {1007}


def test_what_is_left_behind_is_told(bench: Bench) -> None:
    cleanup = [{"name": "order", "request": "DELETE /api/stores/1/orders/999{order}"}]
    outcome = judge(bench, cleanup=cleanup)
    assert outcome.status is Status.FAIL
    assert "cleanup 'order': DELETE /api/stores/1/orders/9991101 at api answered 404" in outcome.message


def test_a_journey_that_logs_out_has_a_session_of_its_own(bench: Bench) -> None:
    leave = {"name": "logout", "request": "POST /api/auth/logout"}
    after = {"name": "after", "request": "GET /api/me", "status": 401}
    outcome = judge(bench, fresh_login=True, steps=[SALE["steps"][0], leave, after])
    assert outcome.status is Status.PASS
    assert bench.shop.orders[1].keys() == {1007}, "the cleanup had another session"


def test_a_step_may_be_another_accounts(bench: Bench) -> None:
    other = {"name": "other", "request": "GET /api/me", "as": "cashier_2", "expect": {"username": "cashier_2"}}
    assert judge(bench, steps=[other], cleanup=[]).status is Status.PASS
    bench.shop.breaches.add("nobody")
    other["as"] = "leaver"
    outcome = judge(bench, steps=[other], cleanup=[])
    assert outcome.message.startswith("step 1 of 1, 'other': account leaver was not let in")


def test_values_in_paths_are_escaped(bench: Bench) -> None:
    """A server that answers with a path of its own choice does not choose where the next request goes."""
    steps = [
        {"name": "one", "request": "GET /health", "save": {"time": "time"}},
        {"name": "two", "request": "GET /api/{time}", "status": 404},
    ]
    judge(bench, steps=steps, cleanup=[])
    assert "%3A" in bench.shop.seen[-1][0]


@pytest.mark.parametrize(
    "steps",
    [
        [{"name": "a", "request": "GET /x/{order}"}],
        [{"name": "a", "request": "POST /x", "body": {"n": ["{order}"]}}],
        [{"name": "a", "request": "GET /x", "expect": {"id": "{order}"}}],
    ],
)
def test_a_name_that_no_step_saves_is_refused(steps: Any) -> None:
    with pytest.raises(
        ValidationError, match=r"step 'a' uses \{order\}, which no earlier step saves; known are random"
    ):
        journey.Params.model_validate({"as": "cashier_1", "steps": steps})
    assert journey.Params.model_validate({"as": "cashier_1", "steps": []}).asserts_nothing()


# Reports against the database


class DatabaseDouble:
    """Answers a query as the database would; the real one is met in the demo."""

    name = "shop"

    def __init__(self, *rows: tuple[Any, ...]) -> None:
        self._rows = list(rows)
        self.asked: list[tuple[str, Any]] = []

    def rows(self, sql: str, params: Any = None) -> list[tuple[Any, ...]]:
        self.asked.append((sql, params))
        return self._rows


REPORT: dict[str, Any] = {
    "as": "cashier_1",
    "database": "shop",
    "request": "POST /api/stores/1/reports",
    "report": "GET /api/stores/1/reports/{id}",
    "totals": ["total", "orders"],
    "query": "SELECT sum(total), count(*) FROM orders WHERE day = %(day)s AND %(day)s < 'x'",
    "within": "500 ms",
}


def judge_report(bench: Bench, *rows: tuple[Any, ...]) -> Judged:
    return bench.judge(report_total, {"database": DatabaseDouble(*rows)}, **REPORT)


def test_a_report_with_the_total_of_the_database_passes(bench: Bench) -> None:
    database = DatabaseDouble((Decimal("100.50"), 4))
    outcome = bench.judge(report_total, {"database": database}, **REPORT)
    assert outcome.status is Status.PASS
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    assert database.asked == [(REPORT["query"].replace("%(day)s", "%s"), [day, day])]
    assert f"total of {day} is 100.50 in both" in outcome.message
    assert outcome.value("report made in") > 0


def test_a_report_with_another_total_fails(bench: Bench) -> None:
    bench.shop.breaches.add("report-wrong")
    outcome = judge_report(bench, (Decimal("100.50"), 4))
    assert outcome.status is Status.FAIL
    assert "is 99.5 in the report and 100.50 in the database" in outcome.message


def test_a_report_that_is_never_done_fails(bench: Bench) -> None:
    bench.shop.breaches.add("queue-stuck")
    outcome = judge_report(bench, (Decimal("100.50"), 4))
    assert outcome.message == "the report was not done within 0.5 s: status is 'queued', 'done' needed"


@pytest.mark.parametrize("rows", [[], [(None, 0)], [(1,)], [(1, 1), (2, 2)]])
def test_nothing_to_compare_is_unknown(bench: Bench, rows: Any) -> None:
    assert judge_report(bench, *rows).status is Status.UNKNOWN


def test_a_query_that_is_not_about_the_day_is_refused() -> None:
    assert report_total.Params.model_validate({**REPORT, "query": "SELECT 1, 2"}).asserts_nothing()
    assert report_total.Params.model_validate({**REPORT, "done": {}}).asserts_nothing()


# Clock


def test_clocks_that_agree_pass(bench: Bench) -> None:
    outcome = bench.judge(clock, endpoint="api", time_at="time")
    assert outcome.status is Status.PASS
    assert outcome.value("Date header") == 0


def test_a_clock_that_is_off_fails(bench: Bench) -> None:
    bench.shop.breaches.add("clock-off")
    outcome = bench.judge(clock, endpoint="api")
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith("Date header: 7")
    assert outcome.message.endswith(" s, at most 5 s needed")


def test_the_time_in_the_json_is_judged_as_well(bench: Bench) -> None:
    bench.shop.breaches.add("json-clock-off")
    assert bench.judge(clock, endpoint="api").status is Status.PASS
    outcome = bench.judge(clock, endpoint="api", time_at="time")
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith("time: 3600 s, at most 5 s needed")


def test_a_clock_that_cannot_be_read_is_unknown(bench: Bench) -> None:
    outcome = bench.judge(clock, endpoint="api", time_at="status")
    assert outcome.message == "GET /health at api answered 200 with 'ok' at status, which is no ISO 8601 time"
    bench.shop.breaches.add("no-date")
    outcome = bench.judge(clock, endpoint="api")
    assert (outcome.status, outcome.message) == (
        Status.UNKNOWN,
        "GET /health at api answered 200 without a Date header, so its clock cannot be read",
    )


def test_a_server_that_is_down_is_unknown(shop: Shop, tmp_path: Path) -> None:
    with refusing() as port:
        bench = Bench(shop, run_context(tmp_path, **sections(shop, url=f"http://127.0.0.1:{port}")), environ={})
        assert judge(bench).status is Status.UNKNOWN
        assert judge_report(bench, (1, 1)).status is Status.UNKNOWN
        assert bench.judge(clock, endpoint="api").status is Status.UNKNOWN
        bench.run.close()
