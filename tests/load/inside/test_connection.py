"""Connections of users: kept, closed by the other side, and over TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.load.inside.pressing import plan, press, scenario, step
from tests.load.inside.target import Target, target

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def server() -> Iterator[Target]:
    with target() as running:
        yield running


@contextmanager
def accepting(answers_each: int, context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[int]]]:
    """A port that answers so often on each connection and then closes it without a word; and what it answered."""
    counts: list[int] = []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        listening.settimeout(0.1)
        is_over = threading.Event()

        def serve(accepted: socket.socket) -> None:
            index = len(counts)
            counts.append(0)
            accepted.settimeout(10)
            with suppress(OSError):
                told = context.wrap_socket(accepted, server_side=True) if context else accepted
                with told:
                    while counts[index] < answers_each and told.recv(65_536):
                        told.sendall(ANSWER)
                        counts[index] += 1

        def accept() -> None:
            while not is_over.is_set():
                with suppress(TimeoutError):
                    threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1], counts
        finally:
            is_over.set()
            thread.join()


def test_a_user_keeps_its_connection(server: Target, tmp_path: Path) -> None:
    pressed = press(plan(server.url, scenario(step("GET /ok")), levels=((0, 3), (2, 3))), tmp_path)
    assert pressed.count() > 50
    assert server.connections == 3


def test_a_connection_that_was_closed_while_the_user_thought_is_opened_anew(tmp_path: Path) -> None:
    with accepting(answers_each=4) as (port, counts):
        told = plan(f"http://127.0.0.1:{port}", scenario(step("GET /x")), levels=((0, 3), (2, 3)))
        pressed = press(told, tmp_path)
    assert pressed.failures() == {}
    assert pressed.count() == sum(counts) > 30
    assert len(counts) > 6


def test_what_makes_something_is_never_sent_twice(server: Target, tmp_path: Path) -> None:
    each = scenario(step("POST /reset"), step("GET /ok"), think=[0.05, 0.1])
    pressed = press(plan(server.url, each), tmp_path)
    assert pressed.failures("POST /reset") == {"reset": pressed.count("POST /reset")}
    assert server.count("/reset") == pressed.count("POST /reset") > 5


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's context, and the file of the authority that vouches for it: itself."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, folder / "cert.pem"


@pytest.mark.parametrize("verify", ["its authority", False, True])
def test_certificates_are_judged_as_the_plan_says(
    certificate: tuple[ssl.SSLContext, Path], tmp_path: Path, verify: bool | str
) -> None:
    context, file = certificate
    with accepting(answers_each=1000, context=context) as (port, counts):
        told = plan(f"https://127.0.0.1:{port}", scenario(step("GET /x")), levels=((0, 2), (1.5, 2)))
        pressed = press({**told, "verify": str(file) if verify == "its authority" else verify}, tmp_path)
    if verify is True:
        assert pressed.failures() == {"other: SSLCertVerificationError": pressed.count()}
        assert [text for text in pressed.problems() if "self-signed certificate" in text]
        assert sum(counts) == 0
    else:
        assert pressed.failures() == {}
        assert pressed.count() == sum(counts) > 10
