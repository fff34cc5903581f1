"""A shop for each test, and the way to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.context import RunContext
from tests.judged import run_context
from tests.webshop import Shop, open_shop, sections


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as opened:
        yield opened


@pytest.fixture
def run(shop: Shop, tmp_path: Path) -> Iterator[RunContext]:
    context = run_context(tmp_path, **sections(shop))
    yield context
    assert context.close() == []
