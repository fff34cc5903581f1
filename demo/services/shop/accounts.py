"""Logging in and out, and who one is."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue

from demo.passwords import hash_password, verify_password
from demo.services import misbehave
from demo.services.errors import UnreachableError
from demo.services.shop import body
from demo.services.shop.guard import authenticate, read_token
from demo.services.shop.parts import parts
from demo.services.shop.refusal import RefusalError
from demo.services.shop.tokens import Claims

routes = Blueprint("accounts", __name__)

# Verified for user names that do not exist, so that these take as long as the others.
_NOBODY = hash_password(secrets.token_urlsafe())


@routes.post("/api/auth/login")
def login() -> ResponseReturnValue:
    """Password and code for a token."""
    if misbehave.is_on("login-broken"):
        raise RuntimeError("template of the login answer is missing")
    content = body.json_object()
    account = _checked_password(content)
    code = content.get("code")
    if code is not None and not isinstance(code, str):
        raise RefusalError(400, "invalid_request", extra={"field": "code", "expected": "a string of six digits"})
    if code is None or (code == "" and not misbehave.accepts_code("")):
        _log_second_factor(account["username"], "2FA code asked for")
        raise RefusalError(401, "second_factor_required")
    if not parts().second_factor.accepts(account["username"], account["totp_secret"], code):
        _log_second_factor(account["username"], "2FA code refused")
        raise _failed(account["username"], "second factor")
    _log_second_factor(account["username"], "2FA code accepted")
    return _begin(account)


@routes.post("/api/auth/pin")
def pin() -> ResponseReturnValue:
    """The login of the old tills, which knew no second factor; switched off for good."""
    if not misbehave.is_on("second-factor-bypassed-by-second-endpoint"):
        raise RefusalError(410, "gone")
    return _begin(_checked_password(body.json_object()))


@routes.post("/api/auth/logout")
def logout() -> ResponseReturnValue:
    """End the session; its token is worth nothing from now on."""
    session = authenticate()
    parts().sessions.end(read_token())
    parts().journal.info(f"logout of {session.user}", "auth.logout", user=session.user, request_id=g.request_id)
    return "", 204


@routes.post("/api/auth/status")
def status() -> ResponseReturnValue:
    """Whether the caller is logged in, and whether the database answers this process."""
    try:
        with parts().database.connection() as connection:
            connection.execute("SELECT count(*) FROM stores")
    except UnreachableError:
        return {"authenticated": False, "database": "unreachable"}, 503
    return {"authenticated": _is_authenticated(), "database": "ok"}


@routes.get("/api/me")
def me() -> ResponseReturnValue:
    """The caller."""
    session = authenticate()
    return {"username": session.user, "role": session.role, "store_id": session.store}


def _is_authenticated() -> bool:
    try:
        authenticate()
    except RefusalError:
        return False
    return True


def _checked_password(content: dict[str, Any]) -> dict[str, Any]:
    """The account whose name and password these are. Raises RefusalError (400, 401, 429)."""
    username = body.text(content, "username", longest=64)
    password = body.text(content, "password", longest=256)
    g.user = username
    _throttle(username)
    with parts().database.connection() as connection:
        account = connection.execute("SELECT * FROM users WHERE username = %s", [username]).fetchone()
    is_right = verify_password(password, account["password_hash"] if account else _NOBODY)
    if account is None or not is_right:
        raise _failed(username, "password")
    return account


def _throttle(username: str) -> None:
    wait_s = parts().throttle.retry_after_s(username)
    if wait_s is not None:
        raise _too_many(wait_s)


def _too_many(wait_s: int) -> RefusalError:
    return RefusalError(429, "too_many_attempts", headers={"Retry-After": str(wait_s)})


def _failed(username: str, reason: str) -> RefusalError:
    """Count the failure. An attempt beyond the allowance learns nothing, not even that it was wrong."""
    if parts().throttle.failed(username):
        return RefusalError(401, "invalid_credentials", reason=f"wrong {reason}")
    return _too_many(parts().throttle.retry_after_s(username) or 1)


def _begin(account: dict[str, Any]) -> ResponseReturnValue:
    _throttle(account["username"])  # once more: others may have failed while this password was being checked
    parts().throttle.succeeded(account["username"])
    session = parts().sessions.begin(account)
    token = parts().tokens.issue(
        Claims(
            sub=session.user,
            role=session.role,
            store=session.store,
            sid=session.sid,
            iat=session.created_at,
            exp=session.ends_at,
        )
    )
    parts().journal.info(f"login of {session.user}", "auth.login", user=session.user, request_id=g.request_id)
    return {"token": token, "user": {"username": session.user, "role": session.role, "store_id": session.store}}


def _log_second_factor(username: str, message: str) -> None:
    if not misbehave.is_on("second-factor-not-logged"):
        parts().journal.info(f"{message} for {username}", "auth.second_factor", user=username, request_id=g.request_id)
