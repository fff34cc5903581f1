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
_LINE = 8
"""A line of a secret of several lines is one itself from this length on."""
_PART = 16
"""Of a long secret, any run of twice this length is masked: programs shorten and wrap what they show."""
_REST = 6
"""What is left of a secret before or after an ellipsis is masked from this length on."""
_ELLIPSIS = re.compile(r"\.\.\.|…")


class Redactor:
    """Replaces every known secret, also in its URL-, base64-, JSON- and HTML-encoded forms.

    Secrets become known as they are met (`learn`): a session token obtained at login is one.
    What is left of one that was shortened or wrapped is masked too. Values shorter than
    four characters are not, as they would blank out ordinary text.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._long: dict[str, tuple[str, ...]] = {}
        self._pieces: set[str] = set()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """From now on `secret` is masked."""
        if len(secret) < _SHORTEST:
            return
        lines = [line.strip() for line in secret.splitlines()]
        for part in {secret, *(line for line in lines if len(line) >= _LINE and not line.startswith("-----"))}:
            forms = _forms(part)
            self._forms |= forms
            self._pieces |= {form[i : i + _REST] for form in forms for i in range(len(form) - _REST + 1)}
        if len(secret) >= 2 * _PART:
            self._long[secret] = tuple(secret[i : i + _PART] for i in range(0, len(secret) - _PART + 1, _PART))
        self._pattern = None

    def __call__(self, text: str) -> str:
        """`text` with every known secret masked."""
        if not self._forms:
            return text
        # A plain search is far cheaper than the pattern, and most texts hold no secret.
        if any(form in text for form in self._forms):
            if self._pattern is None:
                longest_first = sorted(self._forms, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))
            text = self._pattern.sub(MASK, text)
        for secret, parts in self._long.items():
            for part in parts:
                if part in text:
                    text = _without(text, secret, part)
        return self._without_rests(text)

    def _without_rests(self, text: str) -> str:
        """Masks the beginning of a secret before an ellipsis, and the end of one after it."""
        for found in reversed(list(_ELLIPSIS.finditer(text))):
            before, after = text[: found.start()], text[found.end() :]
            if before[-_REST:] not in self._pieces and after[:_REST] not in self._pieces:
                continue
            begun = max(_begun(before, form) for form in self._forms)
            ended = max(_begun(after[::-1], form[::-1]) for form in self._forms)
            left, right = MASK if begun else "", MASK if ended else ""
            text = before[: len(before) - begun] + left + found[0] + right + after[ended:]
        return text

    def data(self, value: Any) -> Any:
        """Plain data with every string in it masked, keys included."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, dict):
            return {self.data(key): self.data(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return value


def _without(text: str, secret: str, part: str) -> str:
    """`text` with each run of `secret` around `part` masked."""
    at = secret.index(part)
    pieces, start = [], 0
    while (found := text.find(part, start)) >= 0:
        left = _alike(text[start:found][::-1], secret[:at][::-1])
        right = _alike(text[found + len(part) :], secret[at + len(part) :])
        pieces += [text[start : found - left], MASK]
        start = found + len(part) + right
    return "".join([*pieces, text[start:]])


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _begun(text: str, form: str) -> int:
    """How much of the beginning of `form` stands at the end of `text`; 0 if it is too little to tell anything."""
    last, at = text[-_REST:], -1
    while len(last) == _REST and (at := form.find(last, at + 1)) >= 0:
        if text.endswith(form[: at + _REST]):
            return at + _REST
    return 0


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
