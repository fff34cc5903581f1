"""A small shop on a loopback port: real HTTP, passwords, one-time codes, signed tokens, sessions, stores, reports.

It is the target of the tests of HTTP clients, accounts and checks. Everything in it is right until a test puts the
name of a breach into `breaches`.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pyotp

from golive.environment.params import Resolved, Secret
from golive.environment.sections import AccountSection, EndpointSection, ProbeSection, TotpSection

PASSWORD = "correct-horse-7c1d"
KEY = "a-signing-key-of-the-tests-that-is-long-enough-to-be-one"
PERIOD_S = 1
USERS = {
    "cashier_1": ("cashier", 1),
    "cashier_2": ("cashier", 2),
    "careful": ("cashier", 1),
    "leaver": ("cashier", 1),
    "kiosk_idle": ("idle kiosk", 1),
    "kiosk_absolute": ("absolute kiosk", 1),
}
LIMITS = {"idle kiosk": (0.3, 60.0), "absolute kiosk": (0.4, 0.7)}
"""Seconds a session of a role lives without a request, and at all."""
HTML = """<!doctype html><html><head><title>Shop</title><link rel="stylesheet" href="style.css">
<script src="/app.js"></script><link rel="icon" href="logo.svg"></head><body><h1>Welcome</h1>
<img src="logo.svg"><img src="data:image/png;base64,AA=="></body></html>"""
MOVES_ON = """<!doctype html><html><head><script>location.href = '/index.html'</script>
<script src="/app.js?later" async></script></head><body></body></html>"""
DASHBOARD = """<!doctype html><html><head><title>Dashboard</title><link rel="icon" href="logo.svg"></head><body>
<p id="sales">-</p><script>
fetch('/api/stores/1/dashboard', {headers: {Authorization: 'Bearer ' + sessionStorage.getItem('token')}})
  .then(a => a.json()).then(d => { document.getElementById('sales').textContent = d.sales_today; BREACH });
</script></body></html>"""
FILES = {
    "/app.js": ("text/javascript", "'use strict';"),
    "/style.css": ("text/css", "body { color: black }"),
    "/logo.svg": ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"/>'),
}


def sections(shop: Shop, **endpoint: Any) -> dict[str, Any]:
    """The sections of an environment that describe `shop`: endpoint `api`, and an account for each of its users."""
    login = {"request": "POST /api/auth/login", "logout": "POST /api/auth/logout"}
    accounts = {
        name: AccountSection(
            endpoint="api",
            username=name,
            password=secret(PASSWORD),
            totp=TotpSection(secret=secret(shop.secrets[name]), period=PERIOD_S),
        )
        for name in USERS
    }
    api = {"url": shop.url, "timeout": "5 s", "login": login, **endpoint}
    return {
        "endpoints": {"api": EndpointSection.model_validate(api)},
        "accounts": accounts,
        "probe": ProbeSection(max_requests_per_second=10_000),
    }


def secret(value: str) -> Secret:
    """A secret as it comes out of an environment's reference."""
    return Secret.parse(Resolved(value, "${env:TEST}"))


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, error: str, **headers: str) -> None:
        super().__init__(error)
        self.status, self.error, self.headers = status, error, headers


