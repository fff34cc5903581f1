"""The Flask application: what happens around every request, and how errors are answered and logged."""

from __future__ import annotations

import re
import time
import uuid
from email.utils import formatdate

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue
from psycopg import DataError
from werkzeug.exceptions import HTTPException

from demo.services import misbehave
from demo.services.errors import UnreachableError
from demo.services.shop import accounts, health, orders, reports, stock
from demo.services.shop.parts import EXTENSION, Parts, parts
from demo.services.shop.refusal import RefusalError

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_REFUSED = frozenset({401, 403, 429})
_LONGEST_BODY = 64 * 1024


def create_app(the: Parts) -> Flask:
    """The application; connects to nothing until the first request."""
    app = Flask("warungin", static_folder=None)
    app.extensions[EXTENSION] = the
    app.config["MAX_CONTENT_LENGTH"] = _LONGEST_BODY
    app.before_request(_begin)
    app.after_request(_finish)
    for kind, handler in (
        (RefusalError, _refused),
        (UnreachableError, _unreachable),
        (DataError, _unusable_value),
        (HTTPException, _http_error),
        (Exception, _unexpected),
    ):
        app.register_error_handler(kind, handler)
    for module in (accounts, orders, stock, reports, health):
        app.register_blueprint(module.routes)
    return app


def _begin() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
    if not parts().brake.admits(request.remote_addr or ""):
        raise RefusalError(429, "too_many_requests", headers={"Retry-After": "1"})
    rule = f"{request.method} {request.url_rule}"
    misbehave.delay_request(rule)
    misbehave.serve_one_at_a_time(rule)
    if misbehave.breaks_down(rule):
        raise RuntimeError("the pool gave a connection that somebody else had closed")


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    response.headers["Date"] = formatdate(misbehave.clock(), usegmt=True)
    response.headers["Cache-Control"] = "no-store"
    seconds = time.perf_counter() - g.started
    parts().counters.count_request(response.status_code, seconds)
    _log(response.status_code, seconds)
    return response


def _log(status: int, seconds: float) -> None:
    fields: dict[str, object] = {
        "request_id": g.request_id,
        "method": request.method,
        "path": request.path,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
        "remote": request.remote_addr,
        "user": g.get("user"),
        "user_agent": request.headers.get("User-Agent", "")[:200],
    }
    if misbehave.is_on("token-in-log"):
        fields["authorization"] = request.headers.get("Authorization", "")
    message = f"{request.method} {request.path} {status}"
    if status not in _REFUSED:
        parts().journal.info(message, "request", **fields)
    elif status != 403 or not misbehave.is_on("refusal-not-logged"):
        parts().journal.warning(message, "access.refused", reason=g.get("reason", ""), **fields)


def _refused(refusal: RefusalError) -> ResponseReturnValue:
    g.reason = refusal.reason
    return {"error": refusal.error, **refusal.extra}, refusal.status, refusal.headers


def _unreachable(error: UnreachableError) -> ResponseReturnValue:
    parts().journal.error(str(error), "dependency.unreachable", request_id=g.request_id, path=request.path)
    return {"error": f"{error.what}_unreachable"}, 503, {"Retry-After": "1"}


def _unusable_value(_: DataError) -> ResponseReturnValue:
    """A value that is well-formed but that PostgreSQL cannot take, such as a number that is too large."""
    return {"error": "invalid_request", "field": "unknown", "expected": "a value the database can hold"}, 400


def _http_error(error: HTTPException) -> ResponseReturnValue:
    name = re.sub(r"[^a-z]+", "_", (error.name or "error").lower()).strip("_")
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    return {"error": name}, error.code or 500, headers


def _unexpected(error: Exception) -> ResponseReturnValue:
    parts().journal.exception(
        f"unhandled error in {request.method} {request.url_rule}",
        "error.unhandled",
        error,
        request_id=g.request_id,
        path=request.path,
    )
    return {"error": "internal_error"}, 500
