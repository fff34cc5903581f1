"""What the API does only while it is broken on purpose, and what needs its parts to do so.

The switches themselves are in demo/services/misbehave.py; nothing here runs while no fault is active.
"""

from __future__ import annotations

import dataclasses
import time

from flask import Response, request

from demo.services import misbehave
from demo.services.shop.parts import parts
from demo.services.shop.sessions import Session
from demo.services.shop.tokens import Claims


def session_of_dead(claims: Claims) -> Session | None:
    """A session for an expired token, when expiry is not looked at."""
    if claims.exp > time.time() or not misbehave.is_on("token-expired-accepted"):
        return None
    with parts().database.connection() as connection:
        row = connection.execute("SELECT id FROM users WHERE username = %s", [claims.sub]).fetchone()
    if row is None:
        return None
    return Session(
        sid=claims.sid,
        user=claims.sub,
        user_id=row["id"],
        role=claims.role,
        store=claims.store,
        created_at=claims.iat,
        ends_at=claims.exp,
        idle_s=0.0,
    )


def session_as_claimed(session: Session, claims: Claims) -> Session:
    """The session with the role and store that the token claims."""
    return dataclasses.replace(session, role=claims.role, store=claims.store)


def record_asked_for(store: int) -> dict[str, object]:
    """The order that the path names, or the store's newest, as a chatty error message would carry it."""
    order = (request.view_args or {}).get("order")
    with parts().database.connection() as connection:
        row = connection.execute(
            "SELECT id, store_id, total, payment, note, created_at FROM orders"
            " WHERE store_id = %s AND (%s::bigint IS NULL OR id = %s) ORDER BY created_at DESC LIMIT 1",
            [store, order, order],
        ).fetchone()
    if row is None:
        return {}
    shown = {**row, "total": float(row["total"]), "created_at": row["created_at"].isoformat()}
    return {"detail": "you may not see this order", "order": shown}


def health_answer() -> Response | None:
    """What /health answers instead, if it is broken."""
    if misbehave.is_on("health-degraded-inside-200"):
        return Response('{"status":"degraded","reason":"printer queue"}\n', mimetype="application/json")
    if misbehave.is_on("health-is-html"):
        return Response("<!doctype html><title>Warungin</title><h1>It works!</h1>\n", mimetype="text/html")
    if misbehave.is_on("health-endless"):
        return Response(misbehave.endless("health-endless"), mimetype="application/json")
    if misbehave.is_on("health-times-out"):
        misbehave.pause(misbehave.HEALTH_HANGS_S, "health-times-out")
    return None
