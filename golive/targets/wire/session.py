"""A `requests` session whose connections keep to a `Course`. Imported only when a first request is sent."""

from __future__ import annotations

import http.client
import http.cookiejar
import socket
import ssl
import time
from typing import Any

import requests
import requests.adapters
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from golive.environment.sections import TlsSection
from golive.targets.wire.exchange import COURSE, dial, metered


class MeteredResponse(http.client.HTTPResponse):
    """An HTTP response whose every byte is read under the `Course` of this thread."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        course = COURSE.get()
        if course is not None:
            self.fp.close()
            self.fp = metered(sock, course)


class _Timed:
    """What both kinds of connection add to those of urllib3."""

    response_class: type[http.client.HTTPResponse] = MeteredResponse
    _requests_made = 0

    def _new_conn(self) -> Any:
        course = COURSE.get()
        if course is None:
            return super()._new_conn()  # type: ignore[misc]
        connected = dial(self._dns_host, self.port, course)  # type: ignore[attr-defined]
        course.stage = "connected, but the TLS handshake was not finished"
        return connected

    def request(self, *arguments: Any, **options: Any) -> None:
        course = COURSE.get()
        if course is not None:
            course.reused = self._requests_made > 0
            course.begin_request()
        self._requests_made += 1
        super().request(*arguments, **options)  # type: ignore[misc]


class _Plain(_Timed, HTTPConnection):
    def connect(self) -> None:
        super().connect()
        course = COURSE.get()
        if course is not None:
            course.begin_request()


class _Tls(_Timed, HTTPSConnection):
    def connect(self) -> None:
        began = time.perf_counter()
        super().connect()
        # Not to verify is the environment's wish, and no reason for a warning at every connection.
        self.is_verified = True
        course = COURSE.get()
        if course is not None:
            course.tls_s = time.perf_counter() - began - (course.dns_s or 0.0) - (course.connect_s or 0.0)
            course.begin_request()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class _Adapter(requests.adapters.HTTPAdapter):
    """No retries of its own, and TLS by one context for all connections."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        super().__init__(pool_maxsize=16)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        if self._tls is not None:
            options["ssl_context"] = self._tls
        super().init_poolmanager(connections, maxsize, block, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Nothing: the context holds the authorities; reading them again at each connection would count as TLS time."""


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: even with `allow_redirects=False`, requests would read a redirect's body, however long it is."""


def open_session(tls: TlsSection, *, https: bool) -> requests.Session:
    """A session without proxies, netrc or cookies from the surroundings: what is sent is what the caller says.

    OSError when the CA file cannot be read.
    """
    session = _Session()
    session.trust_env = False
    # A cookie set at a login must not travel with the next request, which may be the one that shall have no token.
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers["Accept-Encoding"] = "gzip, deflate"
    session.verify = tls.verify
    adapter = _Adapter(tls_context(tls) if https else None)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def tls_context(tls: TlsSection) -> ssl.SSLContext:
    """Trusts the given file, or else the machine's certificate authorities and those of `requests`.

    OSError when the file cannot be read or holds no certificate.
    """
    context = ssl.create_default_context(cafile=tls.ca_file)
    if tls.ca_file is None:
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
