"""Forged tokens against a library that verifies as it should, and what counts as a token at all."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from golive.targets.tokens import decode, forge, tokens_in

KEY = "a-key-that-is-long-enough-for-the-algorithm-0123456789"
CLAIMS = {"sub": "a", "role": "cashier", "store": 1, "iat": 1000, "exp": 4_000_000_000}


def keys(algorithm: str) -> tuple[Any, Any]:
    if algorithm == "HS256":
        return KEY, KEY
    private: Any = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if algorithm == "RS256"
        else ec.generate_private_key(ec.SECP256R1())
    )
    return private, private.public_key()


@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "ES256"])
def test_no_forgery_passes_a_sound_verifier(algorithm: str) -> None:
    private, public = keys(algorithm)
    token = jwt.encode(CLAIMS, private, algorithm=algorithm)
    forgeries = forge(token, now=time.time())
    names = {forgery.name for forgery in forgeries}
    assert {
        "garbled",
        "truncated",
        "wrong signature",
        "no signature",
        "alg none",
        "alg nOnE",
        "another key",
        "expired, another key",
        "changed role",
        "changed store",
    } <= names
    assert token not in {forgery.token for forgery in forgeries}
    assert len({forgery.token for forgery in forgeries}) == len(forgeries)
    for forgery in forgeries:
        with pytest.raises(jwt.PyJWTError):
            jwt.decode(forgery.token, public, algorithms=[algorithm])
    assert jwt.decode(token, public, algorithms=[algorithm]) == CLAIMS


@pytest.mark.parametrize("name", ["alg none", "another key", "changed role", "wrong signature"])
def test_a_verifier_that_does_not_look_is_caught(name: str) -> None:
    forgery = next(f for f in forge(jwt.encode(CLAIMS, KEY), now=0.0) if f.name == name)
    claims = jwt.decode(forgery.token, options={"verify_signature": False})
    assert claims["role"] == ("admin" if name == "changed role" else "cashier")


def test_claims_of_the_criterion_are_changed_one_by_one() -> None:
    changed = forge(jwt.encode(CLAIMS, KEY), now=0.0, changed_claims={"store": 7, "sub": "boss", "role": "cashier"})
    claims = {f.name: decode(f.token) for f in changed if f.name.startswith("changed")}
    assert {name: jwt_.claims["store"] for name, jwt_ in claims.items() if jwt_} == {
        "changed store": 7,
        "changed sub": 1,
    }


@pytest.mark.parametrize(
    ("role", "raised"),
    [("cashier", "admin"), ("admin", "golive-nobody"), (False, True), (["a"], ["a", "admin", "golive-nobody"])],
)
def test_the_role_is_raised_to_something_else(role: Any, raised: Any) -> None:
    forgeries = forge(jwt.encode({**CLAIMS, "role": role}, KEY), now=0.0)
    found = decode(next(f.token for f in forgeries if f.name == "changed role"))
    assert found is not None
    assert found.claims["role"] == raised


def test_expired_forgeries_lie_in_the_past() -> None:
    for forgery in forge(jwt.encode(CLAIMS, KEY), now=10_000.0):
        if forgery.name.startswith("expired"):
            found = decode(forgery.token)
            assert found is not None
            assert found.claims["exp"] == 10_000 - 3600


def test_an_opaque_token_can_only_be_garbled_and_truncated() -> None:
    token = "0123456789abcdef0123456789abcdef"
    forgeries = forge(token, now=0.0)
    assert [f.name for f in forgeries] == ["garbled", "truncated", "one character changed"]
    assert token not in {f.token for f in forgeries}


@pytest.mark.parametrize(
    "text", ["", "a.b.c", "a.b", "e30.e30.", "!!.??.--", "W10.W10.x", "eyJhbGciOiJub25lIn0.W10.", "x" * 9]
)
def test_what_is_no_jwt_is_not_taken_for_one(text: str) -> None:
    assert decode(text) is None
    assert forge(text, now=0.0)


def test_tokens_are_found_wherever_an_answer_hides_them() -> None:
    token = jwt.encode(CLAIMS, KEY)
    assert tokens_in(f'{{"data": {{"jwt": "{token}"}}}}') == [token]
    assert tokens_in(f"<html>{token}</html>") == [token]
    assert tokens_in('{"ticket": "0123456789abcdef", "error": "code_required"}') == ["0123456789abcdef"]
    assert tokens_in('{"error": "second_factor"}') == []
    assert tokens_in("[" * 100_000) == []
