"""Access tokens: JWT (RFC 7519), signed with HS256 by the one key of this installation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt

from demo.services import misbehave
from demo.services.shop import leniency

ISSUER = "warungin"
ALGORITHM = "HS256"
REQUIRED = ["sub", "role", "sid", "iat", "exp", "iss"]


class TokenRefusedError(Exception):
    """The token proves nothing; `reason` is one word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a token says. Times are Unix seconds with fractions; `store` is None for the admin."""

    sub: str
    role: str
    store: int | None
    sid: str
    iat: float
    exp: float


class Tokens:
    """Issues and reads tokens."""

    def __init__(self, key: str) -> None:
        self._key = key

    def issue(self, claims: Claims) -> str:
        """The signed token."""
        payload = {
            "sub": claims.sub,
            "role": claims.role,
            "store": claims.store,
            "sid": claims.sid,
            "iat": round(claims.iat, 3),
            "exp": round(claims.exp, 3),
            "iss": ISSUER,
        }
        return jwt.encode(payload, self._key, algorithm=ALGORITHM)

    def read(self, token: str, *, now: float) -> Claims:
        """The claims of a token that is ours and has not expired. Raises TokenRefusedError."""
        claims = _claims(self._verified(token))
        if claims.exp <= now and not misbehave.is_on("token-expired-accepted"):
            raise TokenRefusedError("expired")
        return claims

    def _verified(self, token: str) -> dict[str, Any]:
        # Expiry is ours to judge: PyJWT cuts it to whole seconds, and kiosk sessions last for fractions of one.
        options: Any = {"require": REQUIRED, "verify_exp": False, "verify_iat": False}
        try:
            return jwt.decode(token, self._key, algorithms=[ALGORITHM], issuer=ISSUER, options=options)
        except jwt.InvalidTokenError as error:
            accepted = leniency.payload_despite(token, self._key)
            if accepted is None:
                raise TokenRefusedError(_reason(error)) from error
            return accepted


def _claims(payload: dict[str, Any]) -> Claims:
    try:
        store = payload.get("store")
        return Claims(
            sub=str(payload["sub"]),
            role=str(payload["role"]),
            store=None if store is None else int(store),
            sid=str(payload["sid"]),
            iat=float(payload["iat"]),
            exp=float(payload["exp"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TokenRefusedError("claims") from error


def _reason(error: jwt.InvalidTokenError) -> str:
    kinds = {jwt.InvalidSignatureError: "signature", jwt.InvalidAlgorithmError: "algorithm", jwt.DecodeError: "garbled"}
    return kinds.get(type(error), "claims")
