"""The loads of one run as its reports tell them: without secrets, with the baseline in force and the raw data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from golive.judge.load.result import LoadResult
from golive.model import Criterion, Outcome
from reports.load.budgets import Baseline, budgets
from reports.load.masked import masked
from reports.load.view import LoadView, line, view

FOLDER = "load"
"""In the folder of the run; in it lies a folder for each profile."""
RAW = ("seconds.csv", "result.json", "stream.jsonl")


@dataclass(frozen=True, kw_only=True)
class Loads:
    """What each profile showed that was run, and the baseline that is in force."""

    results: Mapping[str, LoadResult] = field(default_factory=dict)
    baseline: Baseline | None = None

    @property
    def lines(self) -> list[str]:
        """A line about each."""
        return [line(result) for _, result in sorted(self.results.items())]

    def views(self, outcomes: Sequence[Outcome], criteria: Sequence[Criterion], directory: Path) -> list[LoadView]:
        """A section about each; raw data is linked where it lies in `directory`, the folder of the run."""
        return [
            view(result, budgets(name, outcomes, criteria, self.baseline), raw_data(directory, name))
            for name, result in sorted(self.results.items())
        ]


def taken(
    loads: Callable[[], Mapping[str, LoadResult]],
    baseline: Callable[[], Baseline | None],
    redact: Callable[[str], str],
) -> Loads:
    """What there is to tell now. The baseline is asked for only where there are loads."""
    results = {name: masked(replace(result, profile=name), redact) for name, result in loads().items()}
    return Loads(results=results, baseline=baseline() if results else None)


def raw_data(directory: Path, profile: str) -> list[tuple[str, str]]:
    """(link from the report, name) of the files of one load that are there."""
    folder = directory / FOLDER / profile
    return [(f"{FOLDER}/{quote(profile, safe='')}/{name}", name) for name in RAW if (folder / name).is_file()]
