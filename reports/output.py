"""Writes what a run leaves behind, in an order in which nothing that is known gets lost."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree.ElementTree import ParseError

import pytest

from golive import __version__
from golive.model import RunRecord
from reports import ci, files, github, html, junit
from reports.collector import Collector
from reports.load.told import Loads, taken
from reports.results import as_text, results
from reports.session import RunInfo


class Output:
    """The files of one run. What cannot be written is kept in `problems` and stops nothing else.

    `remarks` is for what is a pity but leaves the run's own files whole.
    """

    def __init__(self, info: RunInfo, collector: Collector, asked: Mapping[str, Path]) -> None:
        self.problems: list[str] = []
        self.remarks: list[str] = []
        self._info = info
        self._collector = collector
        self._asked = asked
        self._written: RunRecord | None = None
        self._loads: Loads | None = None

    @property
    def load_lines(self) -> list[str]:
        """A line about each load, for the terminal."""
        return [] if self._loads is None else self._loads.lines

    @property
    def report(self) -> Path:
        """Where a person finds the report, by the name that does not change."""
        return self._info.directory.with_name(files.LATEST) / "report.html"

    def write_results(self) -> None:
        """Write results.json, unless it says already what is known."""
        collector = self._collector
        record = collector.record()
        if record is not self._written:
            info = self._info
            self._take_loads()
            loads = {} if self._loads is None else self._loads.results
            data = results(record, says=info.says, selected=collector.selected, costs=info.costs(), loads=loads)
            text = as_text(data)
            self._try("results.json", lambda: files.write_whole(self._info.directory / "results.json", text))
            self._written = record

    def _take_loads(self) -> None:
        """Once, while the targets and the history are still open; what cannot be told costs no other result."""
        if self._loads is not None:
            return
        info = self._info
        try:
            self._loads = taken(info.loads, info.baseline, info.redact)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with them, the outcomes are to be written
            self._loads = Loads()
            self.problems.append(f"the loads could not be told: {type(error).__name__}: {error}")

    def page(self, *, others: int, others_failed: int) -> str:
        """The body of report.html; `others` are the tests that are left to pytest-html's own table.

        A page that cannot be drawn is our fault and may not cost the other files.
        """
        try:
            return self._page(others, others_failed)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the drawing, the run is to be told
            self.problems.append(f"report.html could not be drawn: {type(error).__name__}: {error}")
            return "<p>This report could not be drawn. The outcomes are in results.json and junit.xml beside it.</p>"

    def _page(self, others: int, others_failed: int) -> str:
        collector, info = self._collector, self._info
        record, loads = collector.record(), self._loads or Loads()
        told = html.Told(
            selected=collector.selected,
            ended=collector.ended,
            others=others,
            others_failed=others_failed,
            costs=dict(sorted(info.costs().items())),
            loads=tuple(loads.views(record.outcomes, info.criteria, info.directory)),
            baseline="" if loads.baseline is None else loads.baseline.name,
            made_with={"golive": __version__, "Python": platform.python_version(), "pytest": pytest.__version__},
        )
        return html.body(record, info, told)

    def complete(self, *, others: int) -> None:
        """pytest and pytest-html have written their files: set them right, then let `latest` lead here."""
        outcomes = {outcome.criterion: outcome for outcome in self._collector.record().outcomes}
        self._finish("report.html", lambda path: html.polish(path, bare=not others))
        self._finish("junit.xml", lambda path: junit.settle(path, outcomes))
        self.write_results()
        self._try("latest", lambda: files.point_latest(self._info.directory))

    def tell_github(self, record: RunRecord, variables: Mapping[str, str]) -> None:
        """Add the job summary where GitHub wants one."""
        path = variables.get("GITHUB_STEP_SUMMARY")
        if path and ci.system(variables) is ci.System.GITHUB:
            text = github.summary(record, report=files.shown(self.report), run_url=github.run_url(variables))
            try:
                github.append_summary(Path(path), text)
            except OSError as error:
                self.remarks.append(f"the job summary could not be written: {error}")

    def _finish(self, name: str, complete: Callable[[Path], None]) -> None:
        """Complete the file called `name`, and put it in the run's folder if the user wanted it elsewhere."""
        own = self._info.directory / name
        path = self._asked.get(name, own)
        if not path.exists():
            return  # its plugin is switched off, or the session ended before it wrote
        self._try(name, lambda: complete(path))
        if path != own:
            self._try(name, lambda: shutil.copyfile(path, own))

    def _try(self, what: str, write: Callable[[], object]) -> None:
        try:
            write()
        except (OSError, ParseError) as error:
            self.problems.append(f"{what} could not be written: {error}")


def expanded(path: str) -> Path:
    """A path of the command line as pytest and pytest-html read it."""
    return Path(os.path.expandvars(path)).expanduser().absolute()
