"""One kept-alive HTTP/1.1 connection: a request is written as it is, an answer is read to its end and dropped.

On the parser and sockets that FastHttpUser uses, without its cookies, redirects, repeats and objects for each request.
"""

from __future__ import annotations

import errno
import select
import socket as plain
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from gevent import monkey, socket
from gevent import ssl as green_ssl
from geventhttpclient._parser import HTTPParseError, HTTPResponseParser

from load.inside.plan import Plan

_BLOCK = 16_384
_MOST_KEPT = 4_000_000
_poll = monkey.get_original("select", "poll")
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})


class Unanswered(ConnectionResetError):
    """The connection was closed before a single byte of the answer."""


class _Answer(HTTPResponseParser):
    """An answer's status, and its body where it is kept. llhttp calls these methods by name."""

    def __init__(self, *, is_head: bool, keep: bool) -> None:
        super().__init__()
        self.body = bytearray()
        self.is_complete = False
        self._is_head = is_head
        self._keep = keep

    def _on_message_begin(self) -> None:
        pass

    def _on_status(self, words: str) -> None:
        pass

    def _on_header_field(self, text: str) -> None:
        pass

    def _on_header_value(self, text: str) -> None:
        pass

    def _on_headers_complete(self) -> bool:
        return self._is_head

    def _on_body(self, block: bytearray) -> None:
        if self._keep and len(self.body) < _MOST_KEPT:
            self.body += block

    def _on_message_complete(self) -> None:
        # An interim answer (100, 103) is followed by the one that counts.
        self.is_complete = self.get_code() >= 200


class Connection:
    """Of one user to the host of the plan. Opened when it is needed, closed by `close` and by every trouble."""

    def __init__(self, open_socket: Callable[[], socket.socket]) -> None:
        self._open = open_socket
        self._socket: socket.socket | None = None
        self._idle = _poll()

    def exchange(
        self, request: bytes, *, is_head: bool = False, keep: bool = False, is_repeatable: bool = False
    ) -> tuple[int, bytes]:
        """Status and, with `keep`, the body. OSError and HTTPParseError when there is no whole answer."""
        is_reused = self._is_open()
        try:
            try:
                return self._ask(request, is_head, keep)
            except (Unanswered, BrokenPipeError):
                # A server may close an idle connection just as it is used again; that says nothing about its health.
                if not (is_reused and is_repeatable):
                    raise
                self.close()
                return self._ask(request, is_head, keep)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """To be called again does nothing."""
        used, self._socket = self._socket, None
        if used is not None:
            self._idle.unregister(used.fileno())
            used.close()

    def _is_open(self) -> bool:
        if self._socket is not None and self._idle.poll(0):
            self.close()  # an idle connection with something to read was closed by the server
        return self._socket is not None

    def _ask(self, request: bytes, is_head: bool, keep: bool) -> tuple[int, bytes]:
        used = self._socket
        if used is None:
            used = self._open()
            self._socket = used
            self._idle.register(used.fileno(), select.POLLIN | select.POLLHUP)
        used.sendall(request)
        answer = _Answer(is_head=is_head, keep=keep)
        is_first = True
        while not answer.is_complete:
            block = self._receive(used, is_first)
            is_first = False
            answer.feed(block)
            if not block and not answer.is_complete:
                raise ConnectionResetError(errno.ECONNRESET, "closed before the end of the answer")
        if not answer.should_keep_alive():
            self.close()
        return answer.get_code(), bytes(answer.body)

    def _receive(self, used: socket.socket, is_first: bool) -> bytes:
        try:
            block: bytes = used.recv(_BLOCK)
        except ConnectionResetError:
            if is_first:
                raise Unanswered(errno.ECONNRESET, "closed without an answer") from None
            raise
        if not block and is_first:
            raise Unanswered(errno.ECONNRESET, "closed without an answer")
        return block


def opener(plan: Plan) -> Callable[[], socket.socket]:
    """What opens a socket to the host of the plan, and nowhere else. OSError for a CA file that cannot be read."""
    parts = urlsplit(plan.host)
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    context = _context(plan.verify) if is_tls else None

    def open_socket() -> socket.socket:
        opened = socket.create_connection((host, port))
        opened.setsockopt(plain.IPPROTO_TCP, plain.TCP_NODELAY, 1)
        if context is None:
            return opened
        try:
            return context.wrap_socket(opened, server_hostname=host)
        except BaseException:
            opened.close()
            raise

    return open_socket


def kind_of(error: BaseException) -> str:
    """What a request failed of: `refused`, `reset`, `unfinished` … as in the stream."""
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError | ssl.SSLEOFError):
        return "reset"
    if isinstance(error, HTTPParseError) and "Incomplete" in str(error):
        return "reset"
    if isinstance(error, TimeoutError):
        return "timeout"
    return f"other: {type(error).__name__}"


def is_ours(error: BaseException) -> bool:
    """Whether it is this machine that has run out of something."""
    return isinstance(error, OSError) and error.errno in _OURS


def _context(verify: bool | str) -> green_ssl.SSLContext:
    context = green_ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
