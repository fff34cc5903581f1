"""Asking what listens whether it speaks HTTP, from where the suite runs: a few GETs, no more.

Only GET, only `/` and the usual health routes, with a User-Agent that says who asks, one port after the other, and
each within a short time. Ports of protocols that are no HTTP are never knocked at.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from golive import __version__
from golive.discovery.found import Answered, Certificate, Heard
from golive.environment.sections import EndpointSection
from golive.model import CouldNotLook
from golive.targets.http import Client, NoAnswer
from golive.targets.wire.answer import Answer

PATHS = ("/", "/health", "/healthz", "/ready")
TIMEOUT_S = 3.0
USER_AGENT = f"golive/{__version__} (discover)"
_MAX_BODY = 1_000_000
_TLS_PORTS = (443, 8443, 9443)
_NO_CERTIFICATE = "no certificate was shown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """A port as the runner reaches it."""

    address: str
    port: int

    def url(self, scheme: str) -> str:
        """The base URL."""
        where = f"[{self.address}]" if ":" in self.address else self.address
        usual = {"http": 80, "https": 443}[scheme]
        return f"{scheme}://{where}" + ("" if self.port == usual else f":{self.port}")


def knock(doors: Iterable[Door]) -> tuple[tuple[Heard, ...], dict[int, str]]:
    """What answered HTTP, and by port why the others did not."""
    heard: list[Heard] = []
    silent: dict[int, str] = {}
    for door in doors:
        found = _hear(door)
        if isinstance(found, Heard):
            heard.append(found)
        else:
            silent[door.port] = found
    return tuple(heard), silent


def _hear(door: Door) -> Heard | str:
    """HTTP first and TLS where that is no answer; the other way round on the usual ports of TLS."""
    order = ("https", "http") if door.port in _TLS_PORTS else ("http", "https")
    reasons = []
    for scheme in order:
        found = _over(scheme, door)
        if isinstance(found, Heard):
            return found
        reasons.append(found)
    return reasons[0]


def _over(scheme: str, door: Door) -> Heard | str:
    certificate, trusted = None, True
    if scheme == "https":
        shown = certificate_of(door.address, door.port)
        if isinstance(shown, str):
            return shown
        certificate, trusted = shown
    url = door.url(scheme)
    client = _client(url)
    try:
        answers = _answers(client)
    except NoAnswer as error:
        return str(error).partition(" (GET ")[0].removeprefix("it ")
    finally:
        client.close()
    if scheme == "http" and _wants_tls(answers["/"]):
        return "it answers that it wants TLS"
    told = {path: _answered(answer) for path, answer in answers.items()}
    return Heard(url=url, port=door.port, answers=told, certificate=certificate, trusted=trusted)


def _client(url: str) -> Client:
    section = EndpointSection.model_validate(
        {"url": url, "timeout": f"{TIMEOUT_S:g} s", "max_body": _MAX_BODY, "tls": {"verify": False}}
    )
    return Client("it", section, user_agent=USER_AGENT, request_id=lambda: "discover", max_requests_per_second=20.0)


def _answers(client: Client) -> dict[str, Answer]:
    """The first path decides: NoAnswer when nothing comes. The health routes may do as they like."""
    answers = {PATHS[0]: client.send(f"GET {PATHS[0]}")}
    for path in PATHS[1:]:
        try:
            answers[path] = client.send(f"GET {path}")
        except CouldNotLook:
            break
    return answers


def _wants_tls(answer: Answer) -> bool:
    """nginx, Apache and Go say so in a 400."""
    return answer.status == 400 and "HTTP" in answer.text[:2000] and "HTTPS" in answer.text[:2000].upper()


def _answered(answer: Answer) -> Answered:
    return Answered(
        status=answer.status,
        content_type=answer.content_type,
        took_ms=answer.total_ms,
        json=_object(answer),
        title=_title(answer),
    )


def _object(answer: Answer) -> dict[str, Any] | None:
    try:
        found = answer.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _title(answer: Answer) -> str:
    """The text of `<title>` as it stands in the page, or an empty text."""
    if answer.content_type != "text/html":
        return ""
    _, opened, rest = answer.text[:20_000].partition("<title>")
    title, closed, _ = rest.partition("</title>")
    return title if opened and closed and title.strip() and len(title) <= 80 else ""


def certificate_of(address: str, port: int) -> tuple[Certificate, bool] | str:
    """The certificate that a port shows and whether this machine trusts it, or why there is none."""
    shown = _handshake(address, port, verify=False)
    if isinstance(shown, str):
        return shown
    return shown, not isinstance(_handshake(address, port, verify=True), str)


def _handshake(address: str, port: int, *, verify: bool) -> Certificate | str:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=address) as secured,
        ):
            shown = secured.getpeercert(binary_form=True)
    except (OSError, ValueError) as error:
        return f"no TLS: {getattr(error, 'reason', None) or error}"
    return first_certificate(ssl.DER_cert_to_PEM_cert(shown)) if shown else _NO_CERTIFICATE


def first_certificate(pem: str) -> Certificate | str:
    """What matters of the certificates in PEM, or why there is none. Text that is no PEM is such a reason."""
    from golive.targets import chains

    if "-----BEGIN" not in pem:
        return pem or "it holds no certificate"
    try:
        chain = chains.read_chain(pem)
    except CouldNotLook as problem:
        return str(problem)
    if not chain:
        return "it holds no certificate"
    ends = min(one.ends for one in chain)
    return Certificate(subject=chain[0].subject, not_after=ends, broken=next(iter(chains.breaks_of(chain)), ""))
