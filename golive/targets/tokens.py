"""Forged tokens, to see whether a server looks at what it is given. Pure functions over text, nothing is sent.

A JWT (RFC 7519) is forged in every way below; of an opaque token nobody outside knows the
making, so that it can only be garbled and truncated.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_GARBLED = "golive-not-a-token"
_JWT = re.compile(r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_OPAQUE = re.compile(r"[!-~]{16,4096}")
_MOST_TOKENS = 5
_HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
_NONE_SPELLINGS = ("none", "None", "NONE", "nOnE")
_ROLE_CLAIMS = ("role", "roles", "scope", "admin", "is_admin")
_TENANT_CLAIMS = ("store", "store_id", "tenant", "tenant_id", "org", "org_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgery:
    """A token that must be refused, and what is wrong with it."""

    name: str
    token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Jwt:
    """A decoded, unverified JWT."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signature: bytes


def decode(token: str) -> Jwt | None:
    """The parts of a signed JWT without verifying anything, or None if `token` is not one."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        header, claims = (json.loads(_unpack(part)) for part in parts[:2])
        signature = _unpack(parts[2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict) or "alg" not in header:
        return None
    return Jwt(header=header, claims=claims, signature=signature)


def forge(token: str, *, now: float, changed_claims: Mapping[str, Any] | None = None) -> list[Forgery]:
    """Every forgery of `token` at `now` (seconds since 1970).

    `changed_claims` are put under its original signature, each one alone; without them the claims of role and
    tenant that the token holds are raised or moved. None of the forgeries equals `token`.
    """
    made = [
        Forgery(name="garbled", token=_GARBLED),
        Forgery(name="truncated", token=token[: len(token) * 2 // 3]),
    ]
    jwt = decode(token)
    if jwt is None:
        return [*made, Forgery(name="one character changed", token=_one_changed(token))]
    return [*made, *_signature_forgeries(token, jwt, now), *_claim_forgeries(token, jwt, changed_claims)]


def tokens_in(text: str) -> list[str]:
    """Everything in an answer that could be a token: JWTs anywhere, and in JSON each longer text without spaces."""
    found = _JWT.findall(text)
    with suppress(ValueError, RecursionError):
        found += [value for value in _texts(json.loads(text)) if _OPAQUE.fullmatch(value)]
    return list(dict.fromkeys(found))[:_MOST_TOKENS]


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for item in data.values() if isinstance(data, dict) else data:
            yield from _texts(item)


def _signature_forgeries(token: str, jwt: Jwt, now: float) -> list[Forgery]:
    head, claims, signature = token.split(".")
    flipped = bytes([jwt.signature[0] ^ 1, *jwt.signature[1:]]) if jwt.signature else b"\x00" * 32
    past = {**jwt.claims, "iat": int(now) - 7200, "exp": int(now) - 3600}
    empty = _sign({**jwt.header, "alg": "HS256"}, jwt.claims, b"")
    return [
        Forgery(name="wrong signature", token=f"{head}.{claims}.{_pack(flipped)}"),
        Forgery(name="no signature", token=f"{head}.{claims}."),
        Forgery(name="signature cut off", token=f"{head}.{claims}"),
        *(
            Forgery(name=f"alg {spelling}", token=f"{_part({**jwt.header, 'alg': spelling})}.{claims}.")
            for spelling in _NONE_SPELLINGS
        ),
        Forgery(name="alg none with a signature", token=f"{_part({**jwt.header, 'alg': 'none'})}.{claims}.{signature}"),
        Forgery(name="another key", token=_sign_with_another_key(jwt.header, jwt.claims)),
        Forgery(name="an empty key", token=empty),
        Forgery(name="expired, another key", token=_sign_with_another_key(jwt.header, past)),
        Forgery(name="expired, original signature", token=f"{head}.{_part(past)}.{signature}"),
    ]


def _claim_forgeries(token: str, jwt: Jwt, changed: Mapping[str, Any] | None) -> list[Forgery]:
    head, _, signature = token.split(".")
    asked = {name: value for name, value in (changed or {}).items() if jwt.claims.get(name) != value}
    changes = asked or _raised(jwt.claims)
    return [
        Forgery(name=f"changed {name}", token=f"{head}.{_part({**jwt.claims, name: value})}.{signature}")
        for name, value in changes.items()
    ]


def _raised(claims: Mapping[str, Any]) -> dict[str, Any]:
    """What an attacker would change first: the role to admin, the tenant to the next one, else the subject."""
    changes: dict[str, Any] = {}
    for name in _ROLE_CLAIMS:
        if name in claims:
            changes[name] = _more_powerful(claims[name])
    for name in _TENANT_CLAIMS:
        if name in claims:
            value = claims[name]
            changes[name] = value + 1 if isinstance(value, int) else f"{value}-2"
    return changes or {"sub": "golive-nobody"}


def _more_powerful(role: Any) -> Any:
    if isinstance(role, bool):
        return not role
    if isinstance(role, list):
        return [*role, "admin", "golive-nobody"]
    return "admin" if role != "admin" else "golive-nobody"


def _sign_with_another_key(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    algorithm = str(header["alg"])
    if algorithm in _HASHES:
        return _sign(header, claims, secrets.token_bytes(64))
    key = _private_key(algorithm)
    if key is None:
        return _sign({**header, "alg": "HS256"}, claims, secrets.token_bytes(64))
    import jwt

    return jwt.encode(dict(claims), key, algorithm=algorithm, headers=dict(header))


def _private_key(algorithm: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    match algorithm:
        case "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ES384":
            return ec.generate_private_key(ec.SECP384R1())
        case "ES512":
            return ec.generate_private_key(ec.SECP521R1())
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
    return None


def _sign(header: Mapping[str, Any], claims: Mapping[str, Any], key: bytes) -> str:
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{_pack(hmac.digest(key, signed.encode(), _HASHES[str(header['alg'])]))}"


def _one_changed(token: str) -> str:
    middle = len(token) // 2
    return f"{token[:middle]}{'A' if token[middle : middle + 1] != 'A' else 'B'}{token[middle + 1 :]}"


def _part(content: Mapping[str, Any]) -> str:
    return _pack(json.dumps(content, separators=(",", ":")).encode())


def _pack(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unpack(part: str) -> bytes:
    """ValueError (binascii.Error is one) on anything but unpadded base64url."""
    if not all(mark.isascii() and (mark.isalnum() or mark in "-_") for mark in part):
        raise ValueError("no base64url")
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
