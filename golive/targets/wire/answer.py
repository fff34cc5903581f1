"""What an HTTP server answered, held safely: bounded, and never shown raw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

_SHOWN_HEADERS = ("content-type", "content-length", "date", "server", "location", "retry-after", "x-request-id")


class NotJson(AssertionError, ValueError):
    """The server answered, with something that is no JSON; the message shows how it begins.

    An assertion: who was asked for JSON and answers with a page has been looked at and is wrong.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Phases:
    """Where the time of one exchange went, in milliseconds.

    `dns`, `connect` and `tls` are None on a connection that was already open, `tls` also without TLS.
    `first_byte` runs from sending the request, `total` from the very beginning to the last byte of the body.
    """

    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float
    total_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A complete answer. Header names are in lower case; `body` is decompressed."""

    endpoint: str
    request: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    phases: Phases
    request_id: str = ""
    cookies: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """A status of the 200s."""
        return 200 <= self.status < 300

    @property
    def total_ms(self) -> float:
        """From the first thought of connecting to the last byte."""
        return self.phases.total_ms

    @property
    def content_type(self) -> str:
        """The media type alone in lower case (`text/html`), or ``""``."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text in its declared character set, or else UTF-8; what cannot be decoded is marked with `�`."""
        charset = self.headers.get("content-type", "").lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
        try:
            return self.body.decode(charset or "utf-8", errors="replace")
        except (LookupError, ValueError):
            return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body as JSON, strictly (no NaN). NotJson names the content type and how the body begins."""
        try:
            return json.loads(self.body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise NotJson(f"{self.told} with {self._beginning}, which is no JSON ({excerpt(str(error), 60)})") from None

    @property
    def told_as(self) -> str:
        """The same and the media type of its body: `… answered 200 as text/html`."""
        named = excerpt(self.content_type, 40)
        return f"{self.told} as {named}" if named else f"{self.told} without a Content-Type"

    @property
    def told(self) -> str:
        """The request and its status, to begin a sentence with: `GET /health at api answered 503`."""
        return f"{self.request} at {self.endpoint} answered {self.status}"

    @property
    def reason(self) -> str:
        """The reason that a refusal gives in JSON, in brackets after a space, or ``""``.

        Of the answer to a login nothing else may be shown: it could hold a token that nobody knows of yet.
        """
        try:
            said = self.json()
        except NotJson:
            return ""
        named = (said.get(key) for key in ("error", "message", "detail", "title")) if isinstance(said, dict) else ()
        return next((f" ({excerpt(text, 80)})" for text in named if isinstance(text, str)), "")

    @property
    def _beginning(self) -> str:
        if not self.body:
            return "an empty body"
        return f"{self.content_type or 'no content type'} that begins '{excerpt(self.text, 80)}'"

    @property
    def shown(self) -> str:
        """The answer as plain text for evidence: status, harmless headers and how the body begins."""
        headers = [f"{name}: {excerpt(self.headers[name], 200)}" for name in _SHOWN_HEADERS if name in self.headers]
        return "\n".join([f"{self.request} -> {self.status}", *headers, "", printable(self.text[:3000])])


def excerpt(text: str, limit: int) -> str:
    """The beginning of `text` on one line with nothing in it that a terminal or a page would act on."""
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in text[: limit * 8]).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def printable(text: str) -> str:
    """`text` without control characters other than line ends and tabs."""
    return "".join(mark if mark.isprintable() or mark in "\n\t" else "·" for mark in text.replace("\r\n", "\n"))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
