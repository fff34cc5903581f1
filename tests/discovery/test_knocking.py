"""Ports are asked for HTTP with a few harmless requests, and never wait long."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from golive.discovery.found import Certificate
from golive.discovery.visiting.knocking import PATHS, USER_AGENT, Door, certificate_of, first_certificate, knock
from tests import rogues

ANSWERS = {
    "/": (200, "text/html", "<html><title>Corner &amp; shop</title>"),
    "/health": (200, "application/json", '{"status": "ok"}'),
    "/healthz": (200, "text/plain", "ok"),
}


class Handler(BaseHTTPRequestHandler):
    asked: list[tuple[str, str, str]] = []

    def do_GET(self) -> None:
        self.asked.append((self.command, self.path, self.headers["User-Agent"]))
        status, kind, body = ANSWERS.get(self.path, (404, "text/plain", "no"))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[int]:
    Handler.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pem(folder: Path, days: int = 40) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=days))
    made = builder.sign(key, hashes.SHA256())
    form = serialization.Encoding.PEM
    private = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "both.pem"
    file.write_bytes(private + made.public_bytes(form))
    return file


def test_what_speaks_http_is_heard_by_a_few_gets_that_say_who_asks() -> None:
    with serving() as port:
        heard, silent = knock([Door(address="127.0.0.1", port=port)])
    (one,) = heard
    assert silent == {}
    assert one.url == f"http://127.0.0.1:{port}"
    assert [(path, answer.status) for path, answer in one.answers.items()] == list(
        zip(PATHS, [200, 200, 200, 404], strict=True)
    )
    assert one.answers["/"].title == "Corner &amp; shop"
    assert one.answers["/health"].json == {"status": "ok"}
    assert one.answers["/healthz"].json is None
    assert Handler.asked == [("GET", path, USER_AGENT) for path in PATHS]


def test_tls_is_found_behind_a_port_that_is_no_plain_http(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem(tmp_path))
    with serving(context) as port:
        heard, _ = knock([Door(address="127.0.0.1", port=port)])
    (one,) = heard
    assert one.url == f"https://127.0.0.1:{port}"
    assert not one.trusted
    assert one.certificate is not None
    assert one.certificate.subject == "CN=shop.example"
    assert one.answers["/health"].status == 200


@pytest.mark.parametrize(
    "behaviour",
    [
        rogues.closing,
        rogues.always(b"220 mail.example ESMTP\r\n"),
        rogues.always(b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n"),
        rogues.endless(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000),
    ],
    ids=["closes", "mail", "rubbish", "endless"],
)
def test_what_speaks_otherwise_is_told_with_its_reason(behaviour: rogues.Behaviour) -> None:
    with rogues.rogue(behaviour) as port:
        heard, silent = knock([Door(address="127.0.0.1", port=port)])
    assert heard == ()
    assert silent[port]
    assert "\n" not in silent[port]


def test_a_port_that_never_answers_is_given_up_soon() -> None:
    with rogues.rogue(rogues.silent) as port:
        began = time.monotonic()
        _, silent = knock([Door(address="127.0.0.1", port=port)])
    assert time.monotonic() - began < 10
    assert "did not answer within 3 s" in silent[port]


def test_a_refused_connection_is_told() -> None:
    with rogues.refusing() as port:
        _, silent = knock([Door(address="127.0.0.1", port=port)])
    assert "refused" in silent[port]


def test_certificate_in_a_file_is_read_without_its_key(tmp_path: Path) -> None:
    found = first_certificate(pem(tmp_path, days=12).read_text())
    assert isinstance(found, Certificate)
    assert 11 <= (found.not_after - datetime.now(UTC)).days <= 12


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it holds no certificate"),
        ("host app: /x may not be read", "host app: /x may not be read"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "cannot be read"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "it holds no certificate"),
    ],
)
def test_what_is_no_certificate_is_a_reason(text: str, says: str) -> None:
    found = first_certificate(text)
    assert isinstance(found, str)
    assert says in found


def test_a_port_without_tls_shows_no_certificate() -> None:
    with serving() as port:
        assert str(certificate_of("127.0.0.1", port)).startswith("no TLS: ")


def test_url_leaves_out_the_usual_port() -> None:
    assert Door(address="::1", port=8080).url("http") == "http://[::1]:8080"
    assert Door(address="shop", port=443).url("https") == "https://shop"
