"""Who may do what: a valid token, a living session, and the right store."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, cast

from flask import g, request
from flask.typing import ResponseReturnValue

from demo.services import misbehave
from demo.services.shop import wayward
from demo.services.shop.parts import parts
from demo.services.shop.refusal import RefusalError
from demo.services.shop.sessions import Session
from demo.services.shop.tokens import Claims, TokenRefusedError

View = Callable[..., ResponseReturnValue]


def in_own_store(view: View) -> View:
    """Only for callers who belong to the store in the path."""

    @wraps(view)
    def guarded(store: int, **arguments: object) -> ResponseReturnValue:
        _admit(authenticate(), store)
        return view(store=store, **arguments)

    return guarded


def caller() -> Session:
    """The session of the request that is being answered; `authenticate` has been called for it."""
    return cast(Session, g.session)


def authenticate() -> Session:
    """Find out who calls, for the rest of the request. Raises RefusalError (401)."""
    claims = read_token()
    session = parts().sessions.touch(claims)
    if session is None:
        session = wayward.session_of_dead(claims) or _refuse_ended(claims)
    if misbehave.is_on("token-role-change-accepted"):
        session = wayward.session_as_claimed(session, claims)
    if (session.user, session.role, session.store) != (claims.sub, claims.role, claims.store):
        _refuse_token("role")
    g.session = session
    return session


def read_token() -> Claims:
    """The claims of the bearer token, whatever became of its session. Raises RefusalError (401)."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        _refuse_token("missing")
    try:
        claims = parts().tokens.read(token.strip(), now=time.time())
    except TokenRefusedError as refused:
        if refused.reason == "expired":
            log_session_end("absolute limit")
        _refuse_token(refused.reason)
    g.user = claims.sub
    return claims


def log_session_end(why: str) -> None:
    """One line saying that a session ran into a limit."""
    if not misbehave.is_on("session-end-not-logged"):
        parts().journal.info(
            f"session timeout: {why}", "session.expired", user=g.get("user"), request_id=g.get("request_id")
        )


def _refuse_token(reason: str) -> NoReturn:
    parts().journal.info(f"token rejected: {reason}", "token.rejected", reason=reason, request_id=g.request_id)
    raise RefusalError(401, "invalid_token", reason=f"token {reason}", headers={"WWW-Authenticate": "Bearer"})


def _refuse_ended(claims: Claims) -> NoReturn:
    if parts().sessions.was_logged_out(claims):
        why = "logged out"
    else:
        why = "session timeout"
        log_session_end("idle limit")
    raise RefusalError(401, "session_expired", reason=why, headers={"WWW-Authenticate": "Bearer"})


def _admit(session: Session, store: int) -> None:
    is_own = session.role == "admin" or session.store == store
    if misbehave.is_on("everything-forbidden"):
        is_own = False
    if not is_own and not misbehave.lets_into_other_store(request.method):
        leak = wayward.record_asked_for(store) if misbehave.is_on("refusal-leaks-data") else {}
        raise RefusalError(403, "forbidden", reason="other store", extra=leak)
