"""This machine as a host, with commands that can be made to lie; each `look` is a run of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fixtures.context import RunContext
from golive.environment.params import CheckParams
from golive.environment.sections import DeploymentSection, EndpointSection
from golive.targets.hosts.host import Host
from tests.judged import Judged, judged, run_context
from tests.shims import local_host, shim


@dataclass
class Machine:
    """The host `app`; `endpoints` by name and URL."""

    folder: Path
    deployed: datetime | None = None

    def fake(self, command: str, script: str) -> None:
        """Put a stand-in in front of a command; `{real}` is the real one."""
        shim(self.folder / "bin", command, script)

    def honest(self, command: str) -> None:
        """Take the stand-in away."""
        (self.folder / "bin" / command).unlink()

    def host(self) -> Host:
        """The host, not looked at yet."""
        return local_host(self.folder / "bin")

    def context(self, **endpoints: str) -> RunContext:
        """A run with what earlier ones left."""
        sections = {name: EndpointSection(url=url) for name, url in endpoints.items()}
        deployment = DeploymentSection(deployed_at=self.deployed)
        return run_context(self.folder, endpoints=sections, deployment=deployment)

    def look(self, check: Callable[..., None], params: CheckParams, **endpoints: str) -> Judged:
        """Judge a check as one run would, and keep what it leaves."""
        context = self.context(**endpoints)
        found = judged(check, criterion=params, host=self.host(), context=context)
        context.state.commit()
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """This machine, telling the truth until it is made to lie."""
    return Machine(tmp_path)


def params(model: Any, **more: Any) -> Any:
    """Parameters as an environment's YAML gives them."""
    return model.model_validate({"host": "app", **more})
