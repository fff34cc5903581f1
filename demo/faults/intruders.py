"""Somebody is at the door, or inside."""

from __future__ import annotations

import secrets

from demo.faults._model import Demo, Fault
from demo.passwords import hash_password

_STRANGER = {"User-Agent": "curl/8.14.1", "X-Forwarded-For": "203.0.113.66"}
_VICTIM = "manager_store_1"
_ADMIN = "support_temp"
_FAILURES = 6
_FAILURES_ALLOWED = 4


def _knock(demo: Demo) -> None:
    for path in ("/api/me", "/api/stores/1/orders", "/api/stores/2/dashboard", "/api/stores/3/orders/1"):
        demo.request("GET", path, headers=_STRANGER)
        demo.request("GET", path, headers={**_STRANGER, "Authorization": "Bearer abc.def.ghi"})
    token = demo.login("cashier_store_2", headers=_STRANGER)
    own = {**_STRANGER, "Authorization": f"Bearer {token}"}
    for path in ("/api/stores/1/orders", "/api/stores/1/orders/1", "/api/stores/3/products"):
        demo.request("GET", path, headers=own)
    demo.request("POST", "/api/auth/logout", headers=own)


def _break_in(demo: Demo) -> None:
    """Guess, wait for the throttle (here: sweep its counter away), guess on, and get in."""
    for attempt in range(_FAILURES):
        if attempt == _FAILURES_ALLOWED:
            _forget_failures(demo)
        guess = {"username": _VICTIM, "password": f"warungin{attempt}", "code": "000000"}
        demo.request("POST", "/api/auth/login", body=guess, headers=_STRANGER)
    demo.login(_VICTIM, headers=_STRANGER)


def _forget_failures(demo: Demo) -> None:
    demo.redis("DEL", f"login_failures:{_VICTIM}")


def _add_admin(demo: Demo) -> None:
    with demo.database("warungin") as database:
        database.execute(
            "INSERT INTO users (username, full_name, role, store_id, password_hash, totp_secret)"
            " VALUES (%s, 'Support', 'admin', NULL, %s, %s)",
            [_ADMIN, hash_password(secrets.token_urlsafe()), "A" * 32],
        )


def _remove_admin(demo: Demo) -> None:
    with demo.database("warungin") as database:
        database.execute("DELETE FROM users WHERE username = %s", [_ADMIN])


def _open_port(demo: Demo) -> None:
    demo.start_helper("listen", "unexpected-port")


def _close_port(demo: Demo) -> None:
    demo.wait_for_helper("unexpected-port")


UNTHROTTLED = Fault(
    name="brute-force-unthrottled",
    says="passwords may be guessed as fast as one likes",
    incident="the counter of failures was keyed by a request id",
)

FEATURE_OFF = Fault(
    name="security-feature-off",
    says="/health/detailed reports that throttling is off, and it is",
    incident="throttling was switched off for a load test and stayed off",
)

REFUSALS = Fault(
    name="foreign-refusals",
    says="somebody who is not the verifier was refused a dozen times",
    incident="a scanner found the address of the API",
    break_=_knock,
    needs_new_deployment=True,
)

BREAK_IN = Fault(
    name="break-in",
    says="after six failures from one address, a login as a manager succeeded",
    incident="a password from another site's leak, and a phished code",
    break_=_break_in,
    heal=_forget_failures,
    needs_new_deployment=True,
)

ADMIN = Fault(
    name="unexpected-admin",
    says="there is an administrator whom nobody knows",
    incident="a helper account was created in a support call, or by an intruder",
    break_=_add_admin,
    heal=_remove_admin,
)

PORT = Fault(
    name="unexpected-port",
    says="a process listens on a port that is none of the system's",
    incident="a debugging server was left running",
    break_=_open_port,
    heal=_close_port,
    needs_earlier_look=True,
    beyond_the_demo=True,
)
