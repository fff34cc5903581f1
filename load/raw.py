"""Raw data of a load, for whoever wants to compute with it: one file for tables, one for programs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from golive.judge.load.result import LoadResult

SECONDS = "seconds.csv"
RESULT = "result.json"
_COLUMNS = ("second", "name", "n", "failed", "p50", "p95", "p99", "max", "users")


def write_raw(result: LoadResult, directory: Path) -> None:
    """`seconds.csv` (times in ms; `second` since 1970; no users known: empty) and `result.json`. OSError."""
    users: dict[int, dict[str, float]] = {}
    for state in result.states:
        users.setdefault(int(state.at), {})[state.worker] = state.users
    with (directory / SECONDS).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for second in sorted(result.seconds, key=lambda second: (second.at, second.name)):
            histogram = second.intended or second.histogram
            quantiles = [f"{histogram.percentile(p):.3f}" for p in (50, 95, 99)] if histogram.count else ["", "", ""]
            failed = sum(count for kind, count in second.failures.items() if kind != "unfinished")
            known = users.get(int(second.at))
            row = [second.at, second.name, second.n, failed, *quantiles, f"{histogram.max_ms:.3f}"]
            table.writerow([*row, f"{sum(known.values()):g}" if known else ""])
    (directory / RESULT).write_text(json.dumps(result.as_data(), ensure_ascii=False) + "\n", encoding="utf-8")
