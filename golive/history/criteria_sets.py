"""The rules that a run was judged by, as plain data under the digest of their text."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from golive.environment.params import Request, Secret
from golive.environment.redaction import Redactor
from golive.model import Criterion

if TYPE_CHECKING:
    from golive.history.store import History

MASK = "***"


def digest_of(criteria: Iterable[Criterion], secrets: Iterable[str] = ()) -> str:
    """SHA-256 (hex) over what the criteria demand; `secrets` are those of the environment.

    Their order and where they are written do not matter, and a secret or a reference counts as it is written, so
    that a new password is no new rule.
    """
    return digest_of_data(as_data(criteria, secrets))


def digest_of_data(data: Sequence[Mapping[str, Any]]) -> str:
    """The digest of criteria out of what `as_data` gave, whichever version of golive that was."""
    return hashlib.sha256(_text(data).encode()).hexdigest()


def as_data(criteria: Iterable[Criterion], secrets: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The criteria as JSON-ready data in order of their ids, with every secret masked."""
    masked: list[dict[str, Any]] = Redactor(secrets).data([*_all_data(criteria)])
    return masked


def _all_data(criteria: Iterable[Criterion]) -> Iterator[dict[str, Any]]:
    yield from (
        {
            "id": c.id,
            "says": _plain(c.says, _written(c)),
            "severity": c.severity.value,
            "when": sorted(when.value for when in c.when),
            "answer": c.answer,
            "check": c.check,
            "feature": c.feature,
            "no_data": c.no_data.value,
            "retries": c.retries,
            "baseline_percent": c.baseline_percent,
            "params": _plain(c.params, _written(c)),
        }
        for c in sorted(criteria, key=lambda c: c.id)
    )


def store_criteria(history: History, criteria: Iterable[Criterion], secrets: Iterable[str] = ()) -> str:
    """Keep the criteria, if they are not known yet, and give their digest."""
    from golive.history.storage.schema import CRITERIA_SETS
    from golive.history.storage.upsert import upsert

    data = as_data(criteria, secrets)
    digest = digest_of_data(data)
    if not criteria_data(history, digest):
        with history.writing() as connection:
            row = {"digest": digest, "stored_at": datetime.now(UTC), "criteria": data}
            upsert(connection, CRITERIA_SETS, [row], ("digest",))
    return digest


def criteria_data(history: History, digest: str) -> list[dict[str, Any]]:
    """The criteria of that digest as `as_data` gave them; none if the history does not hold them."""
    import sqlalchemy as sa

    from golive.history.storage.schema import CRITERIA_SETS

    wanted = sa.select(CRITERIA_SETS.c.criteria).where(CRITERIA_SETS.c.digest == digest)
    with history.reading() as connection:
        return connection.execute(wanted).scalar() or []


def _written(criterion: Criterion) -> dict[str, str]:
    """How its resolved texts were written; of a URL the last slash is cut off."""
    return {form: source for text, source in criterion.references for form in (text, text.rstrip("/"))}


def _text(data: Any) -> str:
    """The one text that stands for the data."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def _plain(value: Any, written: Mapping[str, str]) -> Any:
    """`value` as JSON-ready data that is the same in every process; a resolved text as it was written."""

    def plain(part: Any) -> Any:
        return _plain(part, written)

    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return written.get(value, value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Request):
        return plain(str(value))
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted(map(plain, value), key=_text)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    return plain(str(value))
