"""The nouns of a watch as JSON-ready data and back, for what is signed and for what is archived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeVar

from pydantic import TypeAdapter

from golive.model import RunRecord, Status, utc_text

T = TypeVar("T")
SCHEMA = 1


def plain(value: Any) -> Any:
    """A record with everything in it as dictionaries, lists, texts and numbers; moments to the microsecond, in UTC."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return list(map(plain, value)) if isinstance(value, list | tuple | set | frozenset) else value


def record_of(kind: type[T], data: Any) -> T:
    """The record that `plain` made the data of; ValueError if it is not of that shape."""
    return TypeAdapter(kind).validate_python(data)


def run_data(record: RunRecord) -> dict[str, Any]:
    """A run as `results.json` holds it (`golive.history.records` reads it), without what only its reports need."""
    deployed_at = record.deployment.deployed_at
    return {
        "schema": SCHEMA,
        "environment": record.environment,
        "system": record.system,
        "run": record.run,
        "started_at": utc_text(record.started_at),
        "finished_at": None if record.finished_at is None else utc_text(record.finished_at),
        "aborted": record.aborted,
        "deployment": {
            "version": record.deployment.version,
            "deployed_at": None if deployed_at is None else utc_text(deployed_at),
        },
        "selection": record.selection,
        "watch": record.watch,
        "checkpoint": record.checkpoint,
        "selected_criteria": list(record.selected),
        "target": dict(record.target),
        "criteria_digest": record.criteria_digest,
        "unanswered": list(record.unanswered),
        "outcomes": [outcome.as_data() for outcome in record.outcomes],
    }


def counts(record: RunRecord) -> dict[str, int]:
    """How many outcomes of each kind the run came to, those with none left out."""
    statuses = [outcome.status for outcome in record.outcomes]
    return {status.value: statuses.count(status) for status in Status if status in statuses}
