"""How an HTTP endpoint is asked: one `Client` per endpoint and process.

Every request carries a User-Agent and request id of its own, fits into the endpoint's
time budget as a whole (name, connection, TLS, headers and body together) and into its
`max_body`, and goes to nobody but the endpoint: no proxies, no stored credentials, no
cookies, no redirects unless they are asked for.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin, urlsplit

from golive.environment.params import Request
from golive.environment.sections import EndpointSection
from golive.model import CouldNotLook
from golive.targets.wire.answer import Answer
from golive.targets.wire.exchange import COURSE, Course
from golive.targets.wire.pace import Pace

if TYPE_CHECKING:
    import requests

_HOPS = 5
_CHUNK = 65_536
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Header = Mapping[str, str]


class Client:
    """Asks one endpoint. Safe to use from several threads."""

    def __init__(
        self,
        name: str,
        section: EndpointSection,
        *,
        user_agent: str,
        request_id: Callable[[], str],
        max_requests_per_second: float = 100.0,
    ) -> None:
        self.name = name
        self.section = section
        self.url = section.url
        self._user_agent = user_agent
        self._request_id = request_id
        self._pace = Pace(max_requests_per_second)
        self._sessions: dict[bool, requests.Session] = {}
        self._opening = threading.Lock()

    def __repr__(self) -> str:
        return f"Client({self.name!r})"

    def send(
        self,
        request: Request | str,
        *,
        headers: Header | None = None,
        body: Any = None,
        follow: bool = False,
        fresh: bool = False,
        timeout_s: float | None = None,
    ) -> Answer:
        """The complete answer to `request` (`GET /path`), of whatever status. `body` is sent as JSON.

        `follow`: go after up to five redirects. `fresh`: on a connection of its own. NoAnswer says who did
        not answer, to what, and why.
        """
        method, path = Request.parse(request)
        ask = _Ask(
            method=method,
            told=f"{method} {path}",
            url=self.url + path,
            headers={**self.section.headers, **(headers or {})},
            data=None if body is None else json.dumps(body).encode(),
            fresh=fresh,
            budget_s=timeout_s or self.section.timeout,
        )
        return self._follow(ask) if follow else self._once(ask)

    def fetch(self, url: str) -> Answer:
        """GET of any URL, as a page's assets need. The endpoint's own headers never go to another origin."""
        own = self.is_own(url)
        ask = _Ask(
            method="GET",
            told=f"GET {url.removeprefix(self.url) if own else url}",
            url=url,
            headers=self.section.headers if own else {},
            budget_s=self.section.timeout,
        )
        return self._follow(ask)

    def is_own(self, url: str) -> bool:
        """Whether `url` lies on the endpoint's scheme, host and port."""
        return _origin(url) == _origin(self.url)

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def _follow(self, ask: _Ask) -> Answer:
        for _ in range(_HOPS + 1):
            answer = self._once(ask)
            location = answer.headers.get("location")
            if not location or answer.status not in _REDIRECTS:
                return answer
            target = web_address(ask.url, location)
            if not target:
                raise NoAnswer(self.name, ask.told, "rubbish", "redirects to something that is no web address")
            headers = ask.headers if _origin(target) == _origin(ask.url) else {}
            ask = replace(ask, url=target, headers=headers)
        raise NoAnswer(self.name, ask.told, "rubbish", f"redirects more than {_HOPS} times")

    def _once(self, ask: _Ask) -> Answer:
        try:
            return self._attempt(ask)
        except NoAnswer as error:
            # A server may close an idle connection just as it is used again; that says nothing about its health.
            if not (error.stale and ask.method in _SAFE):
                raise
            return self._attempt(ask)

    def _attempt(self, ask: _Ask) -> Answer:
        session = self._session(ask.fresh)
        self._pace.wait()
        course = Course(budget_s=ask.budget_s)
        mark = COURSE.set(course)
        try:
            return self._receive(session, ask, course)
        except CouldNotLook:
            raise
        except Exception as error:  # noqa: BLE001 - what rubbish can provoke in three libraries is in no list of errors
            from golive.targets.wire.trouble import explain, is_own

            cause, words = explain(error, course)
            stale = cause == "reset" and course.reused and course.first_byte_at is None
            raise NoAnswer(self.name, ask.told, cause, words, stale=stale, own=is_own(error, course)) from None
        finally:
            COURSE.reset(mark)

    def _receive(self, session: requests.Session, ask: _Ask, course: Course) -> Answer:
        request_id = self._request_id()
        headers = {"User-Agent": self._user_agent, "X-Request-Id": request_id, "Accept": "*/*", **ask.headers}
        if ask.data is not None:
            headers["Content-Type"] = "application/json"
        if ask.fresh:
            headers["Connection"] = "close"
        with session.request(
            ask.method,
            ask.url,
            headers=headers,
            data=ask.data,
            timeout=ask.budget_s,
            allow_redirects=False,
            stream=True,
        ) as response:
            body = self._read(response, ask.told)
        return Answer(
            endpoint=self.name,
            request=ask.told,
            url=ask.url,
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=body,
            phases=course.phases(),
            request_id=request_id,
            cookies=tuple(response.raw.headers.getlist("set-cookie")),
        )

    def _read(self, response: requests.Response, told: str) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > self.section.max_body:
                limit = f"max_body of {self.section.max_body} bytes"
                raise NoAnswer(self.name, told, "too large", f"sent a body that exceeds the endpoint's {limit}")
        return bytes(content)

    def _session(self, fresh: bool) -> requests.Session:
        with self._opening:
            if fresh not in self._sessions:
                from golive.targets.wire.session import open_session

                try:
                    self._sessions[fresh] = open_session(self.section.tls, https=self.url.startswith("https:"))
                except OSError as error:
                    file = self.section.tls.ca_file
                    raise CouldNotLook(f"{self.name}: the CA file {file} cannot be used: {error}") from None
            return self._sessions[fresh]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ask:
    """One request, ready to be sent; `told` is how it is named in messages."""

    method: str
    told: str
    url: str
    headers: Header
    budget_s: float
    data: bytes | None = None
    fresh: bool = False


class NoAnswer(CouldNotLook):
    """No complete HTTP answer came.

    `cause` is one of refused, time-out, reset, rubbish, too large, dns, tls, unreachable. `own`: the trouble
    arose on this machine before the target could answer.
    """

    def __init__(
        self, endpoint: str, told: str, cause: str, words: str, *, stale: bool = False, own: bool = False
    ) -> None:
        super().__init__(f"{endpoint} {words} ({told})")
        self.endpoint = endpoint
        self.cause = cause
        self.stale = stale
        self.own = own

    @property
    def tells_of_the_server(self) -> bool:
        """Whether this is the server's own doing: a refusal says that it is down, an unknown name says nothing."""
        return self.cause not in ("dns", "tls", "unreachable")


def web_address(base: str, address: str) -> str:
    """The absolute http(s) URL that `address` means when it is read at `base`; ``""`` for anything else."""
    try:
        whole = urldefrag(urljoin(base, address.strip())).url
        return whole if urlsplit(whole).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, (parts.hostname or "").lower(), port or {"http": 80, "https": 443}.get(parts.scheme)
