"""Calling a check as the plugin would, and what it comes to."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from fixtures.context import RunContext
from fixtures.measure import NotApplicable, Recorder
from golive.environment.load import Environment
from golive.environment.redaction import Redactor
from golive.environment.sections import EnvironmentSection
from golive.history.store import History
from golive.model import CouldNotLook, Evidence, Status

CRITERION = "shop.area.name"
M = TypeVar("M", bound=BaseModel)


def written(model: type[M], **keys: Any) -> M:
    """A section or the parameters of a check from keys as YAML writes them."""
    return model.model_validate(keys)


@dataclass(frozen=True)
class Judged:
    """The outcome of one check."""

    status: Status
    message: str
    recorder: Recorder

    def value(self, name: str) -> float:
        """What was measured under that name."""
        return next(m.value for m in self.recorder.measurements if m.name == name)

    @property
    def seen(self) -> str:
        """All evidence as one text."""
        return "\n".join(e.text for e in self.recorder.evidence)


def run_context(folder: Path, *, files: tuple[Path, ...] = (), **section: Any) -> RunContext:
    """A run against an environment with these sections; what it leaves for the next run lies in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = Environment(
        name="test",
        file=folder / "test.yaml",
        files=files,
        section=written(EnvironmentSection, system="shop", **section),
        criteria=(),
        waivers=(),
        attestations=(),
        secrets=(),
    )
    return RunContext(
        environment=environment,
        run="run-1",
        directory=folder,
        started_at=datetime.now(UTC),
        redact=Redactor(),
        history=History.open(folder / "history.sqlite"),
    )


def judged(check: Callable[..., None], **given: Any) -> Judged:
    """Run a check with `given` and the usual fixtures; any exception but a judgement is the test's failure."""
    recorder = Recorder()
    usual: dict[str, Any] = {
        "measure": recorder,
        "evidence": lambda title, text: recorder.evidence.append(Evidence(title=title, text=text)),
        "now": datetime.now(UTC),
        "criterion_id": CRITERION,
    }
    wanted = inspect.signature(check).parameters
    try:
        check(**{name: value for name, value in {**usual, **given}.items() if name in wanted})
        recorder.conclude()
    except CouldNotLook as problem:
        return Judged(Status.FAIL if recorder.failures else Status.UNKNOWN, str(problem), recorder)
    except NotApplicable as reason:
        return Judged(Status.NOT_APPLICABLE, str(reason), recorder)
    except AssertionError as failure:
        return Judged(Status.FAIL, str(failure).partition("\nassert ")[0], recorder)
    return Judged(Status.WARN if recorder.warnings else Status.PASS, recorder.summary, recorder)