@dataclass
class Shop:
    """The state of one shop. `seen` are the requests it got, with their headers."""

    breaches: set[str] = field(default_factory=set)
    secrets: dict[str, str] = field(default_factory=lambda: {name: pyotp.random_base32() for name in USERS})
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    used_steps: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    orders: dict[int, dict[int, dict[str, Any]]] = field(default_factory=dict)
    reports: dict[int, int] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    requests: int = 0
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        names = {1: "Kopi Susu", 2: "Teh Tarik"}
        self.orders = {
            store: {store * 1000 + n: {"id": store * 1000 + n, "item": names[store], "total": 12345.5 * store + n}}
            for store in (1, 2)
            for n in (7,)
        }

    # Logins

    def login(self, body: dict[str, Any]) -> dict[str, Any]:
        if "login-broken" in self.breaches:
            raise Refusal(500, "internal")
        name = str(body.get("username"))
        if self.failures.get(name, 0) >= 5 and "unthrottled" not in self.breaches:
            raise Refusal(429, "too_many_attempts", **{"Retry-After": "60"})
        try:
            self._authenticate(name, body)
        except Refusal:
            self.failures[name] = self.failures.get(name, 0) + 1
            raise
        self.failures.pop(name, None)
        return self.session(name)

    def _authenticate(self, name: str, body: dict[str, Any]) -> None:
        if name not in USERS or body.get("password") != PASSWORD or "nobody" in self.breaches:
            raise Refusal(401, "invalid_credentials")
        code = body.get("code")
        if code is None and "no-code" not in self.breaches:
            raise Refusal(401, "second_factor_required")
        if (code is None) or (code == "" and "empty-code" in self.breaches) or "any-code" in self.breaches:
            return
        step = self._step_of(name, str(code))
        if step is None or (step <= self.used_steps.get(name, 0) and "reused-code" not in self.breaches):
            raise Refusal(401, "invalid_credentials")
        self.used_steps[name] = max(step, self.used_steps.get(name, 0))

    def _step_of(self, name: str, code: str) -> int | None:
        now = int(time.time() // PERIOD_S)
        codes = pyotp.HOTP(self.secrets[name])
        return next((step for step in range(now - 3, now + 4) if codes.at(step) == code), None)

    def session(self, name: str) -> dict[str, Any]:
        role, store = USERS[name]
        sid, now = secrets.token_hex(8), time.time()
        _, absolute = LIMITS.get(role, (900.0, 28800.0))
        self.sessions[sid] = {"user": name, "began": now, "used": now}
        lifetime = 10**9 if "long-lived" in self.breaches else absolute
        claims = {"sub": name, "role": role, "store": store, "sid": sid, "iat": now, "exp": now + lifetime}
        if "no-expiry" in self.breaches:
            del claims["exp"]
        return {"token": jwt.encode(claims, KEY), "user": {"username": name}}

    def user(self, authorization: str) -> tuple[str, int]:
        claims = self._claims(authorization.removeprefix("Bearer "))
        session = self.sessions.get(claims.get("sid", ""))
        if session is None and "alive-after-logout" not in self.breaches:
            raise Refusal(401, "session_expired")
        self._end_if_due(claims, session)
        return str(claims["sub"]), int(claims["store"])

    def _end_if_due(self, claims: dict[str, Any], session: dict[str, Any] | None) -> None:
        idle, absolute = LIMITS.get(claims["role"], (900.0, 28800.0))
        now = time.time()
        if session is None:
            return
        if (now - session["used"] > idle and "idle-ignored" not in self.breaches) or (
            now - session["began"] > absolute and "absolute-ignored" not in self.breaches
        ):
            raise Refusal(401, "session_expired")
        session["used"] = now

    def _claims(self, token: str) -> dict[str, Any]:
        if not token:
            raise Refusal(401, "invalid_token")
        try:
            header = jwt.get_unverified_header(token)
            none = str(header.get("alg")).lower() == "none" and "alg-none" in self.breaches
            if none or "signature-unchecked" in self.breaches:
                parts = token.split(".")[1]
                found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(parts + "=" * (-len(parts) % 4)))
                return found
            # PyJWT cuts the fraction of `exp` off, which matters to sessions that live for less than a second.
            claims: dict[str, Any] = jwt.decode(token, KEY, algorithms=["HS256"], options={"verify_exp": False})
            if claims.get("exp", time.time() + 1) <= time.time() and "absolute-ignored" not in self.breaches:
                raise ValueError("expired")
            return claims
        except (jwt.PyJWTError, ValueError, IndexError):
            raise Refusal(500 if "token-error-500" in self.breaches else 401, "invalid_token") from None

    # What users do

    def store(self, method: str, path: list[str], body: Any, authorization: str) -> Any:
        name, own = self.user(authorization)
        if "everything-forbidden" in self.breaches:
            raise Refusal(403, "forbidden")
        store = int(path[2])
        if store != own:
            allowed = "foreign-write" if method != "GET" else "foreign-read"
            if allowed not in self.breaches:
                if "leak" in self.breaches:
                    raise Refusal(403, f"forbidden: {json.dumps(self.orders[store])}")
                raise Refusal(403, "forbidden")
        return self._in_store(method, store, path[3:], body, name)

    def _in_store(self, method: str, store: int, what: list[str], body: Any, name: str) -> Any:
        orders = self.orders[store]
        match method, what:
            case "GET", ["orders"]:
                return {"orders": list(orders.values())}
            case "POST", ["orders"]:
                number = store * 1000 + 100 + len(orders)
                orders[number] = {"id": number, "item": body.get("item"), "total": 2 * float(body.get("price", 0))}
                return orders[number]
            case "GET", ["orders", number]:
                return orders.get(int(number)) or _missing()
            case "DELETE" | "PUT", ["orders", number]:
                return (orders.pop(int(number), None) if method == "DELETE" else orders.get(int(number))) or _missing()
            case "GET", ["dashboard"]:
                sales = "NaN" if "nan" in self.breaches else 120.5
                return {"sales_today": sales, "orders_today": None if "null" in self.breaches else 3}
            case "POST", ["reports"]:
                self.reports[len(self.reports) + 1] = 0
                return {"id": len(self.reports)}
            case "GET", ["reports", number]:
                return self._report(int(number))
        raise Refusal(404, "not_found")

    def _report(self, number: int) -> dict[str, Any]:
        self.reports[number] += 1
        if self.reports[number] < 3 or "queue-stuck" in self.breaches:
            return {"status": "queued"}
        return {"status": "done", "total": 99.5 if "report-wrong" in self.breaches else 100.5, "orders": 4}

    def health(self, *, detailed: bool) -> dict[str, Any]:
        queue = "degraded" if "part-down" in self.breaches else "ok"
        checks = {"database": {"status": "ok"}, "queue": {"status": queue}}
        plain = {"status": "degraded" if "degraded" in self.breaches else "ok"}
        flags = {"second_factor": True, "throttling": "flag-off" not in self.breaches}
        stated = datetime.now(UTC) - timedelta(hours=1 if "json-clock-off" in self.breaches else 0)
        return {**plain, "checks": checks, "time": stated.isoformat(), **({"security": flags} if detailed else {})}


