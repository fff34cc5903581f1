"""`results.json`: the run as data, for other programs.

Schema 1. Fields are only ever added; a field that changes its meaning changes the number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from golive.history.plain import run_data
from golive.judge.load.result import LoadResult
from golive.model import RunRecord
from golive.targets.hosts.cost import Cost
from reports.load.summary import load_data
from reports.wording import counts


def results(
    record: RunRecord,
    *,
    says: str = "",
    selected: int = 0,
    costs: Mapping[str, Cost] | None = None,
    loads: Mapping[str, LoadResult] | None = None,
) -> dict[str, Any]:
    """The run as plain data.

    `selected` is the number of tests that were going to run, `costs` those of each host, `loads` what each profile
    showed that was run.
    """
    return {
        **run_data(record),
        "says": says,
        "selected": selected,
        "cost": {name: cost.as_data() for name, cost in sorted((costs or {}).items())},
        "load": load_data(loads or {}),
        "counts": {status.value: number for status, number in counts(record.outcomes).items()},
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


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
