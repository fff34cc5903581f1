"""A run in progress under a watch that lies in a real history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from golive.model import WatchRecord
from tests.checks.history.stored import Begin, Watching, during, extra, run_of


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Begins the run of checkpoint `at`, or an extra one at that hour."""
    running: list[Watching] = []

    def begun(record: WatchRecord, at: str | float, **more: Any) -> Watching:
        this = run_of(record, at) if isinstance(at, str) else extra(record, at)
        running.append(during(tmp_path, record, this, monkeypatch, **more))
        return running[-1]

    yield begun
    for one in running:
        assert one.context.close() == []