def _missing() -> Any:
    raise Refusal(404, "not_found")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    shop: Shop

    def do_GET(self) -> None:
        shop = self.shop
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        with shop.lock:
            shop.requests += 1
            shop.seen.append((f"{self.command} {self.path}", {k.lower(): v for k, v in self.headers.items()}))
            number = shop.requests
        if "slow" in shop.breaches or ("slow-tail" in shop.breaches and number % 7 == 0):
            time.sleep(0.05)
        try:
            self._answer(200, *self._content(raw))
        except Refusal as refusal:
            body = json.dumps({"error": refusal.error})
            self._answer(refusal.status, "application/json", body, **refusal.headers)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the names that http.server looks for

    def _content(self, raw: bytes) -> tuple[str, str]:
        shop, path = self.shop, self.path.partition("?")[0]
        if self.path == "/app.js?later":
            time.sleep(1)
        if path in FILES and not ("asset-missing" in shop.breaches and path == "/style.css"):
            kind, content = FILES[path]
            return ("text/html", content) if "asset-is-html" in shop.breaches and path == "/app.js" else (kind, content)
        if path == "/" and "moves-on" in shop.breaches:
            return "text/html", MOVES_ON
        if path == "/" and "routes" in shop.breaches:
            return "text/html", HTML.replace("</body>", "<script>history.replaceState({}, '', '/shop')</script></body>")
        if path in ("/", "/index.html"):
            return "text/html; charset=utf-8", "Internal Server Error" if "error-page" in shop.breaches else HTML
        if path == "/dashboard.html":
            breach = "console.error('broken')" if "console-error" in shop.breaches else ""
            return "text/html; charset=utf-8", DASHBOARD.replace("BREACH", breach)
        if path == "/health" and "health-html" in shop.breaches:
            return "text/html", "<h1>\x1b[31mok\x1b[0m</h1>"
        if path == "/health" and "health-down" in shop.breaches:
            raise Refusal(503, "down")
        return "application/json", json.dumps(self._api(path, json.loads(raw) if raw else {}))

    def _api(self, path: str, body: Any) -> Any:
        shop, parts, authorization = self.shop, path.strip("/").split("/"), self.headers.get("Authorization", "")
        match self.command, parts:
            case "GET", ["health"]:
                return shop.health(detailed=False)
            case "GET", ["health", "detailed"]:
                return shop.health(detailed=True)
            case "POST", ["api", "auth", "login"]:
                return shop.login(body)
            case "POST", ["api", "auth", "pin"] if "pin" in shop.breaches:
                return {"data": {"jwt": shop.session(body["username"])["token"]}}
            case "POST", ["api", "auth", "logout"]:
                claims = shop._claims(authorization.removeprefix("Bearer "))
                shop.sessions.pop(claims["sid"], None)
                return {}
            case "POST", ["api", "auth", "status"]:
                if "database-lost" in shop.breaches:
                    raise Refusal(503, "unreachable")
                return {"database": "ok"}
            case "GET", ["api", "me"]:
                name, store = shop.user(authorization)
                return {"username": "somebody" if "wrong-user" in shop.breaches else name, "store_id": store}
            case _, ["api", "stores", _, *_]:
                return shop.store(self.command, parts, body, authorization)
        raise Refusal(404, "not_found")

    def _answer(self, status: int, kind: str, text: str, **headers: str) -> None:
        body = text.encode()
        self.send_response_only(status)
        now = datetime.now(UTC) + timedelta(hours=2 if "clock-off" in self.shop.breaches else 0)
        if "no-date" not in self.shop.breaches:
            self.send_header("Date", format_datetime(now, usegmt=True))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests look at `seen`."""


@contextmanager
def open_shop() -> Iterator[Shop]:
    """A shop that answers on `url` until the block ends."""
    shop = Shop()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"shop": shop, "wbufsize": -1}))
    server.daemon_threads = True
    shop.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
