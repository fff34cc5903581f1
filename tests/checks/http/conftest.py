"""A shop for each test, and checks that judge it as the plugin would have them do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fixtures.context import RunContext
from fixtures.expiry import trials_of
from fixtures.web import account_of, acting, browser_of, endpoint_of, samples_of
from tests.judged import CRITERION, Judged, judged, run_context
from tests.webshop import Shop, open_shop, sections


@dataclass
class Bench:
    """Runs check modules against the shop; keys are written as in YAML."""

    shop: Shop
    run: RunContext
    environ: dict[str, str]

    def judge(self, check: ModuleType, given: dict[str, Any] | None = None, /, **keys: Any) -> Judged:
        """The outcome of a criterion of `check` with these keys; `given` replaces fixtures."""
        params = check.Params.model_validate(keys)
        assert params.asserts_nothing() is None
        function = next(value for name, value in vars(check).items() if name.startswith("test_"))
        return self._run(function, params, given or {})

    def _run(self, function: Any, params: Any, given: dict[str, Any]) -> Judged:
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        makers: dict[str, Any] = {
            "context": lambda: self.run,
            "endpoint": lambda: endpoint_of(self.run, params),
            "account": lambda: acting(self.run, params),
            "other_account": lambda: acting(self.run, params, "other_account"),
            "account_named": lambda: lambda name: account_of(self.run, name),
            "session_trials": lambda: lambda: trials_of(self.run, params, CRITERION),
            "samples": lambda: samples_of(self.run, params),
            "browser": lambda: browser_of(self.run, params, self.environ),
        }
        fixtures = {name: makers[name]() for name in names if name in makers and name not in given}
        return judged(function, criterion=params, **fixtures, **given)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as opened:
        yield opened


@pytest.fixture
def run(shop: Shop, tmp_path: Path) -> Iterator[RunContext]:
    context = run_context(tmp_path, **sections(shop))
    yield context
    assert context.close() == []


@pytest.fixture
def bench(shop: Shop, run: RunContext) -> Bench:
    return Bench(shop, run, environ={"PATH": ""})
