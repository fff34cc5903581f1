"""A watch that was held over an environment of its own, in a real history, and the commands that judge it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands import main as front_desk
from commands.watching.opened import as_far_as_known
from golive.history.criteria_sets import digest_of, store_criteria
from golive.history.runs import begin_run
from golive.history.store import History
from golive.history.watches import open_watch
from golive.model import Measurement, Status, WatchRecord
from tests import watchdays
from tests.sessions import Shop

CPU = "warungin.health.cpu"
LOGIN = "warungin.functionality.login"
CRITERIA: Sequence[dict[str, Any]] = (
    {"id": CPU, "says": "CPU use stays below 80 %", "check": "hosts/cpu", "critical": 80, "severity": "high"},
    {"id": LOGIN, "says": "Its door is there", "check": "hosts/file", "path": "/etc/passwd", "severity": "critical",
     "when": ["smoke", "checkpoint", "golive"]},
)  # fmt: skip
Edit = Callable[[WatchRecord], WatchRecord]


class Held:
    """The environment `shop`; its watch began `hours_ago`, and every checkpoint was held that was due since."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(front_desk, "COMMANDS", ("watching.verdict", "watching.replay"))
        self._capsys = capsys
        self.shop = Shop(folder)
        self.file = folder / "history.sqlite"
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.write()

    def write(self, criteria: Sequence[dict[str, Any]] = CRITERIA, **sections: Any) -> None:
        """The environment as it is from now on."""
        sections = {"watch": {"milestones": {"stable": "4 h"}}, "deployment": {"version": "2.4.1"}, **sections}
        self.shop.write(list(criteria), system="warungin", **sections)

    def hold(self, edit: Edit = lambda record: record, *, hours_ago: float = 24.2, **keys: Any) -> WatchRecord:
        """Hold the watch, spoilt by `edit`, and keep it."""
        environment = as_far_as_known(str(self.shop.file), {})
        starts_at = self.now - timedelta(hours=hours_ago)
        record = watchdays.day(
            starts_at=starts_at, environment="shop", criteria=environment.criteria, roles=(), policy=None, **keys
        )
        cpu = watchdays.cpu_percent(70.0)
        for label in dict.fromkeys(run.checkpoint for run in record.runs if run.checkpoint != "15min"):
            record = with_cpu(record, str(label), cpu, Status.PASS)
        record = edit(record)
        digest = digest_of(environment.criteria, environment.secrets)
        with History.open(self.file) as history:
            store_criteria(history, environment.criteria, environment.secrets)
            if record.watch is not None:
                open_watch(history, replace(record.watch, criteria_digest=digest))
            for run in record.runs:
                if run.started_at < self.now:
                    begin_run(history, replace(run, criteria_digest=digest))
        return record

    def ask(self, *words: str) -> tuple[int, str]:
        """Exit code, and what was said."""
        where = [f"--env={self.shop.file}", f"--history={self.file}"]
        self._capsys.readouterr()
        try:
            code = front_desk.main([words[0], *where, *words[1:]])
        except SystemExit as stop:
            code = int(str(stop.code))
        said = self._capsys.readouterr()
        return code, said.out + said.err


def with_cpu(
    record: WatchRecord, label: str, measurement: Measurement, status: Status, message: str = ""
) -> WatchRecord:
    """What the CPU was at a checkpoint."""
    said = message or f"CPU of host app: {measurement.value:g} %, below 80 % needed"
    return watchdays.with_outcome(record, label, CPU, status, said, measurements=(measurement,))
