"""The hooks of a session that verifies an environment; thin over the modules that do the work."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import pytest

from golive.model import Outcome
from reports import ci, html, junit, terminal
from reports.collector import Collector
from reports.files import shown
from reports.interrupt import Signals
from reports.output import Output
from reports.session import RunInfo
from reports.text import visible

_STANDING = "golive_outcome"
_LOADS_TOLD = 3
"""More lines about loads would leave no room for what failed."""
_METADATA_KEPT = ("Python", "Platform", "Packages", "Plugins")


class RunReports:
    """Registered once per verified environment, in the process that writes the reports."""

    def __init__(
        self, config: pytest.Config, info: RunInfo, collector: Collector, asked: Mapping[str, Path], signals: Signals
    ) -> None:
        self._config = config
        self._info = info
        self._collector = collector
        self._asked = asked
        self._signals = signals
        self._output = Output(info, collector, asked)
        self._others: dict[str, bool] = {}
        self._died = ""
        self._nothing = ""
        self._title: Any = None
        self._quieted: list[object] = []

    # What becomes of each criterion

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        self._forget_metadata()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._collector.select([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._collector.select(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        setattr(report, _STANDING, self._collector.take(report))
        known = self._collector.of_test(report.nodeid)
        if known is not None:
            report.user_properties += junit.properties(known)
            report.sections = [(title, self._info.redact(text)) for title, text in report.sections]

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.CollectReport | pytest.TestReport) -> Any:
        outcome: Outcome | None = getattr(report, _STANDING, None)
        return None if outcome is None else terminal.teststatus(outcome.status)

    # What ends the run early

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        said = getattr(excinfo.value, "msg", None) or str(excinfo.value)
        self._collector.abort(said or "interrupted (Ctrl-C)")

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._collector.abort(f"internal error: {excinfo.exconly()}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, error: object) -> None:
        self._died = self._died or (str(error) if error else "")  # which criterion it was at is told after this

    # What is written

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Innermost of the wrappers: every file is written by the time the terminal tells where they are."""
        if self._collector.ran_nothing(session.exitstatus):
            return (yield from self._leave_nothing(session))
        self._conclude(session)
        self._signals.end()
        self._output.write_results()  # first of all: whatever happens next, the outcomes are on disk
        try:
            result = yield
        except OSError as error:
            self._output.problems.append(f"the report could not be written: {error}")
            result = None
        self._output.complete(others=len(self._others))
        self._output.tell_github(self._collector.record(), os.environ)
        self._output.problems += self._collector.problems
        self._output.remarks += self._collector.remarks
        if self._output.problems:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        self._quiet_others()
        if session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            self._tell()  # pytest shows no summary then
        return result

    def _leave_nothing(self, session: pytest.Session) -> Generator[None, object, object]:
        """Nothing was run: what other plugins have written by then goes again, and `latest` stays where it is."""
        by = f" by {self._info.selection}" if self._info.selection else ""
        is_refused = session.exitstatus == pytest.ExitCode.USAGE_ERROR
        self._nothing = "Nothing was run, and nothing is kept" if is_refused else f"Nothing was selected{by}"
        result = yield
        shutil.rmtree(self._info.directory, ignore_errors=True)
        self._output.problems += self._collector.problems
        self._quiet_others()
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, object, object]:
        """Outermost of the wrappers: our lines are the last ones."""
        with terminal.criteria_set_aside(terminalreporter, self._collector.tests):
            result = yield
        if not terminalreporter.no_summary:
            self._tell()
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        for plugin in self._quieted:
            config.pluginmanager.register(plugin)  # pytest takes its plugins down itself and wants them there

    # pytest-html

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        self._title = report
        report.title = visible(f"{self._info.system} on {self._info.environment}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        if self._collector.of_test(report.nodeid) is not None:
            del cells[:]
            return
        cells[1] = f'<td class="col-testId">{escape(visible(report.nodeid))}</td>'
        if report.when in ("call", "collect") or not report.passed:
            self._others[report.nodeid] = report.failed or self._others.get(report.nodeid, False)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        self._forget_metadata()
        if self._title is not None:
            self._title.title = html.page_title(self._collector.record())
        prefix.append(self._output.page(others=len(self._others), others_failed=sum(self._others.values())))

    def _conclude(self, session: pytest.Session) -> None:
        """The run is over: whether it is whole, and whether it may count as a success."""
        collector = self._collector
        if self._died:
            collector.abort(f"a worker process died: {self._died}")
        missing = collector.selected - collector.ended
        if missing > 0:
            told = session.shouldfail or session.shouldstop
            collector.abort(str(told or f"{missing} of {collector.selected} selected tests did not end"))
        collector.finish()
        if session.exitstatus == pytest.ExitCode.OK and (collector.aborted or collector.blocks):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _tell(self) -> None:
        reporter: pytest.TerminalReporter | None = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None:
            return
        if self._nothing:
            problems = [terminal.Line("", visible(problem), {"red": True}) for problem in self._output.problems]
            lines = [terminal.Line("", visible(text), {"yellow": True}) for text in self._collector.closing]
            told = [*problems, *(lines or [terminal.Line("", visible(self._nothing), {"yellow": True})])]
            terminal.write(reporter, told, in_ci=False)
            return
        record, where = self._collector.record(), ci.system(os.environ)
        if where is not None:
            terminal.write(reporter, ci.log_lines(where, record), in_ci=True)
        width = None if where is not None else self._config.get_terminal_writer().fullwidth
        lines = terminal.summary(
            record,
            report=shown(self._output.report),
            width=width,
            hints=self._info.hints,
            closing=[*self._output.load_lines[:_LOADS_TOLD], *self._collector.closing],
        )
        problems = [
            terminal.Line("", visible(problem), {"red": True})
            for problem in [*self._output.problems, *self._output.remarks]
        ]
        terminal.write(reporter, [*problems, *lines], in_ci=where is not None)

    def _quiet_others(self) -> None:
        """Where our own files are is said once, by us: pytest and pytest-html need not add a line each."""
        manager = self._config.pluginmanager
        for plugin in list(manager.get_plugins()):
            name = type(plugin).__name__
            if (name == "LogXML" and "junit.xml" not in self._asked) or (
                name == "SelfContainedReport" and "report.html" not in self._asked
            ):
                manager.unregister(plugin)
                self._quieted.append(plugin)

    def _forget_metadata(self) -> None:
        """pytest-metadata gathers CI variables, some of which hold credentials; none of them is told."""
        try:
            from pytest_metadata.plugin import metadata_key  # type: ignore[import-untyped] # it has no types
        except ImportError:
            return
        metadata: dict[str, Any] = self._config.stash.get(metadata_key, {})
        for name in [name for name in metadata if name not in _METADATA_KEPT]:
            del metadata[name]
