"""What the services of the healthy demo do, on the real servers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import smtplib
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests

from demo.services import journal as journal_module
from demo.services import logql
from demo.services.collector import Follower
from demo.services.journal import Journal
from demo.services.scheduler import Scheduler
from demo.services.shop.throttle import BURST, RequestBrake
from demo.state import State
from tests.demo.till import Till

pytestmark = pytest.mark.xdist_group("demo-services")

ORDERS_1 = "/api/stores/1/orders"
PRODUCT = 1001


@pytest.fixture(scope="module")
def till(running: State) -> Till:
    return Till(running)


@pytest.fixture(scope="module")
def token(till: Till) -> str:
    """Of a cashier of store 1."""
    return till.login("cashier_store_1")


@pytest.fixture
def order(till: Till, token: str) -> Iterator[int]:
    """An order of store 1 that is taken back afterwards."""
    made = till.call("POST", ORDERS_1, token=token, json=sale())
    assert made.status_code == 201, made.text
    yield made.json()["id"]
    till.call("DELETE", f"{ORDERS_1}/{made.json()['id']}", token=token)


def sale(product: int = PRODUCT, quantity: int = 1, **more: object) -> dict[str, object]:
    return {"lines": [{"product_id": product, "quantity": quantity}], "probe": True, **more}


def wait_until(holds: Callable[[], bool], *, timeout_s: float = 5.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def error_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


class TestLogin:
    def test_right_password_and_code_give_a_token(self, till: Till, token: str) -> None:
        answer = till.call("GET", "/api/me", token=token)
        assert answer.json() == {"username": "cashier_store_1", "role": "cashier", "store_id": 1}

    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            ({"code": None}, (401, "second_factor_required")),
            ({"code": ""}, (401, "second_factor_required")),
            ({"code": "12345"}, (401, "invalid_credentials")),
            ({"code": "\ud800"}, (401, "invalid_credentials")),
            ({"password": "wrong"}, (401, "invalid_credentials")),
            ({"password": "", "code": None}, (401, "invalid_credentials")),
            ({"username": None}, (400, "invalid_request")),
            ({"username": ["a"]}, (400, "invalid_request")),
            ({"username": "x" * 65}, (400, "invalid_request")),
            ({"username": "a\0b"}, (400, "invalid_request")),
            ({"username": "\ud800"}, (400, "invalid_request")),
            ({"password": 7}, (400, "invalid_request")),
            ({"code": 123456}, (400, "invalid_request")),
        ],
    )
    def test_anything_else_does_not(self, till: Till, changed: dict[str, object], expected: tuple[int, str]) -> None:
        till.redis().delete("login_failures:second_factor")
        answer = till.call("POST", "/api/auth/login", json=till.credentials("second_factor", **changed))
        assert error_of(answer) == expected
        assert "token" not in answer.json()

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'"text"'])
    def test_a_body_that_is_no_object_is_refused(self, till: Till, body: bytes) -> None:
        url = f"{till.settings.api_url}/api/auth/login"
        answer = requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=5)
        assert error_of(answer) == (400, "invalid_request")

    def test_a_code_is_good_once_even_for_many_at_once(self, till: Till) -> None:
        till.redis().delete("login_failures:leaver")
        credentials = till.credentials("leaver")
        with ThreadPoolExecutor(5) as pool:
            answers = list(pool.map(lambda _: post_login(till, credentials), range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]

    def test_a_code_older_than_the_last_used_one_is_refused(self, till: Till) -> None:
        older = till.credentials("leaver")
        till.login("leaver")
        assert error_of(till.call("POST", "/api/auth/login", json=older)) == (401, "invalid_credentials")

    def test_the_old_tills_endpoint_is_gone(self, till: Till) -> None:
        answer = till.call("POST", "/api/auth/pin", json=till.credentials("second_factor"))
        assert error_of(answer) == (410, "gone")

    def test_second_factor_and_login_are_logged_without_secrets(self, till: Till) -> None:
        request_id = f"login-{time.time_ns()}"
        credentials = till.credentials("second_factor")
        token = till.call("POST", "/api/auth/login", json=credentials, headers={"X-Request-Id": request_id}).json()[
            "token"
        ]
        lines = [line for line in till.log() if line.get("request_id") == request_id]
        assert [line["event"] for line in lines] == ["auth.second_factor", "auth.login", "request"]
        assert "2FA" in lines[0]["message"]
        everything = "".join(file.read_text(errors="replace") for file in till.logs.iterdir())
        for secret in (*till.settings.secrets.values(), token, f'"{credentials["code"]}"'):
            assert secret not in everything


def post_login(till: Till, credentials: object) -> requests.Response:
    return requests.post(f"{till.settings.api_url}/api/auth/login", json=credentials, timeout=10)


class TestThrottle:
    def test_five_failures_close_the_door_for_any_name(self, till: Till) -> None:
        name = f"nobody-{time.time_ns()}"
        guesses = [till.call("POST", "/api/auth/login", json={"username": name, "password": "x"}) for _ in range(6)]
        assert [answer.status_code for answer in guesses] == [401] * 5 + [429]
        assert guesses[-1].json() == {"error": "too_many_attempts"}
        assert 1 <= int(guesses[-1].headers["Retry-After"]) <= 60

    def test_guessing_at_the_same_time_gives_no_more_answers(self, till: Till) -> None:
        name = f"nobody-{time.time_ns()}"
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda n: post_login(till, {"username": name, "password": f"x{n}"}), range(24)))
        assert sum(answer.status_code == 401 for answer in answers) == 5

    def test_a_success_resets_the_count_and_a_missing_code_does_not_add_to_it(self, till: Till) -> None:
        till.redis().delete("login_failures:second_factor")
        for _ in range(4):
            till.call("POST", "/api/auth/login", json=till.credentials("second_factor", password="x", code=None))
        for _ in range(3):
            till.call("POST", "/api/auth/login", json=till.credentials("second_factor", code=None))
        till.login("second_factor")
        assert till.redis().get("login_failures:second_factor") is None

    def test_right_password_does_not_open_a_closed_door(self, till: Till) -> None:
        till.redis().set("login_failures:second_factor", 5, ex=60)
        answer = till.call("POST", "/api/auth/login", json=till.credentials("second_factor"))
        till.redis().delete("login_failures:second_factor")
        assert error_of(answer) == (429, "too_many_attempts")

    def test_requests_are_limited_per_client(self) -> None:
        brake = RequestBrake()
        admitted = sum(brake.admits("a") for _ in range(int(BURST) + 100))
        assert BURST <= admitted < BURST + 100
        assert brake.admits("b")


class TestSessions:
    def test_key_has_the_idle_limit_as_ttl_and_a_request_renews_it(self, till: Till) -> None:
        token = till.login("manager_store_1")
        key = f"session:{claims(token)['sid']}"
        assert 890_000 < int(str(till.redis().pttl(key))) <= 900_000
        till.redis().pexpire(key, 5_000)
        assert till.call("GET", "/api/me", token=token).status_code == 200
        assert int(str(till.redis().pttl(key))) > 890_000

    def test_idle_limit_ends_a_session(self, till: Till) -> None:
        token = till.login("kiosk_idle")
        time.sleep(0.6)
        assert till.call("GET", "/api/me", token=token).status_code == 200
        time.sleep(1.05)
        assert till.call("GET", "/api/me", token=token).status_code == 401
        assert any("session timeout" in line["message"] for line in till.log() if line["event"] == "session.expired")

    def test_idle_session_within_the_absolute_limit_is_expired_not_invalid(self, till: Till) -> None:
        token = till.login("kiosk_idle")
        time.sleep(1.1)
        assert error_of(till.call("GET", "/api/me", token=token)) == (401, "session_expired")

    def test_absolute_limit_ends_a_session_in_use(self, till: Till) -> None:
        token, begun = till.login("kiosk_absolute"), time.monotonic()
        while till.call("GET", "/api/me", token=token).status_code == 200:
            assert time.monotonic() - begun < 3
            time.sleep(0.1)
        assert 1.4 < time.monotonic() - begun < 2.2
        assert till.redis().exists(f"session:{claims(token)['sid']}") == 0

    def test_logout_ends_it_at_once(self, till: Till) -> None:
        token = till.login("leaver")
        assert till.call("POST", "/api/auth/logout", token=token).status_code == 204
        assert error_of(till.call("GET", "/api/me", token=token)) == (401, "session_expired")
        assert error_of(till.call("POST", "/api/auth/logout", token=token)) == (401, "session_expired")


def claims(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def encode(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).rstrip(b"=").decode()


def signed(content: dict[str, object], key: str, header: dict[str, str] | None = None) -> str:
    text = f"{encode(header or {'alg': 'HS256', 'typ': 'JWT'})}.{encode(content)}"
    return f"{text}.{mac(text, key)}"


def mac(text: str, key: str) -> str:
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def flipped(token: str) -> str:
    """The signature damaged in its middle."""
    place = len(token) - 20
    return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


FORGERIES: dict[str, Callable[[str, str], str]] = {
    "garbage": lambda token, key: "rubbish",
    "three dots": lambda token, key: "a.b.c",
    "flipped signature": lambda token, key: flipped(token),
    "no signature": lambda token, key: token.rsplit(".", 1)[0] + ".",
    "alg none": lambda token, key: f"{encode({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}.",
    "another key": lambda token, key: signed(claims(token), "another-key-that-is-long-enough-for-hs256"),
    "changed role": lambda token, key: (
        f"{token.split('.')[0]}.{encode({**claims(token), 'role': 'admin'})}.{token.split('.')[2]}"
    ),
    "changed store": lambda token, key: (
        f"{token.split('.')[0]}.{encode({**claims(token), 'store': 2})}.{token.split('.')[2]}"
    ),
    "expired": lambda token, key: signed({**claims(token), "exp": time.time() - 1}, key),
    "role of nobody, well signed": lambda token, key: signed({**claims(token), "role": "admin"}, key),
    "no expiry": lambda token, key: signed({k: v for k, v in claims(token).items() if k != "exp"}, key),
    "expiry of text": lambda token, key: signed({**claims(token), "exp": "never"}, key),
    "other issuer": lambda token, key: signed({**claims(token), "iss": "somebody"}, key),
    "other algorithm": lambda token, key: signed(claims(token), key, {"alg": "HS512", "typ": "JWT"}),
}


class TestTokens:
    @pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
    def test_a_bad_token_is_refused_and_logged(self, till: Till, token: str, forge: Callable[[str, str], str]) -> None:
        forged = forge(token, till.settings.secrets["token_key"])
        request_id = f"forged-{time.time_ns()}"
        answer = till.call("GET", "/api/me", token=forged, headers={"X-Request-Id": request_id})
        assert error_of(answer) == (401, "invalid_token")
        lines = [line for line in till.log() if line.get("request_id") == request_id]
        assert [(line["event"], line["level"]) for line in lines if line["event"] != "session.expired"] == [
            ("token.rejected", "INFO"),
            ("access.refused", "WARNING"),
        ]
        assert forged not in json.dumps(lines) or len(forged) < 10
        assert till.call("GET", "/api/me", token=token).status_code == 200

    def test_no_token_is_refused(self, till: Till) -> None:
        assert error_of(till.call("GET", "/api/me")) == (401, "invalid_token")
        assert error_of(till.call("GET", "/api/me", headers={"Authorization": "Basic abc"})) == (401, "invalid_token")

    def test_lifetime_is_the_absolute_limit(self, token: str) -> None:
        content = claims(token)
        assert float(str(content["exp"])) - float(str(content["iat"])) == pytest.approx(28800, abs=0.01)


ELSEWHERE = [
    ("GET", "/orders"),
    ("POST", "/orders"),
    ("GET", "/orders/{order}"),
    ("PUT", "/orders/{order}"),
    ("DELETE", "/orders/{order}"),
    ("GET", "/orders/{order}/receipt"),
    ("GET", "/products"),
    ("POST", "/stock"),
    ("GET", "/dashboard"),
    ("POST", "/reports"),
    ("GET", "/reports/6f9619ff-8b86-4d01-b42d-00cf4fc964ff"),
]


class TestStores:
    @pytest.mark.parametrize(("method", "path"), ELSEWHERE)
    @pytest.mark.parametrize("store", [2, 3, 99, 10**30])
    def test_another_store_is_refused_without_a_word_about_it(
        self, till: Till, token: str, method: str, path: str, store: int
    ) -> None:
        other = till.value("SELECT min(id) FROM orders WHERE store_id = 2")
        answer = till.call(method, f"/api/stores/{store}{path.format(order=other)}", token=token, json=sale(2001))
        assert (answer.status_code, answer.json()) == (403, {"error": "forbidden"})

    @pytest.mark.parametrize(("method", "path"), ELSEWHERE)
    def test_nobody_is_refused_with_401(self, till: Till, method: str, path: str) -> None:
        answer = till.call(method, f"/api/stores/1{path.format(order=1)}", json={})
        assert error_of(answer) == (401, "invalid_token")

    def test_an_order_of_another_store_is_not_found_in_ones_own(self, till: Till, token: str) -> None:
        other = till.value("SELECT min(id) FROM orders WHERE store_id = 2")
        for method in ("GET", "PUT", "DELETE"):
            answer = till.call(method, f"{ORDERS_1}/{other}", token=token, json={})
            assert error_of(answer) == (404, "not_found")

    def test_admin_may_enter_every_store(self, till: Till) -> None:
        token = till.login("admin")
        for store in (1, 2, 3):
            assert till.call("GET", f"/api/stores/{store}/dashboard", token=token).status_code == 200

    def test_a_refusal_is_one_warning_with_its_reason(self, till: Till, token: str) -> None:
        request_id = f"refused-{time.time_ns()}"
        till.call("GET", "/api/stores/2/orders", token=token, headers={"X-Request-Id": request_id})
        (line,) = [line for line in till.log() if line.get("request_id") == request_id]
        assert line["level"] == "WARNING"
        assert line["event"] == "access.refused"
        assert line["reason"] == "other store"
        assert line["user"] == "cashier_store_1"
        assert line["user_agent"] == "golive-test"
        assert line["status"] == 403


class TestOrders:
    def test_a_sale_writes_lines_total_stock_and_ledger(self, till: Till, token: str) -> None:
        before = till.value("SELECT stock FROM products WHERE id = %s", PRODUCT)
        lines = [{"product_id": PRODUCT, "quantity": 2}, {"product_id": 1002, "quantity": 1}]
        body = {"lines": lines, "payment": "qris", "note": "no bag", "probe": True}
        made = till.call("POST", ORDERS_1, token=token, json=body)
        assert made.status_code == 201
        order = made.json()
        assert order["total"] == sum(line["quantity"] * line["unit_price"] for line in order["lines"])
        assert till.value("SELECT stock FROM products WHERE id = %s", PRODUCT) == before - 2
        shown = till.call("GET", made.headers["Location"], token=token).json()
        assert shown == order
        assert (shown["payment"], shown["note"], shown["probe"]) == ("qris", "no bag", True)
        assert till.call("DELETE", made.headers["Location"], token=token).status_code == 204
        assert till.value("SELECT stock FROM products WHERE id = %s", PRODUCT) == before
        assert till.call("GET", made.headers["Location"], token=token).status_code == 404
        assert_books_balance(till)

    def test_many_sales_at_once_leave_the_books_balanced(self, till: Till, token: str) -> None:
        lines = [{"product_id": 1005, "quantity": 1}, {"product_id": 1006, "quantity": 1}]

        def sell_and_return(number: int) -> int:
            order = lines if number % 2 else lines[::-1]
            client = Till(till.state)
            made = client.call("POST", ORDERS_1, token=token, json={"lines": order, "probe": True})
            if made.status_code == 201:
                assert client.call("DELETE", made.headers["Location"], token=token).status_code == 204
            return made.status_code

        with ThreadPoolExecutor(16) as pool:
            statuses = set(pool.map(sell_and_return, range(64)))
        assert statuses <= {201, 409}
        assert 201 in statuses
        assert_books_balance(till)

    def test_the_last_piece_is_sold_once(self, till: Till, token: str) -> None:
        stock = till.value("SELECT stock FROM products WHERE id = 1003")
        client = [Till(till.state) for _ in range(8)]
        body = sale(1003, stock)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda one: one.call("POST", ORDERS_1, token=token, json=body), client))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
        (made,) = [answer for answer in answers if answer.status_code == 201]
        till.call("DELETE", made.headers["Location"], token=token)
        assert_books_balance(till)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"lines": []},
            {"lines": "all"},
            {"lines": [7]},
            {"lines": [{"product_id": PRODUCT}]},
            {"lines": [{"product_id": PRODUCT, "quantity": 0}]},
            {"lines": [{"product_id": PRODUCT, "quantity": True}]},
            {"lines": [{"product_id": PRODUCT, "quantity": 1.5}]},
            {"lines": [{"product_id": 10**20, "quantity": 1}]},
            {"lines": [{"product_id": 2001, "quantity": 1}]},
            sale(payment="gold"),
            sale(note=7),
            sale(note="x" * 201),
            sale(note="a\0b"),
            {**sale(), "probe": "yes"},
        ],
    )
    def test_a_sale_that_makes_no_sense_is_a_400(self, till: Till, token: str, body: object) -> None:
        answer = till.call("POST", ORDERS_1, token=token, json=body)
        assert answer.status_code == 400
        assert answer.json()["field"]

    def test_payment_and_note_can_be_changed(self, till: Till, token: str, order: int) -> None:
        changed = till.call("PUT", f"{ORDERS_1}/{order}", token=token, json={"note": "paid later"})
        assert (changed.json()["note"], changed.json()["payment"]) == ("paid later", "cash")
        changed = till.call("PUT", f"{ORDERS_1}/{order}", token=token, json={"payment": "card"})
        assert (changed.json()["note"], changed.json()["payment"]) == ("paid later", "card")

    def test_receipt_is_text_with_the_total(self, till: Till, token: str, order: int) -> None:
        receipt = till.call("GET", f"{ORDERS_1}/{order}/receipt", token=token)
        total = till.call("GET", f"{ORDERS_1}/{order}", token=token).json()["total"]
        assert receipt.headers["Content-Type"].startswith("text/plain")
        assert f"{total:,.0f}" in receipt.text

    @pytest.mark.parametrize("number", ["0", "999999999", str(10**25), "x", "-1"])
    def test_an_order_that_is_not_there_is_a_404(self, till: Till, token: str, number: str) -> None:
        assert error_of(till.call("GET", f"{ORDERS_1}/{number}", token=token)) == (404, "not_found")

    def test_stock_moves_with_its_ledger(self, till: Till, token: str) -> None:
        path = "/api/stores/1/stock"
        before = till.value("SELECT stock FROM products WHERE id = 1004")
        answer = till.call("POST", path, token=token, json={"product_id": 1004, "delta": 5})
        assert answer.json() == {"product_id": 1004, "stock": before + 5}
        too_much = till.call("POST", path, token=token, json={"product_id": 1004, "delta": -100_000})
        assert error_of(too_much) == (409, "out_of_stock")
        assert till.call("POST", path, token=token, json={"product_id": 1004, "delta": -5}).status_code == 200
        assert till.call("POST", path, token=token, json={"product_id": 1004, "delta": 0}).status_code == 400
        assert till.call("POST", path, token=token, json={"product_id": 2004, "delta": 1}).status_code == 404
        assert_books_balance(till)


def assert_books_balance(till: Till) -> None:
    wrong_totals = till.value(
        "SELECT count(*) FROM orders o WHERE total <> coalesce("
        " (SELECT sum(quantity * unit_price) FROM order_lines l WHERE l.order_id = o.id), 0)"
    )
    wrong_stock = till.value(
        "SELECT count(*) FROM products p WHERE stock <>"
        " (SELECT sum(delta) FROM stock_movements m WHERE m.product_id = p.id)"
    )
    assert (wrong_totals, wrong_stock) == (0, 0)


class TestReportsAndDashboard:
    def test_a_report_is_what_sql_says(self, till: Till, token: str) -> None:
        day = till.value("SELECT (now() - interval '3 days')::date::text")
        asked = till.call("POST", "/api/stores/1/reports", token=token, json={"day": day})
        assert asked.status_code == 202
        path = f"/api/stores/1/reports/{asked.json()['id']}"
        wait_until(lambda: till.call("GET", path, token=token).json()["status"] == "done")
        report = till.call("GET", path, token=token).json()
        where = "FROM orders WHERE store_id = 1 AND (created_at AT TIME ZONE 'UTC')::date = %s"
        assert report["total"] == float(till.value(f"SELECT sum(total) {where}", day))
        assert report["orders"] == till.value(f"SELECT count(*) {where}", day)

    @pytest.mark.parametrize("day", ["", "yesterday", "2026-13-01", "2026-1-1", 20261121, None])
    def test_a_day_that_is_none_is_a_400(self, till: Till, token: str, day: object) -> None:
        answer = till.call("POST", "/api/stores/1/reports", token=token, json={"day": day})
        assert (answer.status_code, answer.json()["field"]) == (400, "day")

    def test_dashboard_shows_numbers(self, till: Till, token: str, order: int) -> None:
        shown = till.call("GET", "/api/stores/1/dashboard", token=token).json()
        assert shown["orders_today"] == till.value(
            "SELECT count(*) FROM orders WHERE store_id = 1 AND (created_at AT TIME ZONE 'UTC')::date"
            " = (now() AT TIME ZONE 'UTC')::date"
        )
        assert shown["sales_today"] > 0
        assert shown["low_stock"] >= 0
        assert len(shown["top_products"]) == 5


class TestHealth:
    @pytest.mark.parametrize(
        ("path", "body"), [("", {"status": "ok"}), ("/live", {"status": "alive"}), ("/ready", {"status": "ready"})]
    )
    def test_it_is_well(self, till: Till, path: str, body: dict[str, str]) -> None:
        answer = till.call("GET", f"/health{path}")
        assert (answer.status_code, answer.json()) == (200, body)

    def test_details(self, till: Till) -> None:
        shown = till.call("GET", "/health/detailed").json()
        assert shown["status"] == "ok"
        assert shown["version"] == till.state.values["version"]
        assert all(check["status"] == "ok" for check in shown["checks"].values()), shown["checks"]
        assert set(shown["checks"]) == {"database", "redis", "queue", "disk", "backup"}
        assert set(shown["security"].values()) == {True}

    def test_status_touches_the_database(self, till: Till, token: str) -> None:
        assert till.call("POST", "/api/auth/status").json() == {"authenticated": False, "database": "ok"}
        assert till.call("POST", "/api/auth/status", token=token).json() == {"authenticated": True, "database": "ok"}

    def test_metrics_grow(self, till: Till) -> None:
        first, second = ok_requests(till), ok_requests(till)
        assert second > first
        text = till.call("GET", "/metrics").text
        for name in (
            "http_request_duration_seconds_bucket",
            "warungin_queue_depth 0",
            "warungin_orders_total",
            "process_resident_memory_bytes",
            "process_cpu_seconds_total",
        ):
            assert name in text


def ok_requests(till: Till) -> int:
    found = re.search(r'^http_requests_total\{status="200"\} (\d+)$', till.call("GET", "/metrics").text, re.MULTILINE)
    assert found is not None
    return int(found[1])


class TestEveryAnswer:
    @pytest.mark.parametrize(("given", "echoed"), [("abc-123", True), ("a b", False), ("x" * 65, False)])
    def test_carries_a_request_id(self, till: Till, given: str, echoed: bool) -> None:
        answer = till.call("GET", "/health/live", headers={"X-Request-Id": given})
        assert (answer.headers["X-Request-Id"] == given) is echoed
        assert answer.headers["X-Request-Id"]

    def test_carries_the_time(self, till: Till) -> None:
        sent = parsedate_to_datetime(till.call("GET", "/health/live").headers["Date"]).timestamp()
        assert abs(sent - time.time()) < 2

    @pytest.mark.parametrize(
        ("method", "path", "expected"),
        [("GET", "/nowhere", (404, "not_found")), ("DELETE", "/health", (405, "method_not_allowed"))],
    )
    def test_is_json_for_http_errors_too(self, till: Till, method: str, path: str, expected: tuple[int, str]) -> None:
        assert error_of(till.call(method, path)) == expected

    def test_a_huge_body_is_refused(self, till: Till) -> None:
        answer = till.call("POST", "/api/auth/login", json={"username": "x" * 100_000})
        assert answer.status_code in {400, 413}

    def test_is_one_line_in_the_log(self, till: Till) -> None:
        request_id = f"line-{time.time_ns()}"
        till.call("GET", "/health/live", headers={"X-Request-Id": request_id}, web=True)
        (line,) = [line for line in till.log() if line.get("request_id") == request_id]
        assert line["message"] == "GET /health/live 200"
        assert (line["level"], line["event"], line["service"]) == ("INFO", "request", "api")
        assert (line["method"], line["path"], line["status"]) == ("GET", "/health/live", 200)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert line["duration_ms"] > 0
        assert line["user_agent"] == "golive-test"

    def test_remote_is_the_client_that_the_proxy_names(self, till: Till) -> None:
        request_id = f"remote-{time.time_ns()}"
        till.call("GET", "/health/live", headers={"X-Request-Id": request_id, "X-Forwarded-For": "203.0.113.9"})
        (line,) = [line for line in till.log() if line.get("request_id") == request_id]
        assert line["remote"] == "203.0.113.9"

    def test_is_quick(self, till: Till, token: str) -> None:
        for path in ("/api/me", "/api/stores/1/dashboard", ORDERS_1):
            took = [till.call("GET", path, token=token).elapsed.total_seconds() for _ in range(40)]
            assert statistics.median(took) < 0.02, path


class TestFrontEnd:
    def test_pages_need_nothing_from_elsewhere_and_all_of_it_is_there(self, till: Till) -> None:
        for page in ("index.html", "dashboard.html"):
            answer = till.call("GET", f"/{page}", web=True)
            assert answer.headers["Content-Type"].startswith("text/html")
            links = Links()
            links.feed(answer.text)
            assert {"app.js", "style.css", "logo.svg"} <= links.found
            for link in links.found:
                assert "//" not in link
                assert till.call("GET", f"/{link}", web=True).status_code == 200
        for file in till.settings.web.iterdir():
            text = file.read_text().replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?://|@import|url\(", text), file

    def test_inputs_have_labels_and_ids_are_used(self, till: Till) -> None:
        for page in ("index.html", "dashboard.html"):
            text = till.call("GET", f"/{page}", web=True).text
            for name in re.findall(r'<input id="([^"]+)"', text):
                assert f'<label for="{name}">' in text
            assert 'lang="en"' in text
            assert "style=" not in text  # the content security policy forbids it
        script = (till.settings.web / "app.js").read_text()
        pages = "".join((till.settings.web / page).read_text() for page in ("index.html", "dashboard.html"))
        for name in re.findall(r'byId\("([^"]+)"\)', script):
            assert f'id="{name}"' in pages

    def test_api_is_reached_through_it(self, till: Till, token: str) -> None:
        assert till.call("GET", "/api/me", token=token, web=True).json()["username"] == "cashier_store_1"
        assert till.call("GET", "/health", web=True).json() == {"status": "ok"}


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (name == "src" or (name == "href" and tag == "link")):
                self.found.add(value)


class TestBehindTheApi:
    def test_scheduler_made_a_backup_that_can_be_read(self, till: Till) -> None:
        newest = max(till.settings.backups.glob("warungin-*.dump"))
        listed = subprocess.run(
            [str(till.settings.bin / "pg_restore"), "--list", str(newest)], capture_output=True, text=True, check=True
        ).stdout
        assert "TABLE DATA public orders warungin" in listed
        assert any(line["event"] == "backup.made" for line in till.log("scheduler"))

    def test_housekeeping_takes_back_what_probes_left(self, till: Till, token: str) -> None:
        left = till.call("POST", ORDERS_1, token=token, json=sale()).json()["id"]
        fresh = till.call("POST", ORDERS_1, token=token, json=sale()).json()["id"]
        import psycopg

        with psycopg.connect(**till.settings.database(), autocommit=True) as connection:
            connection.execute("UPDATE orders SET created_at = now() - interval '1 hour' WHERE id = %s", [left])
        Scheduler(till.settings).clean_up()
        assert till.call("GET", f"{ORDERS_1}/{left}", token=token).status_code == 404
        assert till.call("DELETE", f"{ORDERS_1}/{fresh}", token=token).status_code == 204
        assert_books_balance(till)

    def test_mail_is_taken_and_shown(self, till: Till) -> None:
        host, port = till.state.values["mail_smtp_host"], int(till.state.values["mail_smtp_port"])
        letter = "From: a@x.example\r\nTo: b@x.example\r\nSubject: hello\r\n\r\nfirst\r\n.dot\r\n"
        with smtplib.SMTP(host, port, timeout=5) as smtp:
            smtp.sendmail("a@x.example", ["b@x.example", "c@x.example"], letter)
            smtp.sendmail("a@x.example", ["d@x.example"], letter)
            assert smtp.docmd("VRFY", "x")[0] == 502
            assert smtp.docmd("DATA")[0] == 503
        mails = requests.get(f"{till.state.values['mail_url']}/mails", timeout=5).json()["mails"]
        assert mails[0]["subject"] == "Yesterday's sales"
        assert mails[-2]["to"] == ["b@x.example", "c@x.example"]
        assert mails[-1]["body"].splitlines() == ["first", ".dot"]
        one = requests.get(f"{till.state.values['mail_url']}/mails/{mails[-1]['id']}", timeout=5).json()
        assert one == mails[-1]
        assert requests.get(f"{till.state.values['mail_url']}/mails/0", timeout=5).status_code == 404


class TestCollector:
    def test_a_line_can_be_found_soon(self, till: Till) -> None:
        mark = f"mark-{time.time_ns()}"
        till.call("GET", "/health/live", headers={"User-Agent": mark})
        wait_until(lambda: till.collected(mark) == 1, timeout_s=2)

    def test_every_service_is_a_job(self, till: Till) -> None:
        url = till.state.values["collector_url"]
        answer = requests.get(f"{url}/loki/api/v1/label/job/values", timeout=5).json()
        assert {"api", "worker", "scheduler", "mail", "collector", "postgres", "nginx-access"} <= set(answer["data"])
        assert requests.get(f"{url}/loki/api/v1/labels", timeout=5).json()["data"] == ["filename", "job"]
        assert requests.get(f"{url}/ready", timeout=5).text == "ready\n"

    def test_range_direction_and_limit(self, till: Till) -> None:
        mark = f"range-{time.time_ns()}"
        for number in range(3):
            till.call("GET", "/health/live", headers={"User-Agent": f"{mark}-{number}"})
        wait_until(lambda: till.collected(mark) == 3, timeout_s=2)
        url = f"{till.state.values['collector_url']}/loki/api/v1/query_range"
        query = f'{{job=~"api|worker"}} |= "{mark}" != "nothing"'
        for direction, expected in (("backward", ["2", "1"]), ("forward", ["0", "1"])):
            answer = requests.get(url, {"query": query, "limit": "2", "direction": direction}, timeout=5).json()
            (stream,) = answer["data"]["result"]
            assert answer["data"]["resultType"] == "streams"
            assert stream["stream"]["job"] == "api"
            assert [json.loads(line)["user_agent"][-1] for _, line in stream["values"]] == expected
            assert all(at.isdecimal() and len(at) == 19 for at, _ in stream["values"])
        over = requests.get(url, {"query": query, "end": str(time.time_ns() - 3600 * 10**9)}, timeout=5).json()
        assert over["data"]["result"] == []

    @pytest.mark.parametrize(
        "query", ["", "{}", "{job}", '{job="a"', '{job="a"} |= x', '{job=~"("}', '{job="a"} | json', "job"]
    )
    def test_a_query_that_makes_no_sense_is_a_400(self, till: Till, query: str) -> None:
        url = f"{till.state.values['collector_url']}/loki/api/v1/query_range"
        answer = requests.get(url, {"query": query}, timeout=5)
        assert answer.status_code == 400
        assert "parse error" in answer.text

    def test_filters(self) -> None:
        entry = logql.Entry(at_ns=1, labels={"job": "api"}, line="GET /health 200")
        for query, wanted in (
            ('{job="api"}', True),
            ('{job!="api"}', False),
            ('{job=~"a.*"} |~ "20+"', True),
            ('{job!~"a.*"}', False),
            ('{job="api"} !~ "2.0"', False),
            ("{job=`api`} |= `/health`", True),
            ('{job="api", other=""}', True),
        ):
            assert logql.parse(query).wants(entry) is wanted, query

    def test_a_file_is_followed_through_rotation_and_truncation(self, tmp_path: Path) -> None:
        path = tmp_path / "x.log"
        follower = Follower(path)
        assert list(follower.new_lines()) == []
        path.write_text("one\ntw")
        assert list(follower.new_lines()) == ["one"]
        with path.open("a") as file:
            file.write("o\nthree\n")
        path.rename(tmp_path / "x.log.1")
        path.write_text("four\n")
        assert list(follower.new_lines()) == ["two", "three", "four"]
        path.write_text("5\n")
        assert list(follower.new_lines()) == ["5"]
        follower.close()


class TestJournal:
    def test_it_rotates_and_keeps_five(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(journal_module, "ROTATE_AT_BYTES", 1000)
        journal = Journal("worker", tmp_path)
        for number in range(80):
            journal.info("x" * 100, "test", number=number)
        assert sorted(file.name for file in tmp_path.iterdir()) == [
            "worker.log",
            *(f"worker.log.{number}" for number in range(1, 6)),
        ]
        assert all(file.stat().st_size <= 1000 for file in tmp_path.iterdir())
        assert json.loads((tmp_path / "worker.log").read_text().splitlines()[-1])["number"] == 79

    def test_it_notices_that_its_file_was_moved_or_cut(self, tmp_path: Path) -> None:
        journal = Journal("worker", tmp_path)
        journal.info("one", "test")
        (tmp_path / "worker.log").rename(tmp_path / "moved")
        journal.info("two", "test")
        assert json.loads((tmp_path / "worker.log").read_text())["message"] == "two"
        (tmp_path / "worker.log").write_text("")
        journal.error("three", "test")
        assert json.loads((tmp_path / "worker.log").read_text())["message"] == "three"

    def test_threads_do_not_mix_their_lines(self, tmp_path: Path) -> None:
        journal = Journal("worker", tmp_path)

        def write(number: int) -> None:
            for _ in range(50):
                journal.info(str(number) * 500, "test")

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lines = (tmp_path / "worker.log").read_text().splitlines()
        assert len(lines) == 400
        assert all(len(set(json.loads(line)["message"])) == 1 for line in lines)

    def test_an_exception_keeps_its_trace(self, tmp_path: Path) -> None:
        journal = Journal("worker", tmp_path)
        try:
            raise RuntimeError("a\nb")
        except RuntimeError as error:
            journal.exception("it broke", "test", error)
        (line,) = (tmp_path / "worker.log").read_text().splitlines()
        assert json.loads(line)["level"] == "ERROR"
        assert "RuntimeError: a\nb" in json.loads(line)["exception"]
