"""The client against a shop that answers, and against servers that do everything but."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.context import RunContext
from fixtures.web import client_of
from golive.environment.sections import EndpointSection
from golive.model import CouldNotLook
from golive.targets.http import Client, NoAnswer
from golive.targets.wire.answer import NotJson
from tests.rogues import closing, dripping, endless, refusing, rogue, silent
from tests.webshop import Shop

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@contextmanager
def client_at(port: int, *, scheme: str = "http", host: str = "127.0.0.1", **section: Any) -> Iterator[Client]:
    made = {"url": f"{scheme}://{host}:{port}", "timeout": "400 ms", **section}
    client = Client("api", EndpointSection.model_validate(made), user_agent="golive/test", request_id=lambda: "r-1")
    try:
        yield client
    finally:
        client.close()


def replying(reply: bytes) -> Callable[[socket.socket], None]:
    """Read one request, give this reply, hang up."""

    def say(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(reply)

    return say


def failure(behaviour: Callable[[socket.socket], None], **section: Any) -> NoAnswer:
    with rogue(behaviour) as port, client_at(port, **section) as client:
        began = time.monotonic()
        with pytest.raises(NoAnswer) as caught:
            client.send("GET /path")
        assert time.monotonic() - began < 2
    return caught.value


def test_an_answer_is_complete_and_its_phases_are_apart(run: RunContext, shop: Shop) -> None:
    client = client_of(run, "api")
    first, second = client.send("GET /health"), client.send("GET /health")
    assert (first.status, first.content_type, first.json()["status"]) == (200, "application/json", "ok")
    assert first.phases.dns_ms is not None
    assert first.phases.connect_ms is not None
    assert first.phases.tls_ms is None
    assert second.phases.connect_ms is None, "the connection is kept"
    assert client.send("GET /health", fresh=True).phases.connect_ms is not None
    assert 0 < first.phases.first_byte_ms < first.total_ms


def test_every_request_says_who_asks(run: RunContext, shop: Shop) -> None:
    client = client_of(run, "api")
    answers = [client.send("GET /health") for _ in range(2)]
    headers = [headers for _, headers in shop.seen]
    assert {h["user-agent"] for h in headers} == {run.user_agent}
    assert [h["x-request-id"] for h in headers] == [a.request_id for a in answers]
    assert len({a.request_id for a in answers}) == 2


def test_neither_proxies_nor_netrc_nor_cookies_are_used(
    run: RunContext, shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    reply = HEAD + b"Set-Cookie: session=abc; Path=/\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    with rogue(replying(reply)) as port, client_at(port) as client:
        assert client.send("GET /").cookies == ("session=abc; Path=/",)
        assert client.send("GET /").status == 200
    client_of(run, "api").send("GET /health")
    assert "authorization" not in shop.seen[-1][1]
    assert "cookie" not in shop.seen[-1][1]


@pytest.mark.parametrize(
    ("behaviour", "cause", "words"),
    [
        (silent, "time-out", "did not answer within 0.4 s: connected, but no byte came (GET /path)"),
        (closing, "reset", "api closed the connection: connected, but no byte came"),
        (dripping, "time-out", "the answer was still incomplete after"),
        (replying(b"+PONG\r\n"), "rubbish", "api does not speak HTTP"),
        (replying(HEAD + b"Content-Length: 10\r\n\r\nabc"), "rubbish", "api broke off its body"),
        (replying(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"), "rubbish", "malformed chunks"),
        (
            replying(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
            "rubbish",
            "cannot be decompressed",
        ),
        (replying(HEAD + b"X-Long: " + b"x" * 70_000 + b"\r\n\r\n"), "rubbish", "header line that is too long"),
        (
            replying(HEAD + b"X-Many: x\r\n" * 200 + b"\r\n"),
            "rubbish",
            "does not speak HTTP: got more than 100 headers",
        ),
        (endless(HEAD), "rubbish", "does not speak HTTP: got more than 100 headers"),
        (replying(b"HTTP/1.1 \x1b[31m200\x1b[0m OK\r\n\r\n"), "rubbish", "does not speak HTTP"),
    ],
)
def test_whoever_gives_no_answer_is_named_with_the_cause(behaviour: Any, cause: str, words: str) -> None:
    error = failure(behaviour)
    assert (error.cause, error.tells_of_the_server) == (cause, True)
    assert words in str(error)
    assert "(GET /path)" in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 300


def test_a_refused_connection_is_named() -> None:
    with refusing() as port, client_at(port) as client, pytest.raises(NoAnswer, match=r"^api refused the connection"):
        client.send("GET /path")


def test_an_unknown_name_says_nothing_about_the_server() -> None:
    with client_at(80, host="no-such-host.invalid") as client, pytest.raises(NoAnswer) as caught:
        client.send("GET /path")
    assert (caught.value.cause, caught.value.tells_of_the_server) == ("dns", False)
    assert "api is not known by its name" in str(caught.value)


def test_a_dripping_body_is_cut_at_the_time_budget() -> None:
    def drip(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        for _ in range(100):
            line.sendall(b"x")
            time.sleep(0.05)

    error = failure(drip)
    assert error.cause == "time-out"
    assert "the answer was still incomplete after" in str(error)


def test_dripping_headers_are_cut_at_the_time_budget() -> None:
    def drip(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            line.sendall(b"X-A: b\r\n")
            time.sleep(0.05)

    assert failure(drip).cause == "time-out"


@pytest.mark.parametrize("compressed", [False, True])
def test_an_endless_body_is_cut_at_max_body(compressed: bool) -> None:
    block = b"0" * 65536

    def pour(line: socket.socket) -> None:
        line.recv(65536)
        if compressed:
            bomb = gzip.compress(b"0" * 20_000_000)
            line.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)
            return
        line.sendall(HEAD + b"\r\n")
        while True:
            line.sendall(block)

    error = failure(pour, max_body=200_000, timeout="5 s")
    assert str(error) == "api sent a body that exceeds the endpoint's max_body of 200000 bytes (GET /path)"


def test_redirects_are_followed_only_when_asked_and_not_for_ever() -> None:
    loop = b"HTTP/1.1 302 Found\r\nLocation: /path\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with rogue(replying(loop)) as port, client_at(port) as client:
        assert client.send("GET /path").status == 302
        with pytest.raises(NoAnswer, match="redirects more than 5 times"):
            client.send("GET /path", follow=True)


def test_the_body_of_a_redirect_is_bounded_as_well() -> None:
    def pour(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n")
        while True:
            line.sendall(b"0" * 65536)

    assert failure(pour, max_body=200_000, timeout="5 s").cause == "too large"


@pytest.mark.parametrize("location", [b"file:///etc/passwd", b"http://[::"])
def test_a_redirect_to_no_web_address_is_rubbish(location: bytes) -> None:
    away = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with rogue(replying(away)) as port, client_at(port) as client, pytest.raises(NoAnswer, match="redirects to someth"):
        client.send("GET /path", follow=True)


def test_headers_of_the_endpoint_stay_with_it(shop: Shop) -> None:
    away = f"HTTP/1.1 302 Found\r\nLocation: {shop.url}/health\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with rogue(replying(away.encode())) as port, client_at(port, headers={"X-Key": "k"}) as client:
        assert client.send("GET /", headers={"Authorization": "Bearer t"}, follow=True).json()["status"] == "ok"
        client.fetch(f"{shop.url}/app.js")
    for _, headers in shop.seen:
        assert "x-key" not in headers
        assert "authorization" not in headers


def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(shop: Shop) -> None:
    """The server ends each connection after its answer without saying so."""
    reply = HEAD + b"Content-Length: 2\r\n\r\nok"
    with rogue(replying(reply)) as port, client_at(port) as client:
        assert [client.send("GET /").status for _ in range(3)] == [200, 200, 200]


def test_the_cap_on_requests_holds_for_all_threads(shop: Shop) -> None:
    section = EndpointSection.model_validate({"url": shop.url})
    client = Client("api", section, user_agent="x", request_id=lambda: "1", max_requests_per_second=50)
    began = time.monotonic()
    threads = [threading.Thread(target=lambda: [client.send("GET /health") for _ in range(6)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    assert len(shop.seen) == 24
    assert time.monotonic() - began >= (24 - 5) / 50 - 0.01


def test_what_is_no_json_is_named_and_made_harmless() -> None:
    page = b"<b>\x1b[31mhi\x1b]0;x\x07</b>\xff\xe2\x80\xae"
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + page
    with rogue(replying(reply)) as port, client_at(port) as client:
        answer = client.send("GET /path")
    with pytest.raises(NotJson) as caught:
        answer.json()
    said = "GET /path at api answered 200 with text/html that begins '<b> [31mhi ]0;x </b>"
    assert str(caught.value).startswith(said)
    assert str(caught.value).isprintable()
    assert "\x1b" not in answer.shown


@pytest.mark.parametrize("body", [b"", b"NaN", b"[" * 100_000, b"\xff", b"{'a': 1}"])
def test_json_is_read_strictly(body: bytes) -> None:
    reply = HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
    with rogue(replying(reply)) as port, client_at(port) as client, pytest.raises(NotJson):
        client.send("GET /path").json()


def test_a_strange_character_set_does_no_harm() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=klingon\r\nConnection: close\r\n\r\nol\xc3\xa9"
    with rogue(replying(reply)) as port, client_at(port) as client:
        assert client.send("GET /").text == "olé"


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost with its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def tls_server(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(line: socket.socket) -> None:
        with context.wrap_socket(line, server_side=True) as wrapped:
            wrapped.recv(65536)
            wrapped.sendall(HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\nok")

    with rogue(serve) as port:
        yield port


def test_a_self_signed_certificate_is_refused(certificate: Path) -> None:
    with (
        tls_server(certificate) as port,
        client_at(port, scheme="https", host="localhost", timeout="5 s") as client,
        pytest.raises(NoAnswer) as caught,
    ):
        client.send("GET /path")
    assert (caught.value.cause, caught.value.tells_of_the_server) == ("tls", False)
    assert "api has a certificate that does not verify: self-signed certificate" in str(caught.value)


@pytest.mark.parametrize("tls", ["ca_file", "unverified"])
def test_a_self_signed_certificate_passes_when_the_environment_says_so(certificate: Path, tls: str) -> None:
    section = {"ca_file": str(certificate)} if tls == "ca_file" else {"verify": False}
    with (
        tls_server(certificate) as port,
        client_at(port, scheme="https", host="localhost", tls=section, timeout="5 s") as client,
    ):
        answer = client.send("GET /path")
    assert answer.text == "ok"
    assert answer.phases.tls_ms is not None
    assert answer.phases.tls_ms > 0


def test_a_certificate_of_another_name_is_refused(certificate: Path) -> None:
    tls = {"ca_file": str(certificate)}
    with (
        tls_server(certificate) as port,
        client_at(port, scheme="https", tls=tls, timeout="5 s") as client,
        pytest.raises(NoAnswer, match=r"certificate that does not verify: .*127\.0\.0\.1"),
    ):
        client.send("GET /path")


def test_a_server_without_tls_is_named() -> None:
    with (
        rogue(replying(HEAD + b"\r\n")) as port,
        client_at(port, scheme="https", timeout="5 s") as client,
        pytest.raises(NoAnswer, match="does not agree on TLS"),
    ):
        client.send("GET /path")


def test_a_handshake_that_never_ends_is_cut() -> None:
    with (
        rogue(silent) as port,
        client_at(port, scheme="https") as client,
        pytest.raises(NoAnswer, match=r"within 0\.4 s: connected, but the TLS handshake was not finished"),
    ):
        client.send("GET /path")


def test_a_missing_ca_file_is_named(tmp_path: Path) -> None:
    tls = {"ca_file": str(tmp_path / "none.pem")}
    with client_at(1, scheme="https", tls=tls) as client, pytest.raises(CouldNotLook, match=r"the CA file .*none\.pem"):
        client.send("GET /path")


def test_a_header_that_cannot_be_sent_is_not_repeated(run: RunContext) -> None:
    with pytest.raises(NoAnswer, match="could not be asked: a header that is to be sent") as caught:
        client_of(run, "api").send("GET /health", headers={"Authorization": "Bearer to\nken"})
    assert "Bearer" not in str(caught.value)


def test_json_bodies_are_sent_as_such(run: RunContext, shop: Shop) -> None:
    answer = client_of(run, "api").send("POST /api/auth/status", body={"a": "é"})
    assert answer.json() == {"database": "ok"}
    assert shop.seen[-1][1]["content-type"] == "application/json"
    assert json.loads('{"a": "\\u00e9"}') == {"a": "é"}
