"""The report of a single run says which checkpoint of which watch it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reports import html
from reports.collector import Collector
from tests.reports.emulation import info
from tests.reports.golive.test_page import Page


@pytest.mark.parametrize(
    ("checkpoint", "told"),
    [("4h", "Watch Checkpoint 4h of watch prod-1"), ("extra", "Watch An extra run of watch prod-1")],
)
def test_a_run_of_a_watch_names_its_checkpoint(tmp_path: Path, checkpoint: str, told: str) -> None:
    record = replace(Collector(info(tmp_path)).record(), watch="prod-1", checkpoint=checkpoint)
    assert told in Page(html.body(record, info(tmp_path), html.Told()).partition("<script>")[0]).text


def test_a_run_outside_of_a_watch_names_none(tmp_path: Path) -> None:
    record = Collector(info(tmp_path)).record()
    assert "of watch" not in html.body(record, info(tmp_path), html.Told())
