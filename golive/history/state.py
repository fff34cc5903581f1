"""What one run leaves for the next: log cursors, counters, names of earlier runs.

A small JSON file per environment. What a run learns is kept apart until `commit`,
so that an aborted run leaves the state as it was and the next one looks again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_RUNS_KEPT = 500


class StateUnreadable(Exception):
    """The state file is damaged or cannot be read; the message names it and says what to do."""


class StateStore:
    """Reads the last committed state; `put` is visible to this process at once, to later runs after `commit`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._committed = _read(file)
        self._pending: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """The last value under `key`, or None."""
        return self._pending.get(key, self._committed["values"].get(key))

    def committed(self, key: str) -> Any:
        """The value that earlier runs left under `key`, or None."""
        return self._committed["values"].get(key)

    def put(self, key: str, value: Any) -> None:
        """Remember JSON-ready `value` under `key`."""
        self._pending[key] = value

    @property
    def pending(self) -> dict[str, Any]:
        """What was put and is not committed yet."""
        return dict(self._pending)

    @property
    def runs(self) -> frozenset[str]:
        """Ids of the earlier runs against this environment."""
        return frozenset(self._committed["runs"])

    def add_run(self, run: str) -> None:
        """Record at once that `run` has begun: its traces on the target are ours even if it dies."""
        self._update({}, run)

    def commit(self) -> None:
        """Write what was put; values of a run that finished meanwhile under other keys survive."""
        if self._pending:
            self._update(self._pending, None)
            self._pending = {}

    def _update(self, values: dict[str, Any], run: str | None) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self._file.with_suffix(".lock")):
            data = _read(self._file)
            data["values"].update(values)
            if run is not None and run not in data["runs"]:
                data["runs"] = [*data["runs"], run][-_RUNS_KEPT:]
            beside = self._file.with_suffix(f".{os.getpid()}.new")
            beside.write_text(json.dumps(data, indent=1, sort_keys=True), encoding="utf-8")
            os.replace(beside, self._file)
            self._committed = data


def _read(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["schema"] != 1 or not isinstance(data["values"], dict) or not isinstance(data["runs"], list):
            raise ValueError("not of schema 1")
        if not all(isinstance(run, str) for run in data["runs"]):
            raise ValueError("'runs' holds something else than ids of runs")
    except FileNotFoundError:
        return {"schema": 1, "values": {}, "runs": []}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateUnreadable(
            f"{file}: cannot be read ({error}); restore it, or move it away to start without a past"
        ) from error
    return data  # type: ignore[no-any-return]


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
