"""What went wrong with an HTTP exchange, in words for a person. Imported only once something did."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from collections.abc import Iterator

import requests.exceptions
import urllib3.exceptions

from golive.targets.wire.answer import excerpt
from golive.targets.wire.exchange import NAME_UNRESOLVED, Course

_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM}
# Raised on this machine before a packet left it. EHOSTUNREACH is not among them: routers report a dead target so.
_OWN = {
    *(errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS),
}
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def explain(error: BaseException, course: Course) -> tuple[str, str]:
    """The cause as one word or two (see `NoAnswer`) and the rest of a sentence that begins with the endpoint's name."""
    chain = list(_chain(error))
    if course.expired or any(isinstance(one, TimeoutError) for one in chain):
        return "time-out", f"did not answer within {course.budget_s:g} s: {course.stage}"
    for one in chain:
        if found := _one(one, course):
            return found
    return "rubbish", f"could not be asked: {excerpt(str(error), 160)}"


def is_own(error: BaseException, course: Course) -> bool:
    """Whether the trouble lies on this side, so that it says nothing of the target.

    No route, no file descriptor, no name server that answers. That a name does not exist is an answer: nobody
    else finds the target either.
    """
    chain = list(_chain(error))
    if course.stage == NAME_UNRESOLVED:
        return not any(isinstance(one, socket.gaierror) and one.errno in _NO_SUCH_NAME for one in chain)
    return any(isinstance(one, MemoryError) or _errno(one) in _OWN for one in chain)


def _errno(error: BaseException) -> int | None:
    """The number of an error of the operating system; those of OpenSSL are counted otherwise."""
    return error.errno if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None


def _one(error: BaseException, course: Course) -> tuple[str, str] | None:
    match error:
        case requests.exceptions.InvalidHeader():
            # The library's own message repeats the header, which may carry a token.
            return "rubbish", "could not be asked: a header that is to be sent holds a line end or a leading space"
        case socket.gaierror():
            return "dns", f"is not known by its name: {excerpt(error.strerror or str(error), 100)}"
        case ConnectionRefusedError():
            return "refused", "refused the connection"
        case ssl.SSLCertVerificationError():
            return "tls", f"has a certificate that does not verify: {excerpt(error.verify_message, 120)}"
        case ssl.SSLEOFError() | ssl.SSLError() if course.asked_at is None or course.first_byte_at is None:
            reason = (error.reason or str(error)).replace("_", " ").lower()
            return "tls", f"does not agree on TLS: {excerpt(reason, 100)}"
        case urllib3.exceptions.InvalidChunkLength():
            return "rubbish", "sent a chunked body with malformed chunks"
        case http.client.IncompleteRead() | urllib3.exceptions.IncompleteRead():
            return "rubbish", "broke off its body"
        case requests.exceptions.ContentDecodingError() | urllib3.exceptions.DecodeError():
            return "rubbish", "sent a body that cannot be decompressed"
        case http.client.RemoteDisconnected() | ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return "reset", f"closed the connection: {course.stage}"
        case http.client.LineTooLong():
            return "rubbish", "sent a header line that is too long"
        case http.client.HTTPException() if not isinstance(error, urllib3.exceptions.HTTPError):
            return "rubbish", f"does not speak HTTP: {excerpt(str(error) or type(error).__name__, 80)}"
        case OSError() if error.errno in _UNREACHABLE:
            return "unreachable", f"cannot be reached: {excerpt(error.strerror or str(error), 80)}"
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it was raised from or wraps, outermost first, each once."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting.extend(other for other in inner if isinstance(other, BaseException))
