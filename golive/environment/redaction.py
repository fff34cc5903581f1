"""Keeps secrets out of everything that is written: reports, history, logs, terminal, tracebacks."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "••••"
_SHORTEST = 4


class Redactor:
    """Replaces every known secret, also in its URL-, base64-, JSON- and HTML-encoded forms.

    Secrets become known as they are met (`learn`): a session token obtained at login is one.
    Values shorter than four characters are not masked, as they would blank out ordinary text.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """From now on `secret` is masked."""
        if len(secret) < _SHORTEST:
            return
        self._forms |= _forms(secret)
        self._pattern = None

    def __call__(self, text: str) -> str:
        """`text` with every known secret masked."""
        if not self._forms:
            return text
        # A plain search is far cheaper than the pattern, and most texts hold no secret.
        if not any(form in text for form in self._forms):
            return text
        if self._pattern is None:
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return self._pattern.sub(MASK, text)

    def data(self, value: Any) -> Any:
        """Plain data with every string in it masked, keys included."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, dict):
            return {self.data(key): self.data(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return value


def _forms(secret: str) -> set[str]:
    raw = secret.encode()
    forms = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }
    # A secret inside a longer base64 text (Basic auth) begins at one of three offsets; the
    # characters that depend on its neighbours are cut off.
    if len(raw) >= 6:
        for offset in range(3):
            encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
            forms.add(encoded[(0, 2, 3)[offset] : len(encoded) - 1])
    return {form for form in forms if len(form) >= _SHORTEST}
