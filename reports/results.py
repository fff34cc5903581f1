"""`results.json`: the run as data, for other programs.

Schema 1. Fields are only ever added; a field that changes its meaning changes the number.
"""

from __future__ import annotations

import json
import math
from typing import Any

from golive.model import RunRecord, utc_text
from reports.wording import counts

SCHEMA = 1


def results(record: RunRecord, *, says: str = "", selected: int = 0) -> dict[str, Any]:
    """The run as plain data. `selected` is the number of tests that were going to run."""
    return {
        "schema": SCHEMA,
        "environment": record.environment,
        "system": record.system,
        "run": record.run,
        "started_at": utc_text(record.started_at),
        "finished_at": None if record.finished_at is None else utc_text(record.finished_at),
        "aborted": record.aborted,
        "says": says,
        "deployment": _deployment(record),
        "selection": record.selection,
        "selected": selected,
        "counts": {status.value: number for status, number in counts(record.outcomes).items()},
        "watch": record.watch,
        "checkpoint": record.checkpoint,
        "selected_criteria": list(record.selected),
        "target": dict(record.target),
        "criteria_digest": record.criteria_digest,
        "unanswered": list(record.unanswered),
        "outcomes": [outcome.as_data() for outcome in record.outcomes],
    }


def as_text(data: dict[str, Any]) -> str:
    """Strict JSON, a line per field and per outcome; numbers that JSON does not know become null."""
    fields = [f"{_json(name)}: {_json(value)}" for name, value in data.items() if name != "outcomes"]
    outcomes = ",\n".join(_json(outcome) for outcome in data["outcomes"])
    return "{\n" + ",\n".join([*fields, f'"outcomes": [\n{outcomes}\n]']) + "\n}\n"


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)


def _deployment(record: RunRecord) -> dict[str, str | None]:
    moment = record.deployment.deployed_at
    return {"version": record.deployment.version, "deployed_at": None if moment is None else utc_text(moment)}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
