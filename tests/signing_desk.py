"""The commands about sign-off at an environment of their own, whose watch is over, signed by real throwaway keys."""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands import main as front_desk
from commands.watching.opened import opened
from golive.environment.load import Environment
from golive.history.criteria_sets import as_data, digest_of_data, store_criteria
from golive.history.runs import begin_run, runs_of_watch
from golive.history.store import History
from golive.history.watches import open_watch
from golive.model import Deployment, RunRecord, Watch, WatchRecord
from reports.results import as_text, results
from tests import watchdays
from tests.sessions import Shop
from tests.signers import Ring

COMMANDS = ("watching.attest", "watching.sign", "watching.bundle", "watching.verify", "watching.verdict")
ROLES = ("QA Lead", "Tech Lead")
STORE = "warungin.health.store"
SIGNED = "warungin.signoff.qa-lead"
REHEARSED = "warungin.material.rehearsed"
CRITERIA: Sequence[dict[str, Any]] = (
    {"id": STORE, "says": "The file is there", "severity": "high", "check": "hosts/file", "path": "/etc/passwd",
     "when": ["checkpoint", "golive"]},
    {"id": SIGNED, "says": "The QA Lead signs off", "severity": "high", "when": ["golive"],
     "attest": {"role": "QA Lead", "signed": True}},
    {"id": REHEARSED, "says": "Rollback was rehearsed", "severity": "low", "when": ["golive"],
     "attest": {"role": "Tech Lead", "valid_for": "2 d"}},
)  # fmt: skip
SIGN_OFF = {"roles": list(ROLES), "allowed_signers": "keys/allowed_signers", "override_role": "Product Manager"}
CONTACT = {"role": "QA Lead", "name": "Ratna Wijaya", "phone": "+62215550101", "email": "qa@warungin.internal"}


class Desk:
    """Runs commands in this process, as `golive` would."""

    def __init__(
        self,
        folder: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        *,
        hours_ago: float = 25,
    ) -> None:
        monkeypatch.setattr(front_desk, "COMMANDS", COMMANDS)
        self._capsys = capsys
        self.folder = folder
        self.shop = Shop(folder)
        self.ring = Ring(folder / "keys")
        self.ring.allow(*ROLES, "Product Manager")
        now = datetime.now(UTC).replace(microsecond=0)
        self.starts_at = now - timedelta(hours=hours_ago)
        self.write()
        self.output = folder / "output" / "shop"
        self.record = self._held(now)

    def write(self, sign_off: dict[str, Any] | None = SIGN_OFF, **sections: Any) -> None:
        """The environment; `sign_off` None leaves that section out."""
        if sign_off is not None:
            sections["sign_off"] = sign_off
        self.shop.write(
            list(CRITERIA),
            system="warungin",
            deployment={"version": "2.4.1", "deployed_at": self.starts_at.isoformat()},
            watch={"schedule": ["1 h", "12 h", "24 h golive"]},
            contacts=[CONTACT],
            **sections,
        )

    @property
    def options(self) -> argparse.Namespace:
        return argparse.Namespace(env=str(self.shop.file), history=None, output=str(self.folder / "output"))

    @property
    def environment(self) -> Environment:
        with opened(self.options, create=True) as (environment, _):
            return environment

    def history(self) -> History:
        return History.open(self.output / "history.sqlite")

    def _held(self, now: datetime) -> WatchRecord:
        """A clean watch with every checkpoint that was due by now."""
        environment = self.environment
        digest = digest_of_data(as_data(environment.criteria, environment.secrets))
        watch = Watch(
            id="shop-watch",
            environment="shop",
            system="warungin",
            deployment=Deployment(version="2.4.1", deployed_at=self.starts_at),
            starts_at=self.starts_at,
            opened_at=self.starts_at,
            schedule=self.schedule,
            tolerance_s=900.0,
            target=dict(watchdays.TARGET),
            criteria_digest=digest,
        )
        held = [slot for slot in watch.schedule if watch.due_at(slot) + timedelta(minutes=3) < now]
        made = (watchdays.checkpoint_run(watch, slot, environment.criteria) for slot in held)
        runs = tuple(replace(run, criteria_digest=digest) for run in made)
        with self.history() as history:
            store_criteria(history, environment.criteria, environment.secrets)
            open_watch(history, watch)
            for run in runs:
                begin_run(history, run)
                self.leave_results(run)
        return WatchRecord(
            environment="shop", system="warungin", watch=watch, criteria=environment.criteria, criteria_digest=digest,
            runs=runs,
        )  # fmt: skip

    @property
    def schedule(self) -> Any:
        from golive.environment.schedule import slots_of

        return slots_of(("1 h", "12 h", "24 h golive"))

    def leave_results(self, run: RunRecord) -> None:
        """What a run leaves in its folder."""
        (self.output / run.run).mkdir(parents=True, exist_ok=True)
        (self.output / run.run / "results.json").write_text(as_text(results(run)), encoding="utf-8")

    def ask(self, *arguments: str, env: bool = True) -> tuple[int, str, str]:
        """Exit code, and what was said to stdout and stderr."""
        where = [f"--env={self.shop.file}", f"--output={self.folder / 'output'}"] if env else []
        self._capsys.readouterr()
        try:
            code = front_desk.main([arguments[0], *where, *arguments[1:]])
        except SystemExit as stop:
            code = int(str(stop.code))
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def sign(self, role: str, *more: str, name: str = "Sari Hartono") -> tuple[int, str, str]:
        """Sign as that role with its key."""
        return self.ask("sign", f"--role={role}", f"--name={name}", f"--key={self.ring.key(role)}", *more)

    def attest(self) -> None:
        """Affirm what waits for it."""
        code, _, said = self.ask("attest", REHEARSED, "--by=Sari Hartono", "--note=done on Friday")
        assert code == 0, said

    def sign_all(self) -> None:
        """Everybody affirms and signs: the watch comes to GO."""
        self.attest()
        for role in ROLES:
            code, _, said = self.sign(role)
            assert code == 0, said

    def sql(self, statement: str, *values: object) -> None:
        """Change the store behind everybody's back."""
        connection = sqlite3.connect(self.output / "history.sqlite")
        with connection:
            connection.execute(statement, values)
        connection.close()

    def change_outcome(self, run: str, criterion: str, **changes: Any) -> None:
        """Edit an outcome in the store."""
        with self.history() as history:
            (outcome,) = (o for r in runs_of_watch(history, "shop-watch") if r.run == run
                          for o in r.outcomes if o.criterion == criterion)  # fmt: skip
        data = json.dumps({**outcome.as_data(), **changes})
        whose = "run_id = (SELECT id FROM runs WHERE run = ?) AND criterion = ?"
        self.sql(f"UPDATE outcomes SET data = ? WHERE {whose}", data, run, criterion)

    def run_at(self, label: str) -> str:
        return next(run.run for run in self.record.runs if run.checkpoint == label)
