"""Stands in for `fixtures.plugin`: outcomes come from a file instead of from checks.

A session with `--told=FILE` is one that verifies an environment. FILE holds a list of
`Outcome.as_data()`, one test each, with further keys that say how the test behaves:
`phase` (which report carries the outcome), `then` (a second outcome, carried by the
teardown), `act` (`die`, `wait`, `interrupt`, `exit`, `warn`) before it is judged.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from golive.environment.redaction import Redactor
from golive.judge.load.result import LoadResult
from golive.model import Deployment
from reports.plugin import prepare
from reports.session import RunInfo

STARTED = datetime(2026, 11, 20, 21, 4, 5, tzinfo=UTC)
SECRET = "hunter2-planted-secret"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--told` and what the run should say of itself."""
    parser.addoption("--told", default=None)
    parser.addoption("--unanswered", type=int, default=0)
    parser.addoption("--loads", default=None, help="FILE with `LoadResult.as_data()` by profile")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Prepare the reports as the real plugin does."""
    if config.getoption("--told") is not None and not hasattr(config, "workerinput"):
        unanswered, told = config.getoption("--unanswered"), config.getoption("--loads")
        prepare(config, info(config.rootpath, unanswered=unanswered, loads=lambda: loads(told)))


def loads(file: str | None) -> dict[str, LoadResult]:
    """The loads that `file` holds; none without a file."""
    if file is None:
        return {}
    told = json.loads(Path(file).read_text(encoding="utf-8"))
    return {name: LoadResult.from_data(data) for name, data in told.items()}


def info(root: Path, *, unanswered: int = 0, **further: Any) -> RunInfo:
    """A run of the shop on staging."""
    said: dict[str, Any] = {
        "run": "20261120T210405Z-abc123",
        "environment": "staging",
        "system": "warungin",
        "says": "The staging system, two stores with test data",
        "deployment": Deployment(version="2.4.1", deployed_at=STARTED - timedelta(hours=3, minutes=12)),
        "started_at": STARTED,
        "directory": root / "output" / "staging" / "20261120T210405Z-abc123",
        "selection": "checkpoint",
        "unanswered": tuple(f"warungin.people.signed-{i}" for i in range(unanswered)),
        "contacts": (("QA Lead", "Ayu Lestari", "+62 812 3456 789", "ayu@example.com"),),
        "redact": Redactor([SECRET]),
    }
    return RunInfo(**{**said, **further})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per outcome of the file."""
    if "told" in metafunc.fixturenames:
        told = json.loads(Path(metafunc.config.getoption("--told")).read_text(encoding="utf-8"))
        metafunc.parametrize("told", [pytest.param(one, id=one["criterion"]) for one in told])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the outcome to the report that ends the criterion."""
    report = yield
    told = getattr(item, "callspec", None) and item.callspec.params.get("told")  # type: ignore[attr-defined]
    if not told:
        return report
    if report.when == told.get("phase", "call"):
        _carry(report, told)
    if report.when == "teardown" and "then" in told:
        _carry(report, told["then"])
    return report


def _carry(report: pytest.TestReport, told: dict[str, Any]) -> None:
    data = {key: value for key, value in told.items() if key not in ("act", "phase", "then")}
    report.user_properties = [*report.user_properties, ("golive", data)]
    report.outcome = {"fail": "failed", "unknown": "failed", "waived": "skipped", "not_applicable": "skipped"}.get(
        told["outcome"], "passed"
    )  # type: ignore[assignment]
    report.longrepr = None
    if report.outcome == "failed":
        report.longrepr = f"{told['outcome']}: {told['message']}"
    elif report.outcome == "skipped":
        report.longrepr = ("checks/x.py", 1, told["message"])


def act(told: dict[str, Any]) -> None:
    """What a test does before it is judged."""
    what = told.get("act")
    if what == "die":
        os._exit(9)
    elif what == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    elif what == "exit":
        pytest.exit("enough was seen")
    elif what == "wait":
        Path("waiting").touch()
        time.sleep(30)
    elif what == "print":
        print("the password is", SECRET)
