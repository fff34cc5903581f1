"""The reports as a pytest plugin.

Nothing here runs in an ordinary session: `prepare`, called when an environment is
verified, registers the hooks, and only in the process that writes the reports.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reports import html
from reports.collector import COLLECTOR, Collector
from reports.hooks import RunReports
from reports.interrupt import Signals
from reports.output import expanded
from reports.session import RUN, RunInfo

__all__ = ["RUN", "RunInfo", "mark_aborted", "prepare"]

_TELLS_ONLY = ("collectonly", "help", "version", "markers", "showfixtures", "show_fixtures_per_test", "setupplan")
"""Options of pytest under which nothing is judged."""


def prepare(config: pytest.Config, info: RunInfo) -> None:
    """Let this session leave its reports in `info.directory`. To be called early in `pytest_configure`.

    pytest's own `--junitxml` and pytest-html's `--html` are pointed there unless the user
    gave a place. Does nothing in a worker, and where nothing is going to run. Raises
    pytest.UsageError where the folder cannot be written.
    """
    if hasattr(config, "workerinput") or any(config.getoption(name, None) for name in _TELLS_ONLY):
        return
    try:
        info.directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = f"{info.directory}: the report cannot be written there: {error.strerror or error}"
        raise pytest.UsageError(said) from error
    config.stash[RUN] = info
    config.stash[COLLECTOR] = Collector(info)
    signals = Signals(lambda reason: mark_aborted(config, reason))
    reports = RunReports(config, info, config.stash[COLLECTOR], _redirect(config, info.directory), signals)
    config.pluginmanager.register(reports, "golive-reports")
    if config.getoption("maxworkerrestart", "0") is None:
        # xdist 3.8 hangs when it replaces a worker under --dist=loadgroup (its issues 1323 and 1378),
        # and what killed one worker would be done to the target once more.
        config.option.maxworkerrestart = "0"
    config.add_cleanup(signals.listen())


def mark_aborted(config: pytest.Config, reason: str) -> None:
    """The run ends before everything was judged; the first reason given stands. Harmless where no report is made."""
    collector = config.stash.get(COLLECTOR, None)
    if collector is not None:
        collector.abort(reason)


def _redirect(config: pytest.Config, directory: Path) -> dict[str, Path]:
    """Set the places of pytest-html and JUnit; the ones that the user asked for, by file name here."""
    asked: dict[str, Path] = {}
    for option, name in (("htmlpath", "report.html"), ("xmlpath", "junit.xml")):
        given = config.getoption(option, None)
        if given:
            asked[name] = expanded(given)
        else:
            setattr(config.option, option, str(directory / name))
    config.option.self_contained_html = True
    config.option.css = [*(config.getoption("css", None) or []), str(html.STYLE)]
    return asked
