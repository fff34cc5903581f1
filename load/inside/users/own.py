"""A locustfile of the user's own: its requests are measured, capped and kept to the allowed hosts as ours are."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from typing import Any

from gevent import GreenletExit
from geventhttpclient.client import HTTPClient
from locust import FastHttpUser, LoadTestShape, User, events
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from locust.exception import CatchResponseError, StopUser
from locust.util.load_locustfile import load_locustfile
from urllib3.connection import HTTPConnection, HTTPSConnection

from load.inside.engine import Engine
from load.inside.plan import origin_of
from load.inside.users.connection import is_ours, kind_of

_DEEP = 8


class NotAllowed(OSError):
    """A request to a host at which this load may not be aimed. It was not sent."""


def own_users(engine: Engine, path: str) -> tuple[Mapping[str, type[User]], type[LoadTestShape] | None]:
    """The user classes of a locustfile, and its shape if it has one. ValueError when it has no users."""
    plan = engine.plan
    FastHttpUser.network_timeout = FastHttpUser.connection_timeout = plan.timeout_s
    _keep_to_allowed_hosts(engine)
    for session in (FastHttpSession, HttpSession):
        _govern(session, engine)
    classes, shapes = load_locustfile(path)
    if not classes:
        raise ValueError(f"{path} has no class of users")
    for user in classes.values():
        user.host = user.host or plan.host
    events.request.add_listener(_measured_by(engine))  # type: ignore[no-untyped-call]
    return classes, type(shapes[0]) if shapes else None


def _govern(session: Any, engine: Engine) -> None:
    """Wrap what sends the requests of a session."""
    sends: Callable[..., Any] = session.request
    with_limit = {"timeout": engine.plan.timeout_s} if session is HttpSession else {}

    def request(self: Any, method: str, url: str, name: str | None = None, *more: Any, **named: Any) -> Any:
        engine.wait_for_pace()
        if engine.is_ending:
            raise StopUser
        told = {"User-Agent": engine.plan.user_agent, "X-Request-Id": engine.request_id()}
        named["headers"] = {**told, **(named.get("headers") or {})}
        engine.recorder.in_flight += 1
        try:
            return sends(self, method, url, name, *more, **{**with_limit, **named})
        except GreenletExit:
            engine.recorder.unfinished(engine.now(), f"{method} {name or url}")
            raise
        finally:
            engine.recorder.in_flight -= 1

    session.request = request


def _keep_to_allowed_hosts(engine: Engine) -> None:
    """Every client that locust brings refuses to connect to other hosts, also after a redirect."""
    allowed = {origin_of(each) for each in engine.plan.allowed_hosts}

    def check(is_tls: bool, host: str, port: int | None) -> None:
        scheme = "https" if is_tls else "http"
        origin = (scheme, host.strip("[]").lower(), port or (443 if is_tls else 80))
        if origin not in allowed:
            told = f"{origin[0]}://{origin[1]}:{origin[2]} is no host at which this load may be aimed"
            engine.recorder.problem(f"{told}; the request was not sent")
            raise NotAllowed(told)

    makes = HTTPClient.__init__

    def make(self: Any, host: str, port: int | None = None, **named: Any) -> None:
        check(bool(named.get("ssl")), host, port)
        makes(self, host, port, **named)

    HTTPClient.__init__ = make  # type: ignore[method-assign, assignment]
    for kind, is_tls in ((HTTPConnection, False), (HTTPSConnection, True)):
        _check_before_connecting(kind, is_tls, check)
    for plain, is_tls in ((http.client.HTTPConnection, False), (http.client.HTTPSConnection, True)):
        _check_before_connecting(plain, is_tls, check)


def _check_before_connecting(kind: Any, is_tls: bool, check: Callable[[bool, str, int | None], None]) -> None:
    connects = kind.connect

    def connect(self: Any) -> None:
        # A class of TLS calls the one it is made from: it is judged once, as what it is.
        if is_tls == isinstance(self, HTTPSConnection | http.client.HTTPSConnection):
            check(is_tls, self.host, self.port)
        connects(self)

    kind.connect = connect


def _measured_by(engine: Engine) -> Callable[..., None]:
    def measured(request_type: str, name: str, response_time: float | None, **more: Any) -> None:
        failure = failure_of(more.get("exception"), more.get("response"))
        if (exception := more.get("exception")) is not None:
            _tell(engine, exception, failure)
        engine.recorder.request(engine.now(), f"{request_type} {name}", int((response_time or 0) * 1000), failure)

    return measured


def _tell(engine: Engine, exception: BaseException, failure: str | None) -> None:
    if is_ours(exception):
        engine.recorder.problem(f"the machine that makes the load has run out of something: {exception}")
    elif failure == "failed":
        engine.recorder.problem(f"a check of the locustfile failed: {exception}")


def failure_of(exception: BaseException | None, response: Any) -> str | None:
    """The kind of a failure as locust tells it, which wraps the cause in several ways; None when there is none."""
    if exception is None:
        return None
    if isinstance(exception, CatchResponseError | AssertionError):
        return "failed"
    status = getattr(response, "status_code", 0) or 0
    if status:
        return str(status)
    for _ in range(_DEEP):
        kind = "timeout" if "Timeout" in type(exception).__name__ else kind_of(exception)
        inner = _cause(exception)
        if not kind.startswith("other") or inner is None:
            return kind
        exception = inner
    return kind


def _cause(exception: BaseException) -> BaseException | None:
    inside = [getattr(exception, "original", None), getattr(exception, "reason", None), *exception.args]
    inside += [exception.__cause__, exception.__context__]
    return next((each for each in inside if isinstance(each, BaseException)), None)
