"""Password hashes: scrypt (RFC 7914) in one text field, `scrypt$n$r$p$salt$key`, numbers decimal, bytes in hex."""

from __future__ import annotations

import hashlib
import hmac
import secrets

# A demo logs in dozens of times per run on two cores, and its passwords are random: 4096 rounds cost about 10 ms.
_N, _R, _P = 4096, 8, 1


def hash_password(password: str) -> str:
    """Hash with a fresh salt."""
    salt = secrets.token_bytes(16)
    key = hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=32)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${key.hex()}"


def verify_password(password: str, stored: str) -> bool:
    """Whether the password is the one that was hashed; False as well for a hash of another kind."""
    try:
        kind, n, r, p, salt, key = stored.split("$")
        made = hashlib.scrypt(
            password.encode(), salt=bytes.fromhex(salt), n=int(n), r=int(r), p=int(p), dklen=len(key) // 2
        )
    except ValueError:
        return False
    return kind == "scrypt" and hmac.compare_digest(made, bytes.fromhex(key))
