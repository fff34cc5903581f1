"""What runs have written: the journal of a run in progress and the results of finished ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from golive.model import CouldNotLook, Deployment, Outcome, RunRecord

JOURNAL = "outcomes.jsonl"
RESULTS = "results.json"


class ResultFiles(Protocol):
    """Where the `results.json` of runs are found."""

    def named(self, run: str) -> str:
        """What to call the file of a run."""

    def read(self, run: str) -> bytes | None:
        """The file of a run, None if it is not there; OSError if it cannot be read."""


class ResultsFolder:
    """The runs' own folders in one folder (`reports/output/ENV`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def named(self, run: str) -> str:
        """The path of the file."""
        return str(self._folder / run / RESULTS)

    def read(self, run: str) -> bytes | None:
        """The file of a run, None if it is not there; OSError if it cannot be read."""
        try:
            return (self._folder / run / RESULTS).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None


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


def read_record(file: Path) -> RunRecord:
    """One `results.json` as a record; CouldNotLook if it is damaged."""
    try:
        return record_from(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CouldNotLook(f"{file} cannot be read as the results of a run: {error}") from error


def record_from(data: Mapping[str, Any]) -> RunRecord:
    """The record of a run from its data; ValueError, KeyError or TypeError if it is of another shape."""
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
        watch=data.get("watch"),
        checkpoint=data.get("checkpoint"),
        selected=tuple(data.get("selected_criteria", ())),
        target=dict(data.get("target") or {}),
        criteria_digest=data.get("criteria_digest", ""),
    )


def _outcome(data: dict[str, Any], started_at: str) -> Outcome:
    return Outcome.from_data({"started_at": started_at, **data})
