"""Asking a collector over HTTP: what is no usable answer is CouldNotLook, with its reason in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from golive.logs import LogClient
from golive.model import CouldNotLook

T = TypeVar("T")
_EXCERPT = 120


def asked(
    client: LogClient,
    request: str,
    read: Callable[[Any], T],
    *,
    told: str,
    kind: str,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> T:
    """What `read` makes of the JSON answer. CouldNotLook for another status than 200 and for anything else than that.

    `told` names the question in messages, `kind` who answers such things.
    """
    answer = client.send(request, headers=headers, body=body)
    if answer.status != 200:
        limited = "; it limits how much may be asked" if answer.status == 429 else ""
        raise CouldNotLook(f"{client.name}: {told} answered {answer.status} ({excerpt(answer.body)}){limited}")
    try:
        return read(json.loads(answer.body))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError):
        raise CouldNotLook(f"{client.name}: {told} answered something else than {kind} does") from None


def excerpt(body: bytes) -> str:
    """The beginning of a body on one line, without anything that a terminal would act on."""
    text = body[: 4 * _EXCERPT].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_EXCERPT]


def whole_number(value: Any) -> int:
    """A count as JSON holds it; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str) or (isinstance(value, str) and len(value) > 20):
        raise ValueError("no count")
    number = int(value)
    if number < 0:
        raise ValueError("no count")
    return number
