"""What the reports are told about the run before it begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from golive.judge.load.result import LoadResult
from golive.model import Criterion, Deployment
from golive.targets.hosts.cost import Cost
from reports.load.budgets import Baseline

GOLIVE_REPORT = "golive.html"
"""The report over a whole watch, in the folder of its environment."""

Contact = tuple[str, str, str, str]
"""Role, name, phone and e-mail of a person to be reached."""


def _no_baseline() -> Baseline | None:
    return None


@dataclass(frozen=True, kw_only=True)
class RunInfo:
    """One run against an environment, as its reports tell it.

    `directory` is the run's own output folder; `latest` is kept beside it. `redact` masks
    every secret that is known by the time the reports are written. `criteria` names what
    was selected from, so that a criterion whose worker died still has its sentence and severity.
    `costs` tells what looking at each host has cost it so far, `loads` what the load profiles
    showed that were run. `baseline` is the one in force, None where there is none or it cannot
    be read; it is asked only where there are loads, before the targets are closed.
    """

    run: str
    environment: str
    system: str
    says: str
    deployment: Deployment
    started_at: datetime
    directory: Path
    selection: str
    unanswered: tuple[str, ...]
    contacts: tuple[Contact, ...]
    redact: Callable[[str], str]
    hints: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    costs: Callable[[], Mapping[str, Cost]] = dict
    loads: Callable[[], Mapping[str, LoadResult]] = dict
    baseline: Callable[[], Baseline | None] = _no_baseline


RUN = pytest.StashKey[RunInfo]()
