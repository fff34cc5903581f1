"""Which bad tokens are accepted while a token fault is active. Healthy, the answer is always: none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from typing import Any

from demo.services import misbehave

FAULTS = "token-"
_ROLES = ("cashier", "manager", "kiosk", "admin")
_STORES = (None, 1, 2, 3)
_FEW_BITS = 16


def payload_despite(token: str, key: str) -> dict[str, Any] | None:
    """The payload of a token that did not verify, if a fault wants it accepted all the same."""
    if not misbehave.any_on(FAULTS):
        return None
    try:
        header_text, payload_text, signature_text = token.split(".")
        header, payload = json.loads(_decode(header_text)), json.loads(_decode(payload_text))
        signature = _decode(signature_text)
    except ValueError:
        return None
    if not isinstance(payload, dict) or not isinstance(header, dict):
        return None
    if str(header.get("alg")).lower() == "none":
        return payload if misbehave.is_on("token-alg-none") else None
    signed = f"{header_text}.{payload_text}"
    if misbehave.is_on("token-signature-unchecked"):
        return payload
    if misbehave.is_on("token-other-key-accepted") and _looks_like_other_key(signature, _sign(signed, key)):
        return payload
    if misbehave.is_on("token-role-change-accepted") and _only_role_changed(header_text, payload, signature, key):
        return payload
    return None


def _looks_like_other_key(signature: bytes, genuine: bytes) -> bool:
    """A whole signature, but not ours with a few bits flipped: damaged tokens are still refused."""
    if len(signature) != len(genuine):
        return False
    different = int.from_bytes(signature, "big") ^ int.from_bytes(genuine, "big")
    return different.bit_count() > _FEW_BITS


def _only_role_changed(header: str, payload: dict[str, Any], signature: bytes, key: str) -> bool:
    """Whether the signature is genuine for the same payload with some other role or store."""
    for role, store in itertools.product(_ROLES, _STORES):
        text = json.dumps({**payload, "role": role, "store": store}, separators=(",", ":"))
        if hmac.compare_digest(_sign(f"{header}.{_encode(text)}", key), signature):
            return True
    return False


def _sign(text: str, key: str) -> bytes:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode("ascii")
