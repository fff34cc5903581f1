"""Credentials that are written out are found, and what only looks like one is not."""

from __future__ import annotations

import pytest

from golive.environment.written import written_credentials

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("password: hunter2", "literal password"),
        ("{user: x, password: hunter2}", "literal password"),
        ("password: |\n  hunter2\n", "literal password"),
        ("DB_PASSWORD: hunter2", "literal DB_PASSWORD"),
        ("- name: DB_PASSWORD\n  value: hunter2", "literal DB_PASSWORD"),
        ("totp: {secret: JBSWY3DPEHPK3PXP}", "literal secret"),
        ("api_key: abcdef", "literal api_key"),
        ("token: 9f86d081884c7d659a2feaa0c55ad015", "literal token"),
        ("password: ${env:A}tail", "literal password"),
        ("url: https://admin:hunter2@shop.id/", "password in a URL"),
        ("url: redis://:hunter2@shop.id/0", "password in a URL"),
        ("connect: sshpass -p hunter2 ssh root@shop", "sshpass"),
        ("# password: hunter2!", "password in a comment"),
        ("run: PGPASSWORD=hunter2 psql", "password in a command"),
        ("run: curl -u admin:hunter2 http://shop", "password in a command"),
        ("key: |\n  -----BEGIN RSA PRIVATE KEY-----\n  x\n", "private key"),
        (f"header: {JWT}", "access token"),
        ("note: ghp_0123456789abcdefghijklmnopqrstuvwxyz", "access token"),
        ("note: AKIAIOSFODNN7EXAMPLE", "access token"),
        ("note: dGhpcyBpcyBhIHZlcnkgMTIz4wXQz9Lk2Pq7Rt", "high-entropy text"),
        ("broken: [yaml\nurl: https://admin:hunter2@shop.id/", "password in a URL"),
    ],
)
def test_credentials_are_found_and_never_repeated(text: str, what: str) -> None:
    found = written_credentials("shop.yaml", text)
    assert [hit.what for hit in found] == [what]
    assert "hunter2" not in str(found)
    assert found[0].place.file == "shop.yaml"


def test_the_line_is_named() -> None:
    found = written_credentials("shop.yaml", "a: 1\nb:\n  - password: hunter2\n  - fine: 1\n# sshpass -e ssh x\n")
    assert [str(hit.place) for hit in found] == ["shop.yaml:3", "shop.yaml:5"]


@pytest.mark.parametrize(
    "text",
    [
        "password: ${env:DB_PASSWORD}",
        "password: ${file:/run/secrets/db-9f86D081884c7d659A2feaa0c55ad015}",
        "body: {username: '{username}', password: '{password}', code: '{code}'}",
        "header: 'Authorization: Bearer {token}'",
        "token: data.access_token",
        "token: token",
        "password:",
        "password: null",
        "says: A wrong password is refused",
        "# password: give it as ${env:NAME}",
        "wrong_password: definitely-not-it",
        "password_field: passphrase",
        "image: shop@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "guide: documents/PHASE_6_1_DEPLOYMENT_READY",
        "id: 123e4567-e89b-12d3-a456-426614174000",
        "url: postgresql://golive@127.0.0.1:5432/shop",
        "url: https://shop.id:8443/@x",
        "query: SELECT count(*) FROM users WHERE role = 'admin' AND id::text <> '1'",
        "",
        "a: &a [1]\nb: [*a, *a]",
    ],
)
def test_what_only_looks_like_one_is_not(text: str) -> None:
    assert written_credentials("shop.yaml", text) == []


def test_a_large_file_takes_no_time() -> None:
    lines = "".join(f"- id: shop.area.name-{n}\n  says: The thing number {n} holds and is well\n" for n in range(3000))
    assert written_credentials("shop.yaml", lines) == []
    assert written_credentials("shop.yaml", "x: " + "a:" * 50_000) == []
