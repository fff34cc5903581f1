"""A log file of an environment, and a look at it as a check's fixtures make it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.context import RunContext
from fixtures.logs import LogParams, LogWindow
from golive.environment.sections import DeploymentSection, HostSection
from golive.logs.file import Config
from golive.model import CouldNotLook, Status
from tests.judged import CRITERION, Judged, judged, run_context

DEPLOYED = datetime.now(UTC) - timedelta(minutes=30)


@dataclass
class Logs:
    """Files in `folder`; each `look` is a new run against the same environment."""

    folder: Path
    sources: tuple[str, ...] = ("api",)
    limit: str = "64 MB"
    deployed: datetime | None = DEPLOYED
    opened: list[RunContext] = field(default_factory=list)

    def path(self, source: str = "api") -> Path:
        """The file of a source."""
        return self.folder / f"{source}.log"

    def write(self, *messages: str, level: str = "INFO", source: str = "api", **fields: Any) -> None:
        """Append structured lines of now."""
        at = fields.pop("at", datetime.now(UTC)).isoformat(timespec="milliseconds")
        with self.path(source).open("a", encoding="utf-8") as file:
            for message in messages:
                file.write(json.dumps({"time": at, "level": level, "message": message, **fields}) + "\n")

    def append(self, text: str, source: str = "api") -> None:
        """Append text as it is."""
        with self.path(source).open("a", encoding="utf-8") as file:
            file.write(text)

    def context(self) -> RunContext:
        """A run of its own, with what earlier ones left."""
        configs = {
            name: Config.model_validate(
                {"kind": "file", "host": "app", "path": str(self.path(name)), "max_bytes": self.limit}
            )
            for name in self.sources
        }
        context = run_context(
            self.folder,
            hosts={"app": HostSection.model_validate({"connect": "local://"})},
            deployment=DeploymentSection(deployed_at=self.deployed),
        )
        # Sections of a kind are validated by their file, as when an environment is loaded.
        section = context.environment.section.model_copy(update={"logs": configs})
        object.__setattr__(context.environment, "section", section)
        self.opened.append(context)
        return context

    def look(self, check: Callable[..., None], params: LogParams, *, commit: bool = True, **given: Any) -> Judged:
        """Judge a check as one run would."""
        context = self.context()
        window = LogWindow(context, CRITERION, params, datetime.now(UTC))
        try:
            reading = window.read()
        except CouldNotLook as problem:
            return Judged(Status.UNKNOWN, str(problem), None)  # type: ignore[arg-type]
        found = judged(check, criterion=params, context=context, log_reading=reading, log_window=window, **given)
        if commit:
            context.state.commit()
        return found


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    """A log that reaches back beyond the deployment."""
    found = Logs(tmp_path)
    found.write("started", at=DEPLOYED - timedelta(minutes=5))
    return found
