"""Plans on their way to workers that join: sealed with a word that both sides know, for they hold sessions."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

_LEAST = 16
"""A shorter word could be guessed by whoever listened."""


class NotSealed(ValueError):
    """What came was not sealed with our word."""


class Seal:
    """Seals and opens lines of JSON. ValueError for a word that is too short."""

    def __init__(self, word: str) -> None:
        if len(word) < _LEAST:
            raise ValueError(f"the token has at least {_LEAST} characters, as `openssl rand -hex 32` makes them")
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(word.encode()).digest()))

    def line(self, data: Mapping[str, Any]) -> bytes:
        """One line that only who knows the word can read."""
        return self._fernet.encrypt(json.dumps(data).encode()) + b"\n"

    def opened(self, line: bytes) -> dict[str, Any]:
        """What was sealed; NotSealed."""
        try:
            data = json.loads(self._fernet.decrypt(line.strip()))
        except (InvalidToken, ValueError):
            raise NotSealed("it was not sealed with the word that is known here") from None
        if not isinstance(data, dict):
            raise NotSealed("it is sealed, but no plan")
        return data
