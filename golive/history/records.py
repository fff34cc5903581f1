"""What runs have written: the journal of a run in progress and the results of finished ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from golive.model import CouldNotLook, Deployment, Outcome, RunRecord

JOURNAL = "outcomes.jsonl"
RESULTS = "results.json"


def journal(directory: Path) -> dict[str, Outcome]:
    """The outcomes that a run has reached so far, by criterion; a line that is still being written is left out."""
    try:
        lines = (directory / JOURNAL).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise CouldNotLook(f"the journal of this run cannot be read: {error}") from error
    outcomes: dict[str, Outcome] = {}
    for line in lines[:-1]:
        try:
            outcome = Outcome.from_data(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise CouldNotLook(f"{directory / JOURNAL} is damaged: {error}") from error
        outcomes[outcome.criterion] = outcome
    return outcomes


def finished_runs(folder: Path, *, since: datetime | None = None) -> list[RunRecord]:
    """The runs of one environment that ended in order and began at or after `since`, oldest first.

    `folder` is where the runs of the environment are kept (`reports/output/ENV`). A result
    that cannot be read is CouldNotLook: leaving it out could hide a failure.
    """
    runs = [record for record in map(read_record, _result_files(folder)) if record.aborted is None]
    return sorted((r for r in runs if since is None or r.started_at >= since), key=lambda r: r.started_at)


def read_record(file: Path) -> RunRecord:
    """One `results.json` as a record; CouldNotLook if it is damaged."""
    try:
        return _record(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CouldNotLook(f"{file} cannot be read as the results of a run: {error}") from error


def _result_files(folder: Path) -> Iterator[Path]:
    return (f for f in sorted(folder.glob(f"*/{RESULTS}")) if not f.parent.is_symlink())


def _record(data: dict[str, Any]) -> RunRecord:
    if data["schema"] != 1:
        raise ValueError(f"schema {data['schema']} is not known")
    deployment = data.get("deployment") or {}
    deployed_at = deployment.get("deployed_at")
    return RunRecord(
        run=data["run"],
        environment=data["environment"],
        system=data["system"],
        started_at=datetime.fromisoformat(data["started_at"]),
        finished_at=datetime.fromisoformat(data["finished_at"]) if data.get("finished_at") else None,
        deployment=Deployment(
            version=deployment.get("version", ""),
            deployed_at=datetime.fromisoformat(deployed_at) if deployed_at else None,
        ),
        selection=data.get("selection", ""),
        aborted=data.get("aborted"),
        unanswered=tuple(data.get("unanswered", ())),
        outcomes=tuple(_outcome(o, data["started_at"]) for o in data["outcomes"]),
    )


def _outcome(data: dict[str, Any], started_at: str) -> Outcome:
    return Outcome.from_data({"started_at": started_at, **data})
